"""Tasks for one agent: accepted or refused with a reason, streamed, limited, frozen and resumed at a turn."""

import asyncio
from typing import Any

import pytest

from automatos.entrypoints.services import Services
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def give(client: Client, agent: dict[str, Any], prompt: str = "Say hello", **more: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": prompt, **more})
    assert answer.status == 202, answer.body
    return answer.json()


async def run_of(client: Client, task: dict[str, Any]) -> dict[str, Any]:
    return (await client.get(f"/api/runs/{task['execution_id']}")).json()


async def until_run(client: Client, task: dict[str, Any], status: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (run := await run_of(client, task))["status"] != status:
            await asyncio.sleep(0.02)
    return run


async def told_to_pause(services: Services, task: dict[str, Any]) -> None:
    """Wait until the worker of a task knows that it is to pause: that reaches it a moment after the answer."""
    assert services.worker
    async with asyncio.timeout(60):
        while not any(job.wants_pause for job in services.worker._held.values()
                      if job.key.startswith(task["execution_id"])):
            await asyncio.sleep(0.02)


@pytest.mark.capability("S019", "S094")
@pytest.mark.capability("S114", partly="Connected apps do not exist yet.")
async def test_a_task_is_accepted_at_once_and_streams_to_its_end(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Greeter", tools=["calculator"])
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "6*7"})]), Reply(text="It is 42."))

    task = await give(client, agent, "Reckon 6*7", input_data={"unit": "apples"})
    events = await client.follow(task["execution_id"])
    run = await run_of(client, task)

    assert (task["status"], task["agent_id"], task["agent_name"]) == ("queued", agent["id"], "Greeter")
    assert task["events_url"] == f"/api/runs/{task['execution_id']}/events"
    assert [event["type"] for event in events if event["type"] != "step.delta"] == [
        "execution.queued", "execution.started", "step.started", "model.answered", "tool.finished", "model.answered",
        "step.completed", "execution.completed"]
    assert (run["kind"], run["agent_id"], run["recipe_id"], run["recipe_name"]) == (
        "task", agent["id"], None, "Greeter")
    assert (run["status"], run["output_data"]["final_output"]) == ("completed", "It is 42.")
    assert len(model_server.calls) == 2
    (tool,) = model_server.calls[0].body["tools"]
    assert (tool["type"], tool["function"]["name"]) == ("function", "calculator")
    assert tool["function"]["parameters"]["properties"]["expression"]["type"] == "string"
    asked = model_server.calls[0].last_user_text
    assert asked.startswith("Reckon 6*7")
    assert "<data>" in asked
    assert "apples" in asked


async def test_a_task_is_nobodys_template(client: Client, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent()
    task = await give(client, agent, "Keep {input.data} and {previous_output} as they are", input_data={"a": "{b}"})
    await client.follow(task["execution_id"])
    assert model_server.calls[0].last_user_text.startswith("Keep {input.data} and {previous_output} as they are")


@pytest.mark.capability("S019", "S094", "S097")
@pytest.mark.parametrize("status", ["inactive", "maintenance", "training"])
async def test_an_agent_that_takes_no_work_refuses_a_task_and_says_why(
    client: Client, make: Make, model_server: ModelServer, status: str
) -> None:
    agent = await make.agent("Sleeper", active=False)
    if status != "inactive":
        changed = await client.put(f"/api/agents/{agent['id']}/status", json={"status": status})
        assert changed.status == 200, changed.body

    answer = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "Wake up"})

    assert (answer.status, answer.code) == (400, "agent_not_eligible")
    assert status in answer.json()["detail"]
    assert (await client.get("/api/runs")).json()["total"] == 0
    assert model_server.calls == []


@pytest.mark.capability("S021")
async def test_a_foreign_agent_is_as_absent_as_one_that_never_was(
    client: Client, stranger: Client, make: Make
) -> None:
    agent = await make.agent()
    for agent_id in (agent["id"], 2**31 - 2):
        answer = await stranger.post(f"/api/agents/{agent_id}/execute", json={"prompt": "Mine"})
        runs = await stranger.get(f"/api/agents/{agent_id}/runs")
        assert (answer.status, answer.code) == (404, "agent_not_found")
        assert (runs.status, runs.code) == (404, "agent_not_found")


