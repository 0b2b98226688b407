"""Queries of the recording path name their workspace: row-level security is the second layer, not the only one."""

from uuid import UUID

import asyncpg

from automatos.durable import queries as durable
from automatos.entrypoints.migrate import Ground
from automatos.kernel.ids import new_id
from automatos.kernel.recording import use_json
from automatos.recipes.queries import executions
from tests.surface import Client, Make


async def test_no_query_finds_another_workspaces_run_where_nothing_else_keeps_them_apart(
    client: Client, make: Make, ground: Ground
) -> None:
    """Asked as the administrator, whom row-level security does not bind."""
    recipe = await make.recipe("First")
    started = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={"input_data": {}},
                                headers={"Idempotency-Key": "one"})
    run_id = UUID(started.json()["recipe_execution_id"])
    await client.follow(str(run_id))
    assert ground.embedded
    connection = await asyncpg.connect(ground.embedded.admin_database_url)
    try:
        await use_json(connection)
        found = {
            workspace_id: [
                await executions.followed(connection, workspace_id, run_id),
                await executions.place_of(connection, workspace_id, run_id),
                await executions.earlier_request(connection, workspace_id, "one"),
                await executions.request_cancel(connection, workspace_id, run_id, "Eve"),
                await durable.events_after(connection, workspace_id, f"run:{run_id}", 0, 10),
            ]
            for workspace_id in (client.workspace_id, new_id())
        }
        await connection.execute(
            "UPDATE recipe_executions SET finished_at = NULL, cancel_requested_by = 'Ada' WHERE id = $1", run_id)
        canceller = [await executions.canceller(connection, each, run_id) for each in found]
        taken = [await executions.take_over(connection, each, run_id) for each in reversed(found)]
    finally:
        await connection.execute("UPDATE recipe_executions SET finished_at = now() WHERE id = $1", run_id)
        await connection.close()

    ours, theirs = found.values()
    assert all(ours)
    assert not any(theirs)
    assert canceller == ["Ada", None]
    assert [row and row["id"] for row in taken] == [None, run_id]
