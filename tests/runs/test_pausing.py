"""A person pauses a run: what is at work is finished, nothing begins, and it goes on where it stood."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.kernel.db import Database
from automatos.recipes import steps as recipe_steps
from automatos.runs import queries
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def order(client: Client, run_id: str, verb: str) -> None:
    answer = await client.post(f"/api/runs/{run_id}/{verb}")
    assert answer.status == 202, answer.body


async def until(client: Client, run_id: str, status: str) -> dict[str, Any]:
    """Wait until a run has a status, and return it."""
    async with asyncio.timeout(60):
        while (run := (await client.get(f"/api/runs/{run_id}")).json())["status"] != status:
            await asyncio.sleep(0.02)
    return run


async def types_of(client: Client, run_id: str) -> list[str]:
    return [event["type"] for event in (await client.get(f"/api/runs/{run_id}/events.json")).json()["items"]]


async def jobs(database: Database, run_id: str) -> int:
    async with database.recording(None) as connection:
        return await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE starts_with(key, $1)", run_id)


def prompts(model_server: ModelServer) -> list[str]:
    return [call.last_user_text.split()[0] for call in model_server.calls]


async def test_the_step_at_work_is_finished_and_the_next_one_begins_when_the_run_is_resumed(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="one")
    recipe = await make.recipe("one", "two", "three {step_1_output}")
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await order(client, run_id, "pause")
    await order(client, run_id, "pause")
    assert (await client.get(f"/api/runs/{run_id}")).json()["status"] == "running"
    gate.set()
    held = await until(client, run_id, "paused")

    assert [step["status"] for step in held["steps"]] == ["completed"]
    assert held["paused_by"]
    assert (await jobs(database, run_id), prompts(model_server)) == (0, ["one"])

    await order(client, run_id, "resume")
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert (run["status"], run["paused_by"]) == ("completed", None)
    assert prompts(model_server) == ["one", "two", "three"]
    types = [event["type"] for event in events]
    assert [each for each in types if each.startswith("execution.")] == [
        "execution.queued", "execution.started", "execution.pausing", "execution.held", "execution.resumed",
        "execution.completed"]
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_a_run_in_the_queue_waits_there_no_longer_and_begins_when_it_is_resumed(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent = await make.agent("Busy", configuration={"max_concurrent_tasks": 1})
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="first")
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "{input.word}"},
                               inputs={"word": {"type": "string"}})
    first = await client.cook(recipe["template_id"], word="first")
    await model_server.wait_for_calls(1)
    second = await client.cook(recipe["template_id"], word="second")

    await order(client, second, "pause")
    held = await until(client, second, "paused")
    gate.set()
    await client.follow(first)
    assert (held["started_at"], await jobs(database, second), prompts(model_server)) == (None, 0, ["first"])

    await order(client, second, "resume")
    events = await client.follow(second)

    assert [event["type"] for event in events][:6] == [
        "execution.queued", "execution.pausing", "execution.held", "execution.resumed", "execution.started",
        "step.started"]
    assert events[-1]["type"] == "execution.completed"


async def test_in_a_graph_nothing_begins_beside_what_is_finished(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="L", gate=gate), match="left")
    recipe = await make.recipe(
        {"step_id": "left", "agent_id": (await make.agent("L"))["id"], "prompt_template": "left"},
        {"step_id": "ok", "agent_id": None, "approval": {}, "prompt_template": "Go on?", "needs": []},
        {"step_id": "soon", "agent_id": None, "wait": {"seconds": 1}, "needs": []},
        {"step_id": "after", "prompt_template": "after", "needs": ["ok"]},
        {"step_id": "later", "prompt_template": "later", "needs": ["soon"]},
        {"step_id": "end", "prompt_template": "end", "needs": ["left", "after", "later"]})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await order(client, run_id, "pause")
    assert (await client.post(f"/api/runs/{run_id}/steps/2/approve", json={})).status == 200
    gate.set()
    async with asyncio.timeout(60):
        while (await types_of(client, run_id)).count("step.completed") < 3:
            await asyncio.sleep(0.02)
    held = await until(client, run_id, "paused")
    assert {step["step_id"]: step["status"] for step in held["steps"]} == dict.fromkeys(
        ("left", "ok", "soon"), "completed")
    assert prompts(model_server) == ["left"]

    await order(client, run_id, "resume")
    await client.follow(run_id)

    assert sorted(prompts(model_server)) == ["after", "end", "later", "left"]
    assert (await types_of(client, run_id)).count("execution.resumed") == 1


async def test_a_run_that_waits_for_a_person_only_is_paused_and_waits_again_when_resumed(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe({"step_id": "ok", "agent_id": None, "approval": {}, "prompt_template": "Go on?"},
                               {"step_id": "end", "prompt_template": "end"})
    run_id = await client.cook(recipe["template_id"])
    await until(client, run_id, "waiting")

    await order(client, run_id, "pause")
    await until(client, run_id, "paused")
    await order(client, run_id, "resume")
    await until(client, run_id, "waiting")
    await client.post(f"/api/runs/{run_id}/steps/1/approve", json={})

    assert (await client.follow(run_id))[-1]["type"] == "execution.completed"


async def test_a_paused_run_is_cancelled_at_once_and_one_that_has_nothing_left_to_do_ends(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="one", repeat=True)
    recipe, alone = await make.recipe("one", "two"), await make.recipe("one")
    first, last = await client.cook(recipe["template_id"]), await client.cook(alone["template_id"])
    await model_server.wait_for_calls(2)
    await order(client, first, "pause")
    await order(client, last, "pause")
    gate.set()
    await until(client, first, "paused")

    await order(client, first, "cancel")

    assert (await client.follow(first))[-1]["type"] == "execution.cancelled"
    assert (await client.follow(last))[-1]["type"] == "execution.completed"
    assert await jobs(database, first) == 0


async def test_a_pause_that_is_taken_back_before_the_step_is_over_holds_nothing_up(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="one")
    recipe = await make.recipe("one", "two")
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await order(client, run_id, "pause")
    await order(client, run_id, "resume")
    gate.set()
    events = await client.follow(run_id)

    assert events[-1]["type"] == "execution.completed"
    assert "execution.held" not in [event["type"] for event in events]
    assert prompts(model_server) == ["one", "two"]


async def test_the_time_in_which_a_run_is_paused_does_not_count(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="one")
    recipe = await make.recipe("one", "two", execution_config={"total_timeout_s": 30})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await order(client, run_id, "pause")
    gate.set()
    await until(client, run_id, "paused")
    async with database.recording(client.workspace_id) as connection:  # it was paused an hour ago, and for an hour
        await connection.execute(
            "UPDATE event_records SET events = (SELECT jsonb_agg(jsonb_set(e, '{1}', to_jsonb("
            "(e->>1)::timestamptz - interval '1 hour')) ORDER BY n) FROM jsonb_array_elements(events) WITH ORDINALITY "
            "AS x (e, n)) WHERE stream = $1", f"run:{run_id}")
        await connection.execute(
            "UPDATE recipe_executions SET deadline_at = deadline_at - interval '1 hour', "
            "started_at = started_at - interval '1 hour' WHERE id = $1::uuid", run_id)

    await order(client, run_id, "resume")

    assert (await client.follow(run_id))[-1]["type"] == "execution.completed"


async def test_what_cannot_be_paused_or_resumed_is_refused(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    run = await client.cooked((await make.recipe("one"))["template_id"])
    gate = asyncio.Event()
    model_server.script(Reply(text="1", gate=gate), match="wait")
    working = await client.cook((await make.recipe("wait"))["template_id"])
    nowhere = "0197b7a8-0000-7000-8000-000000000000"

    assert [(await client.post(f"/api/runs/{each}/{verb}")).code
            for verb in ("pause", "resume") for each in (run["id"], nowhere)] == ["run_over", "run_not_found"] * 2
    assert (await client.post(f"/api/runs/{working}/resume")).code == "run_not_paused"
    gate.set()
    await client.follow(working)


async def test_a_run_that_is_resumed_while_a_worker_gives_a_step_of_it_up_goes_on_with_that_step(
    client: Client, make: Make, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker found the run paused; by the time it looks again, it is not, and its job is the step's only one."""
    agent = await make.agent("Met")
    recipe = await make.recipe(*({"step_id": name, "agent_id": agent["id"], "prompt_template": f"{name}.", "needs": []}
                                 for name in ("left", "right")))
    take, met = queries.take_step, list[str]()

    async def take_while_paused(connection: Any, workspace_id: UUID, key: str) -> Any:
        if met:
            return await take(connection, workspace_id, key)
        met.append(key)
        run_id = key.partition("/")[0]
        assert (await client.post(f"/api/runs/{run_id}/pause")).status == 202
        found = await take(connection, workspace_id, key)
        assert (await client.post(f"/api/runs/{run_id}/resume")).status == 202
        return found

    monkeypatch.setattr(recipe_steps, "take_step", take_while_paused)
    events = await client.follow(await client.cook(recipe["template_id"]))

    assert events[-1]["type"] == "execution.completed"
    assert sorted(prompts(model_server)) == ["left.", "right."]


@pytest.mark.parametrize("again", [1, 3])
async def test_a_pause_that_meets_the_beginning_of_steps_loses_and_repeats_none(
    client: Client, make: Make, model_server: ModelServer, again: int
) -> None:
    agent = await make.agent("Wide", configuration={"max_concurrent_tasks": 10})
    steps = [{"step_id": f"s{number}", "agent_id": agent["id"], "prompt_template": f"s{number}.",
              "needs": [f"s{number - 3}"] if number > 2 else []} for number in range(12)]
    recipe = await make.recipe(*steps)
    run_id = await client.cook(recipe["template_id"])

    for _ in range(6 * again):
        paused = await client.post(f"/api/runs/{run_id}/pause")
        resumed = await client.post(f"/api/runs/{run_id}/resume")
        assert (paused.status, resumed.status) in {(202, 202), (409, 409), (202, 409)}
    events = await client.follow(run_id)

    assert events[-1]["type"] == "execution.completed"
    assert sorted(prompts(model_server)) == sorted(f"s{number}." for number in range(12))