async def test_one_key_starts_one_task(client: Client, make: Make) -> None:
    agent = await make.agent()
    path, key = f"/api/agents/{agent['id']}/execute", {"Idempotency-Key": "once"}

    first, again = [await client.post(path, json={"prompt": "Do it"}, headers=key) for _ in range(2)]
    other = await client.post(path, json={"prompt": "Do something else"}, headers=key)

    assert first.json()["execution_id"] == again.json()["execution_id"]
    assert (other.status, other.code) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("body", [
    {"prompt": ""}, {"prompt": 7}, {"prompt": None}, [], "Work",
    {"prompt": "x", "priority": "urgent"}, {"prompt": "x", "max_iterations": 0},
    {"prompt": "x", "timeout_s": 0}, {"prompt": "x", "tools": ["shell\x00"]}, {"prompt": "x\x00"},
    {"prompt": "x" * 100_001},
])
async def test_what_is_no_task_is_refused_and_leaves_nothing(client: Client, make: Make, body: dict[str, Any]) -> None:
    agent = await make.agent()
    answer = await client.post(f"/api/agents/{agent['id']}/execute", json=body)
    assert answer.status == 422
    assert (await client.get("/api/runs")).json()["total"] == 0


@pytest.mark.capability("S019")
@pytest.mark.parametrize(("body", "said", "given"), [
    ({"prompt": "Count", "unit": "apples", "depth": 2}, "Count", ["apples", '"depth": 2']),
    ({"task": "Count pears", "unit": "kg"}, "Count pears", ['"unit": "kg"']),
    ({"message": "Count figs", "input_data": {"basket": "north"}}, "Count figs", ["north"]),
    ({"region": "EU"}, "Do what you are described for.", ['"region": "EU"']),
    ({}, "Do what you are described for.", []),
    (None, "Do what you are described for.", []),
])
async def test_the_documented_free_form_body_starts_a_task(
    client: Client, make: Make, model_server: ModelServer, body: dict[str, Any] | None, said: str, given: list[str]
) -> None:
    agent = await make.agent()
    answer = await client.post(f"/api/agents/{agent['id']}/execute", json=body)
    assert answer.status == 202, answer.body
    await client.follow(answer.json()["execution_id"])
    asked = model_server.calls[0].last_user_text
    assert asked.startswith(said)
    assert all(piece in asked for piece in given)
    assert ("<data>" in asked) == bool(given)


