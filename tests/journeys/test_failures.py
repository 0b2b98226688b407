"""Steps that fail: retried, skipped or ending the run, always with a reason, and never taken for complete."""

import asyncio
from typing import Any

import pytest

from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

ONCE = {"max_retries": 0}
QUICK = {"max_retries": 2, "retry_delay_ms": 1, "backoff_strategy": "fixed"}
OVERLOADED = Reply(status=500, message="overloaded")


def down(model_server: ModelServer) -> None:
    """The model answers every call with a server error (the client asks a step's model three times)."""
    model_server.script(Reply(status=500, headers={"Retry-After": "0"}), repeat=True)


def refusal(model_server: ModelServer) -> None:
    """The model refuses for good."""
    model_server.script(Reply(status=400, message="no such parameter"), repeat=True)


def types_of(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events if event["type"] != "step.delta"]


async def cooked(client: Client, template_id: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    run_id = await client.cook(template_id)
    events = await client.follow(run_id)
    return (await client.get(f"/api/runs/{run_id}")).json(), events


async def test_a_passing_server_error_is_asked_again_within_the_step_and_shown(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello", execution_config=QUICK)
    model_server.script(Reply(status=500, headers={"Retry-After": "0"}, message="no room"),
                        Reply(text="word " * 80, chunks=8, truncate=True), Reply(text="hello"))

    run, events = await cooked(client, recipe["template_id"])

    step = run["steps"][0]
    assert (run["status"], run["output_data"]["final_output"], step["attempt"]) == ("completed", "hello", 3)
    assert len(model_server.calls) == 3
    retrying = [event["data"] for event in events if event["type"] == "model.retrying"]
    assert [(each["attempt"], each["of"], each["code"], each["provider_status"]) for each in retrying] == [
        (1, 3, "model_unavailable", 500), (2, 3, "model_answer_invalid", 200)]
    assert "no room" in retrying[0]["reason"]
    assert [(each["attempt"], each["reason"]) for each in step["attempts"]] == [
        (each["attempt"], each["reason"]) for each in retrying]
    assert (step["attempts"][0]["wait_s"], step["attempts"][1]["wait_s"]) == (0.0, 0.001)
    used = [each["input_tokens"] + each["output_tokens"] for each in step["attempts"]]
    assert used[0] == 0 < used[1]
    assert [step["attempts"][1]["is_estimated"], step["is_estimated"], run["is_estimated"]] == [True, True, True]
    assert run["total_tokens"] == used[1] + sum(t["input_tokens"] + t["output_tokens"] for t in step["turns"])


@pytest.mark.capability("S141")
@pytest.mark.parametrize("retries", [0, 1, 3])
@pytest.mark.parametrize("reply", [
    Reply(status=500, headers={"Retry-After": "0"}), Reply(text="word " * 80, chunks=8, truncate=True),
    Reply(text="half", finish_reason="error"),
], ids=["server error", "cut", "broken off"])
async def test_a_failing_step_makes_one_request_and_its_retries_and_no_more(
    client: Client, make: Make, model_server: ModelServer, retries: int, reply: Reply
) -> None:
    agent = await make.agent(configuration={"retry_attempts": retries})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Say hello"},
                               execution_config={"retry_delay_ms": 1})
    model_server.script(reply, repeat=True)

    run, events = await cooked(client, recipe["template_id"])

    assert run["status"] == "failed"
    assert [call.last_user_text for call in model_server.calls] == ["Say hello"] * (retries + 1)
    attempts = run["steps"][0]["attempts"]
    assert [each["then"] for each in attempts] == ["again"] * retries + ["nothing"]
    assert [each["of"] for each in attempts] == [retries + 1] * (retries + 1)
    assert types_of(events).count("model.retrying") == retries
    assert types_of(events).count("model.failed") == 1
    assert not [event for event in events if event["type"] == "step.retrying"]


async def test_failures_in_different_turns_and_of_the_step_share_the_budget(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add", "timeout_s": 1},
                               execution_config={"max_retries": 2, "retry_delay_ms": 1})
    down = Reply(status=500, headers={"Retry-After": "0"})
    model_server.script(down, Reply(tool_calls=[("calculator", {"expression": "1+1"})]), Reply(hang=True), down)

    run, _ = await cooked(client, recipe["template_id"])

    assert run["status"] == "failed"
    assert run["steps"][0]["attempt"] == 3
    assert len(model_server.calls) == 4
    assert [each["code"] for each in run["steps"][0]["attempts"]][-1] == "model_unavailable"


@pytest.mark.capability("S141")
async def test_a_failing_step_ends_the_run_with_what_happened_and_what_to_do_and_later_steps_do_not_run(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("First", "Second", "Third", execution_config=ONCE)
    model_server.script(Reply(text="one"), match="First")
    refusal(model_server)

    run, events = await cooked(client, recipe["template_id"])

    assert run["status"] == "failed"
    assert set(run["error"]) == {"code", "message", "next_step"}
    assert run["error"]["code"] == "model_refused"
    assert "no such parameter" in run["error"]["message"]
    assert run["error"]["next_step"]
    assert [step["status"] for step in run["steps"]] == ["completed", "failed"]
    assert run["steps"][1]["error"] == run["error"]
    assert types_of(events)[-2:] == ["step.failed", "execution.failed"]
    assert events[-1]["data"]["error"] == run["error"]
    assert not [call for call in model_server.calls if "Third" in call.last_user_text]


@pytest.mark.capability("S141")
async def test_a_step_that_may_be_skipped_is_skipped_and_the_run_goes_on_without_it(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"prompt_template": "Gather", "output_key": "facts", "error_handling": "skip"},
        {"prompt_template": "Write about {facts}"}, execution_config=ONCE)
    model_server.script(Reply(text="done"), match="Write about")
    refusal(model_server)

    run, events = await cooked(client, recipe["template_id"])

    assert run["status"] == "completed_with_skips"
    assert [step["status"] for step in run["steps"]] == ["skipped", "completed"]
    assert run["steps"][0]["error"]["code"] == "model_refused"
    assert "was skipped" in model_server.calls[-1].last_user_text
    assert run["output_data"]["final_output"] == "done"
    assert "step.skipped" in types_of(events)


async def test_a_refusal_is_not_asked_again(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Say hello", execution_config=QUICK)
    refusal(model_server)

    run, _ = await cooked(client, recipe["template_id"])

    assert run["status"] == "failed"
    assert len(model_server.calls) == 1


FAULTS: dict[str, tuple[Reply, set[str]]] = {
    "rate limited": (Reply(status=429, headers={"Retry-After": "0"}), {"model_rate_limited"}),
    "server error": (Reply(status=503, headers={"Retry-After": "0"}), {"model_unavailable"}),
    "truncated stream": (Reply(text="half of a long answer", truncate=True), {"model_answer_invalid"}),
    "web page": (Reply(html=True), {"model_answer_invalid"}),
    "no choices": (Reply(empty_choices=True), {"model_answer_invalid"}),
    "wrong key": (Reply(status=401), {"credential_refused"}),
    "no such model": (Reply(status=404, message="The model does not exist"), {"model_not_found"}),
    "hang": (Reply(hang=True), {"model_timeout", "step_timeout"}),
    "too long": (Reply(text="x" * 10_000_000, chunks=100), {"model_answer_too_long"}),
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_whatever_the_model_does_the_run_ends_with_a_reason_and_is_never_taken_for_complete(
    client: Client, make: Make, model_server: ModelServer, fault: str
) -> None:
    reply, codes = FAULTS[fault]
    recipe = await make.recipe({"prompt_template": "Say hello", "timeout_s": 2}, execution_config=ONCE)
    model_server.script(reply, repeat=True)

    run, events = await cooked(client, recipe["template_id"])

    assert run["status"] == "failed"
    assert run["error"]["code"] in codes
    assert run["error"]["next_step"]
    assert run["error"]["next_step"] not in run["error"]["message"]
    assert run["steps"][0]["output"] is None
    assert run["output_data"] is None
    assert types_of(events)[-1] == "execution.failed"


async def test_a_provider_that_asks_to_wait_is_waited_for(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello", execution_config=QUICK)
    model_server.script(Reply(status=429, headers={"Retry-After": "1"}), Reply(text="now"))

    run, _ = await cooked(client, recipe["template_id"])

    assert run["status"] == "completed"
    assert model_server.calls[1].arrived_at - model_server.calls[0].arrived_at >= 0.99


async def test_a_nul_in_an_answer_is_taken_out_before_it_is_stored(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello")
    model_server.script(Reply(text="before\x00after"))

    run, _ = await cooked(client, recipe["template_id"])

    assert run["status"] == "completed"
    assert run["output_data"]["final_output"] == "beforeafter"


async def test_a_lone_surrogate_in_an_answer_does_not_stop_the_run(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello", execution_config=ONCE)
    chunk = (b'data: {"id":"x","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"a\\ud800b"},'
             b'"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n')
    model_server.script(Reply(body=chunk, content_type="text/event-stream"), repeat=True)

    run, _ = await cooked(client, recipe["template_id"])

    assert run["status"] in {"completed", "failed"}
    assert run["error"] is None or run["error"]["code"] == "model_answer_invalid"


async def test_nuls_in_the_names_and_arguments_of_tool_calls_do_not_stop_the_run(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Add"})
    model_server.script(
        Reply(tool_calls=[("calcu\x00lator", "{\"expression\": \"1\x00+1\"}")]), Reply(text="two"))

    run, _ = await cooked(client, recipe["template_id"])

    assert run["status"] == "completed"
    assert run["output_data"]["final_output"] == "two"


@pytest.mark.capability("S151")
async def test_the_ledger_has_a_row_for_each_call_and_adds_up_to_the_run(
    client: Client, make: Make, model_server: ModelServer, database: Any
) -> None:
    recipe = await make.recipe("First", "Second", execution_config=QUICK)
    model_server.script(Reply(status=500, headers={"Retry-After": "0"}), Reply(text="a", usage=(100, 20)),
                        Reply(text="b", usage=(30, 4)))

    run, _ = await cooked(client, recipe["template_id"])
    rows = await ledger(database, client, run["id"], count=3)

    assert [row["status"] for row in rows] == ["error", "success", "success"]
    assert sum(row["input_tokens"] + row["output_tokens"] for row in rows) == run["total_tokens"] == 154
    assert all(row["agent_id"] == recipe["steps"][0]["agent_id"] for row in rows)


async def test_the_cost_of_a_priced_model_is_summed_and_of_an_unknown_one_is_unknown(
    client: Client, make: Make, model_server: ModelServer, database: Any
) -> None:
    priced = await make.agent(model_config={"provider": "openai", "model_id": "gpt-4o"})
    unpriced = await make.agent(model_config={"provider": "openai", "model_id": "fake-model"})
    one = await make.recipe({"agent_id": priced["id"], "prompt_template": "A"},
                            {"agent_id": priced["id"], "prompt_template": "B"})
    other = await make.recipe({"agent_id": priced["id"], "prompt_template": "A"},
                              {"agent_id": unpriced["id"], "prompt_template": "B"})
    model_server.script(Reply(text="ok", usage=(1000, 1000)), repeat=True)

    known, _ = await cooked(client, one["template_id"])
    unknown, _ = await cooked(client, other["template_id"])
    rows = await ledger(database, client, known["id"], count=2)

    spent = sum(row["cost_micro_usd"] for row in rows)
    assert spent > 0
    assert known["cost_usd"] == f"{spent / 1_000_000:.6f}"
    assert unknown["cost_usd"] is None
    assert [step["cost_usd"] is None for step in unknown["steps"]] == [False, True]


async def test_an_execution_goes_on_with_the_agents_it_began_with(
    client: Client, make: Make, model_server: ModelServer, database: Any
) -> None:
    leaving = await make.agent("Leaver")
    recipe = await make.recipe("First", {"agent_id": leaving["id"], "prompt_template": "Second"}, execution_config=ONCE)
    gate = asyncio.Event()
    model_server.script(Reply(text="one", gate=gate))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await forget_agent(database, client, leaving["id"])
    gate.set()
    await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert run["status"] == "completed"
    assert run["steps"][1]["agent_name"] == "Leaver"


async def test_a_recipe_whose_agent_is_gone_does_not_start(client: Client, make: Make, database: Any) -> None:
    leaving = await make.agent("Leaver")
    recipe = await make.recipe({"agent_id": leaving["id"], "prompt_template": "Say hello"})
    await forget_agent(database, client, leaving["id"])

    refused = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})

    assert (refused.status, refused.code) == (409, "recipe_not_ready")
    assert f"agent {leaving['id']} (deleted)" in refused.json()["detail"]


async def forget_agent(database: Any, client: Client, agent_id: int) -> None:
    """Delete an agent as nobody can through the API: while a recipe uses it."""
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("DELETE FROM agents WHERE id = $1", agent_id)


async def test_an_agent_of_a_running_execution_cannot_be_deleted_even_after_the_recipe_is_gone(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Hold"})
    gate = asyncio.Event()
    model_server.script(Reply(text="one", gate=gate))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    assert (await client.delete(f"/api/workflow-recipes/{recipe['template_id']}")).status == 204

    refused = await client.delete(f"/api/agents/{agent['id']}")
    gate.set()
    await client.follow(run_id)

    assert (refused.status, refused.code) == (409, "agent_in_use")
    assert (await client.get(f"/api/runs/{run_id}")).json()["status"] == "completed"
    assert (await client.delete(f"/api/agents/{agent['id']}")).status == 204


async def ledger(database: Any, client: Client, run_id: str, *, count: int) -> list[Any]:
    """Return a run's rows of the usage ledger, once they are all written."""
    async with asyncio.timeout(60):
        while True:
            async with database.recording(client.workspace_id) as connection:
                rows = await connection.fetch(
                    "SELECT * FROM llm_usage WHERE execution_id = $1 ORDER BY created_at, attempt", run_id)
            if len(rows) >= count:
                return list(rows)
            await asyncio.sleep(0.02)


async def test_a_prompt_that_outputs_and_inputs_make_endless_ends_the_run_and_nothing_is_sent(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="x" * 50_000))
    recipe = await make.recipe("Say hello", "{previous_output}" * 100, execution_config=ONCE)

    run, _ = await cooked(client, recipe["template_id"])

    assert (run["status"], run["steps"][1]["status"], run["error"]["code"]) == ("failed", "failed", "prompt_too_long")
    assert run["steps"][1]["step_id"] in run["error"]["message"]
    assert len(model_server.calls) == 1
