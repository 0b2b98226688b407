"""Stopping: at once, after what runs, or when nothing needs the agent any more; watched, called off, lost by nobody."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.lifecycle.lives import (
    audit,
    confirm,
    lane,
    preview,
    put_status,
    reaches,
    run_ends,
    run_of,
    status_of,
    until,
)
from tests.surface import Client, Make


async def at_work(
    client: Client, make: Make, model_server: ModelServer, *, queued: int = 0, **fields: Any
) -> tuple[dict[str, Any], str, list[str], asyncio.Event]:
    """An agent with one slot, in the middle of a model call, with more recipes behind it; the event lets calls end."""
    gate = asyncio.Event()
    model_server.script(Reply(text="Done.", gate=gate), repeat=True)
    agent = await make.agent(configuration={"max_concurrent_tasks": 1}, **fields)
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    running = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    waiting = [await client.cook(recipe["template_id"]) for _ in range(queued)]
    await until(lambda: status_of(client, agent["id"]),
                lambda found: found["workload"]["running"] == 1 and found["workload"]["queued"] == queued)
    return agent, running, waiting, gate


async def jobs(database: Database, agent_id: int) -> list[str]:
    """What the queue still has to do for an agent itself; it is there whatever becomes of this process."""
    async with database.recording(None) as connection:
        rows = await connection.fetch("SELECT name FROM durable.jobs WHERE key LIKE $1", f"{agent_id}:%")
    return [row["name"] for row in rows]


@pytest.mark.parametrize("shutdown_type", ["immediate", "graceful"])
async def test_a_stop_also_reaches_a_step_that_is_just_starting(
    client: Client, make: Make, model_server: ModelServer, database: Database, shutdown_type: str
) -> None:
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    await put_status(client, agent["id"], "paused")
    run = await client.cook(recipe["template_id"])

    async with database.recording(client.workspace_id) as connection, connection.transaction():
        await connection.execute("SELECT FROM recipe_executions WHERE id = $1 FOR UPDATE", UUID(run))
        await put_status(client, agent["id"], "active")
        await until(lambda: status_of(client, agent["id"]), lambda found: found["workload"]["running"] == 1)
        changed = await confirm(client, agent["id"], "inactive", shutdown_type=shutdown_type)
        await asyncio.sleep(1.4)  # the word is heard when it comes, and again by who looks for words

    assert (await run_ends(client, run))["status"] == ("failed" if shutdown_type == "immediate" else "completed")
    assert len(model_server.calls) == (0 if shutdown_type == "immediate" else 1)
    assert changed["shutdown"]["is_done"] == (shutdown_type == "immediate")
    await reaches(client, agent["id"], "inactive")


@pytest.mark.capability("S100")
async def test_an_immediate_stop_interrupts_what_runs_and_ends_what_waits(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, running, waiting, _ = await at_work(client, make, model_server, queued=2)
    seen = await preview(client, agent["id"], "inactive", shutdown_type="immediate")
    assert (seen["will_interrupt"], sorted(seen["will_cancel"]), seen["will_await"]) == ([running], sorted(waiting), [])

    changed = await confirm(client, agent["id"], "inactive", shutdown_type="immediate")

    assert changed["agent"]["status"] == "inactive"
    shutdown = changed["shutdown"]
    assert (shutdown["interrupted"], sorted(shutdown["cancelled"]), shutdown["awaiting"]) == (
        [running], sorted(waiting), [])
    assert shutdown["is_done"]
    assert shutdown["inactive_at"]
    await model_server.wait_for(lambda: model_server.calls[0].disconnected, 5)
    ends = [await run_ends(client, run) for run in (running, *waiting)]
    assert {run["status"] for run in ends} <= {"failed", "cancelled"}
    assert len(model_server.calls) == 1
    assert await lane(database, agent["id"]) == (1, "closed")


@pytest.mark.capability("S101")
async def test_a_graceful_stop_refuses_new_work_lets_what_runs_finish_and_is_the_default(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, running, waiting, gate = await at_work(client, make, model_server, queued=1)

    changed = await confirm(client, agent["id"], "inactive")

    shutdown = changed["shutdown"]
    assert shutdown["shutdown_type"] == "graceful"
    assert (shutdown["awaiting"], shutdown["cancelled"], shutdown["is_done"]) == ([running], waiting, False)
    assert changed["agent"]["status"] == "active"
    assert await jobs(database, agent["id"]) == ["agents.stop"]
    assert (await run_ends(client, waiting[0]))["status"] in {"failed", "cancelled"}
    stop = (await status_of(client, agent["id"]))["stopping"]
    assert (stop["target"], stop["awaiting_count"]) == ("inactive", 1)
    assert [work["id"] for work in stop["awaiting"]] == [running]
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "More"})
    refused = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})
    assert (refused.status, refused.code) == (409, "recipe_not_ready")
    assert "stopping" in refused.json()["detail"]
    assert (await run_of(client, running))["status"] == "running"

    gate.set()

    assert (await run_ends(client, running))["status"] == "completed"
    stopped = await reaches(client, agent["id"], "inactive")
    assert stopped["stopping"] is None
    assert await lane(database, agent["id"]) == (1, "closed")
    assert await jobs(database, agent["id"]) == []
    actions = [action for _, action, _ in await audit(database, client)]
    assert actions[-2:] == ["agent.stop_requested", "agent.status_changed"]


@pytest.mark.capability("S102")
async def test_a_scheduled_stop_waits_until_no_execution_needs_the_agent(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, running, waiting, gate = await at_work(client, make, model_server, queued=2)

    changed = await confirm(client, agent["id"], "inactive", shutdown_type="scheduled")

    assert sorted(changed["shutdown"]["awaiting"]) == sorted([running, *waiting])
    assert changed["shutdown"]["cancelled"] == changed["shutdown"]["interrupted"] == []
    assert await lane(database, agent["id"]) == (1, "open")
    gate.set()
    assert {(await run_ends(client, run))["status"] for run in (running, *waiting)} == {"completed"}
    await reaches(client, agent["id"], "inactive")


async def test_a_scheduled_stop_waits_for_steps_that_are_still_to_come(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    first, last, gate = await make.agent(), await make.agent(), asyncio.Event()
    recipe = await make.recipe({"agent_id": first["id"], "prompt_template": "First"},
                               {"agent_id": last["id"], "prompt_template": "Last"})
    model_server.script(Reply(text="Done.", gate=gate))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    changed = await confirm(client, last["id"], "inactive", shutdown_type="scheduled")
    report = await status_of(client, last["id"])

    assert changed["shutdown"]["awaiting"] == [run_id]
    assert [work["place"] for work in report["stopping"]["awaiting"]] == ["later"]
    gate.set()
    assert (await run_ends(client, run_id))["status"] == "completed"
    await reaches(client, last["id"], "inactive")


@pytest.mark.parametrize("shutdown_type", ["graceful", "scheduled"])
async def test_a_waiting_stop_can_be_called_off(
    client: Client, make: Make, model_server: ModelServer, database: Database, shutdown_type: str
) -> None:
    agent, running, _, gate = await at_work(client, make, model_server)
    await confirm(client, agent["id"], "inactive", shutdown_type=shutdown_type)

    called_off = await client.delete(f"/api/agents/{agent['id']}/status/shutdown")
    again = await client.delete(f"/api/agents/{agent['id']}/status/shutdown")

    assert (called_off.status, called_off.json()["stopping"]) == (200, None)
    assert (again.status, again.code) == (409, "agent_not_stopping")
    assert await lane(database, agent["id"]) == (1, "open")
    gate.set()
    assert (await run_ends(client, running))["status"] == "completed"
    await asyncio.sleep(1.5)  # longer than a look of the job that waited
    assert (await status_of(client, agent["id"]))["status"] == "active"


async def test_a_waiting_stop_can_be_hurried_and_asked_for_twice(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent, running, _, _ = await at_work(client, make, model_server)
    await confirm(client, agent["id"], "inactive")

    twice = await put_status(client, agent["id"], "inactive")
    paused = await put_status(client, agent["id"], "paused")
    hurried = await confirm(client, agent["id"], "inactive", shutdown_type="immediate")

    assert (twice.status, twice.json()["shutdown"]["awaiting"]) == (200, [running])
    assert (paused.status, paused.code) == (409, "status_change_refused")
    assert hurried["agent"]["status"] == "inactive"
    assert hurried["shutdown"]["interrupted"] == [running]
    assert (await run_ends(client, running))["status"] in {"failed", "cancelled"}


@pytest.mark.parametrize("shutdown_type", ["immediate", "graceful", "scheduled"])
async def test_a_stop_with_nothing_in_its_way_is_done_at_once(client: Client, make: Make, shutdown_type: str) -> None:
    agent = await make.agent()
    changed = await put_status(client, agent["id"], "inactive", shutdown_type=shutdown_type)
    assert changed.json()["agent"]["status"] == "inactive"
    assert changed.json()["shutdown"]["is_done"]


@pytest.mark.capability("S095")
async def test_maintenance_finishes_what_runs_and_takes_nothing_new(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent, running, _, gate = await at_work(client, make, model_server)

    changed = await confirm(client, agent["id"], "maintenance")

    assert changed["shutdown"]["awaiting"] == [running]
    gate.set()
    assert (await run_ends(client, running))["status"] == "completed"
    await reaches(client, agent["id"], "maintenance")
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "More"})
    refused = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})
    assert refused.code == "recipe_not_ready"
    assert "maintenance" in refused.json()["detail"]
    back = await client.post(f"/api/agents/{agent['id']}/activate")
    assert back.json()["status"] == "active"


@pytest.mark.capability("S096")
async def test_a_paused_agent_freezes_its_work_queues_new_work_and_goes_on_at_resume(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, running, _, gate = await at_work(client, make, model_server)

    paused = await client.post(f"/api/agents/{agent['id']}/pause")
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Later"})
    later = await client.cook(recipe["template_id"])
    gate.set()
    await asyncio.sleep(0.5)

    assert paused.json()["status"] == "paused"
    assert await lane(database, agent["id"]) == (1, "held")
    assert (await run_of(client, later))["status"] not in {"completed", "failed", "cancelled"}
    assert len(model_server.calls) == 1
    resumed = await client.post(f"/api/agents/{agent['id']}/resume")
    assert resumed.json()["status"] == "active"
    assert {(await run_ends(client, run))["status"] for run in (running, later)} == {"completed"}


async def test_stopping_a_paused_agent_ends_its_frozen_work_unless_it_is_scheduled(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent, running, waiting, gate = await at_work(client, make, model_server, queued=1)
    await client.post(f"/api/agents/{agent['id']}/pause")

    graceful = await preview(client, agent["id"], "inactive")
    scheduled = await preview(client, agent["id"], "inactive", shutdown_type="scheduled")

    assert (graceful["will_interrupt"], graceful["will_cancel"], graceful["will_await"]) == ([running], waiting, [])
    assert sorted(scheduled["will_await"]) == sorted([running, *waiting])
    changed = await confirm(client, agent["id"], "inactive", shutdown_type="scheduled")
    assert not changed["shutdown"]["is_done"]
    gate.set()
    assert {(await run_ends(client, run))["status"] for run in (running, *waiting)} == {"completed"}
    await reaches(client, agent["id"], "inactive")


@pytest.mark.capability("S100")
async def test_an_immediate_stop_of_a_paused_agent_ends_what_is_frozen(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, running, _, gate = await at_work(client, make, model_server)
    await client.post(f"/api/agents/{agent['id']}/pause")

    changed = await confirm(client, agent["id"], "inactive", shutdown_type="immediate")

    assert (changed["shutdown"]["interrupted"], changed["shutdown"]["is_done"]) == ([running], True)
    assert (await run_ends(client, running))["status"] in {"failed", "cancelled"}
    gate.set()
    await until(lambda: jobs(database, agent["id"]), lambda found: found == [])


async def test_who_watches_hears_of_each_change(
    client: Client, make: Make, services: Services
) -> None:
    agent = await make.agent(active=False)
    topics = ["agents", f"agent:{agent['id']}"]
    async with services.bus.subscribe(client.workspace_id, topics) as heard:
        await asyncio.sleep(0.1)  # the hints of its creation
        heard.take()
        await client.post(f"/api/agents/{agent['id']}/activate")
        await heard.wait(2)
        assert heard.take()[2] == set(topics)