@pytest.mark.capability("S096")
async def test_a_paused_agent_takes_work_in_and_begins_it_when_it_is_resumed(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    await client.post(f"/api/agents/{agent['id']}/pause")

    task = await give(client, agent)
    await asyncio.sleep(0.3)
    waiting = await run_of(client, task)
    await client.post(f"/api/agents/{agent['id']}/resume")
    await client.follow(task["execution_id"])

    assert task["waits_for"] == "resume"
    assert (waiting["status"], len(model_server.calls)) == ("queued", 1)
    assert (await run_of(client, task))["status"] == "completed"


@pytest.mark.capability("S096")
async def test_pausing_freezes_a_run_between_two_turns_and_resuming_goes_on_without_asking_again(
    client: Client, make: Make, model_server: ModelServer, services: Services
) -> None:
    agent, gate = await make.agent(tools=["calculator"]), asyncio.Event()
    model_server.script(
        Reply(tool_calls=[("calculator", {"expression": "1+1"})], gate=gate), Reply(text="Two."))
    task = await give(client, agent)
    await model_server.wait_for_calls(1)

    changed = await client.get(f"/api/agents/{agent['id']}/status")
    assert changed.json()["workload"]["running"] == 1
    preview = (await client.post(f"/api/agents/{agent['id']}/status/preview", json={"status": "paused"})).json()
    paused = await client.put(f"/api/agents/{agent['id']}/status", json={
        "status": "paused", "impact_token": preview["impact_token"],
        "confirmations": [one["id"] for one in preview["required_confirmations"]]})
    await told_to_pause(services, task)
    gate.set()
    frozen = await until_run(client, task, "paused")
    await asyncio.sleep(0.2)
    calls_while_paused = len(model_server.calls)
    await client.post(f"/api/agents/{agent['id']}/resume")
    events = [event["type"] for event in await client.follow(task["execution_id"])]

    assert paused.status == 200, paused.body
    assert (calls_while_paused, len(model_server.calls)) == (1, 2)
    assert [turn["kind"] for turn in frozen["steps"][0]["turns"]] == ["model"]
    assert "execution.recovered" not in events
    assert events.index("execution.paused") < events.index("execution.resumed") < events.index("execution.completed")
    assert (await run_of(client, task))["output_data"]["final_output"] == "Two."


@pytest.mark.capability("S024")
async def test_a_step_waits_for_a_slot_of_its_agent_and_says_so(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    first, busy = await make.agent(), await make.agent(configuration={"max_concurrent_tasks": 1})
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="occupy")
    recipe = await make.recipe({"agent_id": first["id"], "prompt_template": "begin"},
                               {"agent_id": busy["id"], "prompt_template": "go on"})
    occupying = await give(client, busy, "occupy")
    await model_server.wait_for_calls(1)

    run_id = await client.cook(recipe["template_id"])
    waiting = await until_run(client, {"execution_id": run_id}, "waiting")
    gate.set()
    events = await client.follow(run_id)

    told = next(event for event in events if event["type"] == "execution.waiting")
    assert told["data"] == {"order": 2, "agent_id": busy["id"], "agent_name": busy["name"], "reason": "slot"}
    assert waiting["steps"][0]["status"] == "completed"
    assert [call.last_user_text for call in model_server.calls].count("begin") == 1
    assert events[-1]["type"] == "execution.completed"
    assert (await run_of(client, occupying))["status"] == "completed"


async def test_the_time_a_recipe_may_take_does_not_run_out_while_it_waits(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    first, busy = await make.agent(), await make.agent(configuration={"max_concurrent_tasks": 1})
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="occupy")
    recipe = await make.recipe(
        {"agent_id": first["id"], "prompt_template": "begin"}, {"agent_id": busy["id"], "prompt_template": "go on"},
        execution_config={"total_timeout_s": 2})
    await give(client, busy, "occupy")
    await model_server.wait_for_calls(1)

    run_id = await client.cook(recipe["template_id"])
    await until_run(client, {"execution_id": run_id}, "waiting")
    await asyncio.sleep(2.2)
    gate.set()
    events = await client.follow(run_id)

    assert events[-1]["type"] == "execution.completed"


async def test_a_run_that_waits_for_a_slot_can_be_cancelled(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent, gate = await make.agent(configuration={"max_concurrent_tasks": 1}), asyncio.Event()
    model_server.script(Reply(gate=gate))
    await give(client, agent, "first")
    await model_server.wait_for_calls(1)
    second = await give(client, agent, "second")

    cancelled = await client.post(f"/api/runs/{second['execution_id']}/cancel")
    run = await run_of(client, second)
    gate.set()

    assert (cancelled.status, run["status"]) == (202, "cancelled")
    assert len(model_server.calls) == 1


@pytest.mark.capability("S026", "S027")
async def test_retries_and_time_limit_of_the_agent_hold_for_its_tasks(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    steady = await make.agent(configuration={"retry_attempts": 0})
    model_server.script(Reply(hang=True), repeat=True)

    task = await give(client, steady, "hang", timeout_s=1)
    await client.follow(task["execution_id"])
    run = await run_of(client, task)

    assert run["status"] == "failed"
    assert run["error"]["code"] in {"step_timeout", "model_timeout"}
    assert run["steps"][0]["attempt"] == 1


async def test_what_an_agent_worked_on_is_listed_from_recipes_and_tasks(client: Client, make: Make) -> None:
    agent, other = await make.agent("Both"), await make.agent("Other")
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "one"},
                               {"agent_id": other["id"], "prompt_template": "two"}, name="Pair")
    await client.cooked(recipe["template_id"])
    task = await give(client, agent, "three")
    await client.follow(task["execution_id"])

    page = (await client.get(f"/api/agents/{agent['id']}/runs")).json()
    failed = (await client.get(f"/api/agents/{agent['id']}/runs", params={"status": "failed"})).json()
    tasks = (await client.get("/api/runs", params={"kind": "task", "agent_id": agent["id"]})).json()

    assert [(item["kind"], item["recipe_name"], item["status"]) for item in page["items"]] == [
        ("task", "Both", "completed"), ("recipe", "Pair", "completed")]
    assert page["items"][0]["duration_ms"] >= 0
    assert (page["total"], failed["total"], tasks["total"]) == (2, 0, 1)
