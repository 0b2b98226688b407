"""Queries of the recording path name their workspace: row-level security is the second layer, not the only one."""

from uuid import UUID

import asyncpg

from automatos.durable import queries as durable
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.clock import now
from automatos.kernel.ids import new_id
from automatos.kernel.recording import use_json
from automatos.recipes.queries import executions
from automatos.runs import queries as runs
from automatos.runs.types import StepPath, Written
from tests.surface import Client, Make

RESTARTED = '{"order": 1, "turn": 1}'


async def test_no_query_finds_another_workspaces_run_where_nothing_else_keeps_them_apart(
    client: Client, make: Make, migrated: Migrated
) -> None:
    """Asked as the administrator, whom row-level security does not bind."""
    recipe = await make.recipe("First")
    started = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={"input_data": {}},
                                headers={"Idempotency-Key": "one"})
    run_id = UUID(started.json()["recipe_execution_id"])
    await client.follow(str(run_id))
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    try:
        await use_json(connection)
        found = {
            workspace_id: [
                await executions.followed(connection, workspace_id, run_id),
                await runs.place_of(connection, workspace_id, run_id, 1),
                await runs.lock(connection, workspace_id, run_id),
                await executions.earlier_request(connection, workspace_id, "one"),
                await durable.events_after(connection, workspace_id, f"run:{run_id}", 0, 10),
            ]
            for workspace_id in (client.workspace_id, new_id())
        }
        await connection.execute(
            "UPDATE recipe_executions SET finished_at = NULL, cancel_requested_by = 'Ada' WHERE id = $1", run_id)
        await connection.execute(
            "UPDATE recipe_execution_steps SET status = 'running', finished_at = NULL WHERE execution_id = $1", run_id)
        path = StepPath(recipe["steps"][0]["step_id"])
        taken = [await runs.take_step(connection, each, f"{run_id}/{path}") for each in reversed(found)]
        written = [await record(connection, each, run_id) for each in reversed(found)]
    finally:
        await connection.execute("UPDATE recipe_executions SET finished_at = now() WHERE id = $1", run_id)
        await connection.close()

    ours, theirs = found.values()
    assert all(ours)
    assert not any(theirs)
    assert [each and each.run.id for each in taken] == [None, run_id]
    assert [each and each.answer for each in written] == [None, "open"]


async def record(connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID) -> Written | None:
    """Record that a step was restarted, as its writer who has just taken it."""
    epoch, seen = await connection.fetchrow(
        "SELECT epoch, last_seq FROM recipe_execution_steps WHERE execution_id = $1", run_id) or (0, 0)
    return await runs.record_step(
        connection, run_id, workspace_id, 1, epoch, seen, ["step.restarted"], [RESTARTED], now(), step=None,
        agent_runs=None, turns=None, used={
            "input_tokens": 0, "output_tokens": 0, "cost_micro_usd": 0, "unpriced_calls": 0, "is_estimated": False,
            "is_cut_off": False})
