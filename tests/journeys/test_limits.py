"""Limits of a recipe: turns, tokens, time of a step and of the whole."""


from tests.fakes.model_server import Call, ModelServer, Reply
from tests.surface import Client, Make

ONCE = {"max_retries": 0}


async def test_the_last_turn_is_asked_without_tools_and_a_run_that_still_has_no_answer_ends(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe(
        {"agent_id": agent["id"], "prompt_template": "Add", "max_iterations": 3}, execution_config=ONCE)
    model_server.script(*[Reply(tool_calls=[("calculator", {"expression": f"{n}+1"})]) for n in range(3)])

    run = await client.cooked(recipe["template_id"])

    assert [call.body.get("tool_choice") for call in model_server.calls] == [None, None, "none"]
    assert run["status"] == "failed"
    assert run["error"]["code"] == "run_limit_reached"
    assert "max_iterations" in run["error"]["message"]


async def test_the_tokens_of_a_recipe_are_one_account_for_all_steps(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("First", "Second", "Third", execution_config=ONCE | {"max_total_tokens": 100})
    model_server.script(Reply(text="one", usage=(40, 20)), Reply(text="two", usage=(30, 20)), Reply(text="three"))

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "failed"
    assert run["error"]["code"] == "run_limit_reached"
    assert "max_total_tokens" in run["error"]["message"]
    assert [step["status"] for step in run["steps"]] == ["completed", "completed", "failed"]
    assert len(model_server.calls) == 2


async def test_a_step_that_takes_too_long_is_stopped_and_tried_again(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe({"prompt_template": "Say hello", "timeout_s": 1},
                               execution_config={"max_retries": 1, "retry_delay_ms": 1})
    model_server.script(Reply(text="too late " * 50, chunks=50, chunk_delay_s=0.1), Reply(text="in time"))

    run_id = await client.cook(recipe["template_id"])
    events = await client.watch(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert run["status"] == "completed"
    assert run["steps"][0]["attempt"] == 2
    retrying = next(place for place, event in enumerate(events) if event["type"] == "step.retrying")
    assert events[retrying]["data"]["error"]["code"] in {"step_timeout", "model_timeout"}
    assert model_server.calls[0].disconnected
    later = [event["data"]["text"] for event in events[retrying:] if event["type"] == "step.delta"]
    assert "".join(later) in {"", "in time"}


async def test_a_step_that_always_takes_too_long_fails_with_that_reason(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe({"prompt_template": "Say hello", "timeout_s": 1}, execution_config=ONCE)
    model_server.script(Reply(hang=True))

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "failed"
    assert run["error"]["code"] in {"step_timeout", "model_timeout"}
    assert "timeout_s" in run["error"]["next_step"]


async def test_the_whole_recipe_ends_by_its_deadline_wherever_it_is(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("First", "Second", execution_config={"total_timeout_s": 1})
    model_server.script(Reply(text="one"), Reply(hang=True))

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "failed"
    assert run["error"]["code"] == "total_timeout"
    assert [step["status"] for step in run["steps"]] == ["completed", "failed"]
    assert run["output_data"]["final_output"] == run["steps"][0]["output"] == "one"
    assert model_server.calls[1].disconnected


async def test_a_tool_that_is_called_in_circles_is_refused_and_the_run_ends(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add", "max_iterations": 6},
                               execution_config=ONCE)
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "1+1"})]), repeat=True)

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "no_progress")
    results = [turn for turn in run["steps"][0]["turns"] if turn["kind"] == "tool"]
    assert [turn["body"]["ok"] for turn in results] == [True, False, False, False]
    assert {turn["error"] for turn in results[1:]} == {"repeated_call"}
    assert len(model_server.calls) == 4


async def test_turns_that_do_something_between_repeated_calls_are_progress(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add", "max_iterations": 20},
                               execution_config=ONCE)
    same = ("calculator", {"expression": "1+1"})
    for number in range(3):
        fresh = ("calculator", {"expression": f"{number}+7"})
        model_server.script(Reply(tool_calls=[same]), Reply(tool_calls=[same, fresh]))
    model_server.script(Reply(text="done"))

    run = await client.cooked(recipe["template_id"])

    assert run["output_data"]["final_output"] == "done"


async def test_the_last_turn_of_a_run_may_call_nothing(client: Client, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add", "max_iterations": 3},
                               execution_config=ONCE)

    def has_tools(call: Call) -> bool:
        return call.body.get("tool_choice") != "none"

    model_server.script(Reply(tool_calls=[("calculator", {"expression": "1+1"})]), match=has_tools, repeat=True)
    model_server.script(Reply(text="two"))

    assert (await client.cooked(recipe["template_id"]))["output_data"]["final_output"] == "two"
