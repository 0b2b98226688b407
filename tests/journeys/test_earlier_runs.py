"""Runs that workers of versions before left as one job each go on by steps, whatever they were doing."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.durable.types import HeldJob, Interruption
from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.recipes.jobs import handlers
from automatos.recipes.team import RunDeps
from automatos.recipes.types import RUN_RECIPE
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def leave_as_before(
    database: Database, client: Client, run_id: str, signal: str | None = None
) -> None:
    """Leave a run as a version before does: one job, its steps known by number alone, rows only of those begun."""
    async with database.recording(client.workspace_id) as connection, connection.transaction():
        row = await connection.fetchrow(
            "DELETE FROM durable.jobs WHERE key LIKE $1 RETURNING lane, priority", f"{run_id}/%")
        assert row
        await connection.execute(
            "INSERT INTO durable.jobs (name, key, workspace_id, lane, priority, signal) "
            "VALUES ('recipes.run', $1, $2, $3, $4, $5)",
            run_id, client.workspace_id, row["lane"], row["priority"], signal)
        if signal == "cancel":
            await connection.execute("UPDATE recipe_executions SET cancel_requested_by = 'Ada' WHERE id = $1",
                                     UUID(run_id))
        await connection.execute("DELETE FROM recipe_execution_steps WHERE execution_id = $1 AND status = 'pending'",
                                 UUID(run_id))
        await connection.execute(
            "UPDATE recipe_execution_steps SET path = NULL, epoch = 0, last_seq = 0 WHERE execution_id = $1",
            UUID(run_id))
        await connection.execute("UPDATE recipe_executions SET epoch = 1 WHERE id = $1", UUID(run_id))


async def let_go(services: Services, run_id: str) -> None:
    """End what this process does for a run, as if the version before did it in another one."""
    assert services.worker
    for (_, key), job in list(services.worker._held.items()):
        if key.startswith(run_id) and job.task:
            job.interrupt(Interruption.LEASE_LOST)
            await asyncio.wait([job.task])


async def until_status(client: Client, run_id: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (run := (await client.get(f"/api/runs/{run_id}")).json())["status"] != status:
            await asyncio.sleep(0.02)
    return run


async def types_of(client: Client, run_id: str) -> list[str]:
    return [event["type"] for event in await client.follow(run_id)]


async def jobs_of(database: Database, run_id: str) -> int:
    async with database.recording(None) as connection:
        return int(await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE key LIKE $1", f"{run_id}%"))


async def busy_agent(client: Client, make: Make, model_server: ModelServer, gate: asyncio.Event) -> dict[str, Any]:
    """An agent with one place, which is taken until the gate opens."""
    agent = await make.agent(configuration={"max_concurrent_tasks": 1})
    model_server.script(Reply(gate=gate), match="occupy")
    await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "occupy"})
    await model_server.wait_for_calls(1)
    return agent


@pytest.mark.parametrize("is_task", [False, True])
async def test_one_that_waited_for_a_worker_begins(
    client: Client, make: Make, model_server: ModelServer, database: Database, is_task: bool
) -> None:
    gate = asyncio.Event()
    agent = await busy_agent(client, make, model_server, gate)
    if is_task:
        answer = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "begin"})
        run_id = answer.json()["execution_id"]
    else:
        recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "begin"})
        run_id = await client.cook(recipe["template_id"])
    await leave_as_before(database, client, run_id)
    assert (await client.get(f"/api/runs/{run_id}")).json()["status"] == "queued"
    gate.set()

    assert (await types_of(client, run_id))[:3] == ["execution.queued", "execution.started", "step.started"]
    assert (await until_status(client, run_id, "completed"))["steps"][0]["status"] == "completed"
    assert await jobs_of(database, run_id) == 0


async def test_one_that_waited_for_a_place_of_its_next_agent_goes_on_with_what_it_had(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    busy = await busy_agent(client, make, model_server, gate)
    first = await make.agent()
    model_server.script(Reply(text="the beginning"), match="begin")
    recipe = await make.recipe({"agent_id": first["id"], "prompt_template": "begin"},
                               {"agent_id": busy["id"], "prompt_template": "go on: {previous_output}"})
    run_id = await client.cook(recipe["template_id"])
    await until_status(client, run_id, "waiting")
    await leave_as_before(database, client, run_id)
    gate.set()

    types = await types_of(client, run_id)

    assert types[-1] == "execution.completed"
    assert types.count("execution.started") == types.count("execution.waiting") == types.count("execution.resumed") == 1
    assert "the beginning" in model_server.calls[-1].last_user_text
    assert [call.last_user_text for call in model_server.calls].count("begin") == 1


async def test_one_that_was_at_work_goes_on_after_its_last_recorded_turn(
    client: Client, make: Make, model_server: ModelServer, database: Database, services: Services
) -> None:
    agent = await make.agent(tools=["calculator"])
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "6*7"})]), Reply(gate=asyncio.Event()),
                        Reply(text="It is 42."))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Reckon"})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(2)
    await leave_as_before(database, client, run_id)
    await let_go(services, run_id)

    types = await types_of(client, run_id)
    run = await until_status(client, run_id, "completed")

    assert (types.count("execution.recovered"), types.count("step.started"), types[-1]) == (1, 1, "execution.completed")
    assert [turn["kind"] for turn in run["steps"][0]["turns"]] == ["model", "tool", "model"]
    assert run["output_data"]["final_output"] == "It is 42."
    assert len(model_server.calls) == 3
    assert await jobs_of(database, run_id) == 0


async def test_one_whose_agent_is_paused_goes_on_when_it_is_resumed(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent, first = await make.agent(), await make.agent()
    recipe = await make.recipe({"agent_id": first["id"], "prompt_template": "begin"},
                               {"agent_id": agent["id"], "prompt_template": "go on"})
    gate = asyncio.Event()
    model_server.script(Reply(gate=gate), match="begin")
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await client.post(f"/api/agents/{agent['id']}/pause")
    gate.set()
    await until_status(client, run_id, "paused")
    await leave_as_before(database, client, run_id)
    assert (await client.get(f"/api/runs/{run_id}")).json()["status"] == "paused"
    await client.post(f"/api/agents/{agent['id']}/resume")

    types = await types_of(client, run_id)

    assert types.index("execution.paused") < types.index("execution.resumed") < types.index("execution.completed")
    assert types.count("execution.resumed") == types.count("execution.paused") == 1


async def test_one_that_is_to_be_cancelled_ends_whether_it_waits_or_works(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    agent = await make.agent()
    model_server.script(Reply(gate=asyncio.Event()))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "begin"})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await leave_as_before(database, client, run_id)

    answer = await client.post(f"/api/runs/{run_id}/cancel")
    types = await types_of(client, run_id)

    assert answer.status == 202
    assert types[-2:] == ["step.cancelled", "execution.cancelled"]
    assert await jobs_of(database, run_id) == 0


@pytest.mark.parametrize("signal", ["cancel", "stop"])
async def test_one_whose_worker_died_while_it_was_told_to_end_is_not_lost(
    client: Client, make: Make, model_server: ModelServer, database: Database, services: Services, signal: str
) -> None:
    agent = await make.agent()
    model_server.script(Reply(gate=asyncio.Event()), Reply(text="done"))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "begin"})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await leave_as_before(database, client, run_id, signal)
    await let_go(services, run_id)

    types = await types_of(client, run_id)

    assert types[-1] == ("execution.cancelled" if signal == "cancel" else "execution.completed")
    assert len(model_server.calls) == (1 if signal == "cancel" else 2)
    assert await jobs_of(database, run_id) == 0


async def test_one_that_killed_its_workers_is_given_up_and_one_that_is_over_stays_as_it_is(
    client: Client, make: Make, model_server: ModelServer, database: Database, services: Services
) -> None:
    run_deps = RunDeps(services.database, services.bus, services.models, services.toolbox, services.settings.home,
                      services.outcomes, services.skill_loader_of)
    agent = await make.agent()
    model_server.script(Reply(gate=asyncio.Event()))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "begin"})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await leave_as_before(database, client, run_id)
    job = HeldJob(RUN_RECIPE.name, run_id, UUID(str(client.workspace_id)), 4, new_id())

    await handlers(run_deps)[RUN_RECIPE.name].give_up(job, "its worker stopped 3 times")
    run = await until_status(client, run_id, "failed")
    types = await types_of(client, run_id)
    await handlers(run_deps)[RUN_RECIPE.name].drive(job)

    assert job.is_finished
    assert run["error"]["code"] == "worker_lost"
    assert await types_of(client, run_id) == types
    assert await jobs_of(database, run_id) == 0


async def test_one_whose_last_step_was_recorded_without_its_end_ends(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    busy = await busy_agent(client, make, model_server, gate)
    first = await make.agent()
    recipe = await make.recipe({"agent_id": first["id"], "prompt_template": "begin"},
                               {"agent_id": busy["id"], "prompt_template": "go on"})
    run_id = await client.cook(recipe["template_id"])
    await until_status(client, run_id, "waiting")
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(
            "UPDATE recipe_execution_steps SET status = 'completed', output = 'done', finished_at = now(), "
            "started_at = now() WHERE execution_id = $1 AND step_order = 2", UUID(run_id))
    await leave_as_before(database, client, run_id)
    gate.set()

    assert (await types_of(client, run_id))[-1] == "execution.completed"
    assert (await until_status(client, run_id, "completed"))["output_data"]["final_output"] == "done"
