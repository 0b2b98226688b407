"""A line of steps stays in its process: a step's end and the next one's beginning are one record."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from automatos.durable.types import Interruption
from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.kernel.recording import RecordingConnection
from automatos.recipes.journal import StepJournal
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counter[str]]:
    """How often each statement about runs was sent by the engine's connections, by what it begins."""
    counted: Counter[str] = Counter()
    real = RecordingConnection._do_execute

    async def count(connection: RecordingConnection, query: str, *more: Any, **named: Any) -> Any:
        for name, part in (("record", "record_step_v2("), ("take", "RETURNING s.*"), ("lock", "FOR UPDATE"),
                           ("accept", "accept_run("), ("enqueue", "unnest($3::text[], $4::int[])"),
                           ("grant", "durable.changes_granted"), ("agents", "agents_for_run")):
            if part in query:
                counted[name] += 1
                break
        return await real(connection, query, *more, **named)

    monkeypatch.setattr(RecordingConnection, "_do_execute", count)
    return counted


async def line(make: Make, *prompts: str, **more: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A recipe whose steps are done by an agent each."""
    agents = [await make.agent(f"Agent {number}") for number, _ in enumerate(prompts)]
    recipe = await make.recipe(*({"agent_id": agent["id"], "prompt_template": prompt}
                                 for agent, prompt in zip(agents, prompts, strict=True)), **more)
    return recipe, agents


async def types_of(client: Client, run_id: str) -> list[str]:
    return [event["type"] for event in await client.follow(run_id)]


async def test_a_line_of_three_steps_is_recorded_three_times_once_it_is_accepted_and_goes_through_no_queue(
    client: Client, make: Make, model_server: ModelServer, sent: Counter[str]
) -> None:
    recipe, _ = await line(make, "one", "two: {previous_output}", "three: {previous_output}")
    await client.follow(await client.cook(recipe["template_id"]))  # idle agents are active from now on
    sent.clear()

    events = await client.follow(await client.cook(recipe["template_id"]))

    assert events[-1]["type"] == "execution.completed"
    assert {name: sent[name] for name in ("accept", "take", "record", "lock", "enqueue")} == {
        "accept": 1, "take": 0, "record": 3, "lock": 0, "enqueue": 0}
    assert sent["grant"] <= 1  # its look at the clock


async def test_the_end_of_a_step_and_the_beginning_of_the_next_are_told_together_in_order(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe, agents = await line(make, "one", "two")

    events = await client.follow(await client.cook(recipe["template_id"]))

    assert [(event["type"], event["data"].get("order")) for event in events] == [
        ("execution.queued", None), ("execution.started", None), ("step.started", 1), ("model.answered", 1),
        ("step.completed", 1), ("step.started", 2), ("model.answered", 2), ("step.completed", 2),
        ("execution.completed", None)]
    assert [event["seq"] for event in events] == list(range(1, 10))
    assert events[5]["data"]["agent_name"] == agents[1]["name"]


async def test_a_step_that_cannot_begin_ends_in_its_own_words_after_the_one_before(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    pattern = {"name": "Relay race", "pattern_type": "coordination", "description": "Pass it on.", "pattern_data": {}}
    assert (await client.post("/api/patterns", json=pattern)).status == 201
    recipe = await make.recipe(
        {"agent_id": agent["id"], "prompt_template": "one"},
        {"agent_id": agent["id"], "prompt_template": "two", "pattern_slug": "relay-race"})
    await client.post(f"/api/agents/{agent['id']}/pause")
    run_id = await client.cook(recipe["template_id"])
    assert (await client.delete("/api/patterns/relay-race")).status == 204
    await client.post(f"/api/agents/{agent['id']}/resume")

    types = await types_of(client, run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert types[4:] == ["step.completed", "step.failed", "execution.failed"]
    assert (run["error"]["code"], [step["status"] for step in run["steps"]]) == (
        "pattern_gone", ["completed", "failed"])


async def test_what_happens_to_the_run_meanwhile_is_not_passed_over(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    """Somebody asks to cancel without a word to the worker, as from a process that dies then."""
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="one")
    recipe, _ = await line(make, "one", "two")
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE recipe_executions SET cancel_requested_by = 'somebody' WHERE id = $1",
                                 UUID(run_id))
    gate.set()

    types = await types_of(client, run_id)

    assert types[-1] == "execution.cancelled"
    assert types.count("step.started") == len(model_server.calls) == 1


async def test_the_next_step_waits_for_its_paused_agent_without_a_process(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="one")
    recipe, agents = await line(make, "one", "two")
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await client.post(f"/api/agents/{agents[1]['id']}/pause")
    gate.set()
    async with asyncio.timeout(60):
        while (run := (await client.get(f"/api/runs/{run_id}")).json())["status"] != "paused":
            await asyncio.sleep(0.02)
    async with database.recording(None) as connection:
        held = await connection.fetchval(
            "SELECT executor_id FROM durable.jobs WHERE key LIKE $1", f"{run_id}/%")
    await client.post(f"/api/agents/{agents[1]['id']}/resume")
    events = await client.follow(run_id)

    assert held is None
    assert [step["status"] for step in run["steps"]] == ["completed", "pending"]
    told = [(event["type"], event["data"].get("order")) for event in events]
    assert told[4:8] == [("step.completed", 1), ("execution.paused", 2), ("execution.resumed", None),
                         ("step.started", 2)]


async def test_the_next_step_of_an_agent_that_is_being_stopped_ends_as_its_recipe_says(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="one")
    first, second = await make.agent(), await make.agent()
    recipe = await make.recipe(
        {"agent_id": first["id"], "prompt_template": "one"},
        {"agent_id": second["id"], "prompt_template": "two", "error_handling": "skip"},
        {"agent_id": first["id"], "prompt_template": "three"})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    async with database.recording(None) as connection:
        await connection.execute("UPDATE durable.lanes SET mode = 'closed' WHERE name = $1", f"agent:{second['id']}")
    gate.set()

    types = await types_of(client, run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert [(step["status"], (step["error"] or {}).get("code")) for step in run["steps"]] == [
        ("completed", None), ("skipped", "agent_stopped"), ("completed", None)]
    assert types[-1] == "execution.completed_with_skips"
    assert len(model_server.calls) == 2


async def test_cancelling_a_run_whose_agent_is_paused_ends_it_at_once(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, gate = await make.agent(tools=["calculator"]), asyncio.Event()
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "1+1"})], gate=gate))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "one"})
    working = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await client.post(f"/api/agents/{agent['id']}/pause")
    gate.set()
    async with asyncio.timeout(60):
        while (await client.get(f"/api/runs/{working}")).json()["status"] != "paused":
            await asyncio.sleep(0.02)

    answer = await client.post(f"/api/runs/{working}/cancel")
    run = (await client.get(f"/api/runs/{working}")).json()

    assert answer.status == 202
    assert (run["status"], [step["status"] for step in run["steps"]]) == ("cancelled", ["cancelled"])
    assert (await types_of(client, working))[-3:] == ["execution.paused", "step.cancelled", "execution.cancelled"]
    async with database.recording(None) as connection:
        assert await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE key LIKE $1", f"{working}%") == 0


async def test_nobody_is_told_of_the_end_of_a_step_that_never_began(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent, gate = await make.agent(configuration={"max_concurrent_tasks": 1}), asyncio.Event()
    model_server.script(Reply(gate=gate), match="occupy")
    await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "occupy"})
    await model_server.wait_for_calls(1)
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "one"})
    run_id = await client.cook(recipe["template_id"])

    await client.post(f"/api/runs/{run_id}/cancel")

    assert await types_of(client, run_id) == ["execution.queued", "execution.cancelled"]
    gate.set()


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("why", [Interruption.STOP, Interruption.CANCEL])
async def test_a_record_that_is_cut_off_between_two_steps_is_found_out_and_nothing_is_done_twice(
    client: Client, make: Make, model_server: ModelServer, services: Services, database: Database,
    monkeypatch: pytest.MonkeyPatch, is_written: bool, why: Interruption
) -> None:
    """A stop of the agent, too late for its step, or a cancellation comes while the end is being written."""
    real, cut_off = StepJournal._put, asyncio.Event()
    assert services.worker
    worker = services.worker

    async def put(journal: StepJournal, connection: Any, values: Any, pending: Any) -> None:
        if journal._onward is None or cut_off.is_set():
            await real(journal, connection, values, pending)
            return
        if is_written:
            await real(journal, connection, values, pending)
        cut_off.set()
        if why is Interruption.CANCEL:
            async with database.recording(client.workspace_id) as other:
                await other.execute("UPDATE recipe_executions SET cancel_requested_by = 'Ada' WHERE id = $1",
                                    journal.state.id)
        next(job for (_, key), job in worker._held.items() if key.startswith(str(journal.state.id))).interrupt(why)
        await asyncio.Event().wait()

    monkeypatch.setattr(StepJournal, "_put", put)
    recipe, _ = await line(make, "one", "two")
    run_id = await client.cook(recipe["template_id"])

    types = await types_of(client, run_id)

    assert cut_off.is_set()
    asked = [call.last_user_text for call in model_server.calls]
    if why is Interruption.STOP:
        assert types[4:] == ["step.completed", "step.started", "model.answered", "step.completed",
                             "execution.completed"]
        assert asked == ["one", "two"]
    else:
        assert types[4:] == ["step.completed", *(["step.started", "step.cancelled"] if is_written else []),
                             "execution.cancelled"]
        assert asked == ["one"]
    async with database.recording(None) as connection:
        assert await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE key LIKE $1", f"{run_id}%") == 0
