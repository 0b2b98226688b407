"""What belongs to a run goes with it, though no foreign key says so, and nothing is written for a run that is gone."""

from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.kernel.clock import now
from automatos.kernel.db import Database, dump_json
from automatos.kernel.ids import new_id
from automatos.runs import queries
from tests.surface import Client, Make

PARTS = {
    "recipe_execution_steps": "execution_id = $1", "events": "stream = 'run:' || $1::uuid",
    "agent_runs": "execution_id = $1",
    "run_turns": "run_id IN (SELECT run_id FROM run_turns EXCEPT SELECT id FROM agent_runs)",
}
UNUSED = {"input_tokens": 0, "output_tokens": 0, "cost_micro_usd": 0, "unpriced_calls": 0, "is_estimated": False,
          "is_cut_off": False}


@pytest.fixture
async def superuser(migrated: Migrated) -> AsyncIterator[asyncpg.Connection]:
    """A connection that row-level security does not bind."""
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    yield connection
    await connection.close()


async def parts(connection: asyncpg.Connection, run_id: UUID) -> dict[str, int]:
    """Return how much there is of a run by table; of turns, those whose agent's run is gone."""
    return {table: await connection.fetchval(
        f"SELECT count(*) FROM {table} WHERE {where}", *([run_id] if "$1" in where else []))
        for table, where in PARTS.items()}


@pytest.mark.parametrize("what", ["run", "recipe", "workspace"])
async def test_a_run_takes_all_its_parts_with_it(
    client: Client, stranger: Client, make: Make, database: Database, superuser: asyncpg.Connection, what: str
) -> None:
    recipe = await make.recipe("Say hello")
    run = UUID((await client.cooked(recipe["template_id"]))["id"])
    other = UUID((await stranger.cooked((await Make(stranger).recipe("Say hello"))["template_id"]))["id"])
    before, others = await parts(superuser, run), await parts(superuser, other)
    assert all(before[table] for table in ("recipe_execution_steps", "events", "agent_runs"))
    assert (await client.get(f"/api/runs/{run}")).json()["steps"][0]["turns"]

    statement = {
        "run": "DELETE FROM recipe_executions WHERE id = $1",
        "recipe": "DELETE FROM workflow_recipes WHERE id = (SELECT recipe_id FROM recipe_executions WHERE id = $1)",
        "workspace": "DELETE FROM workspaces WHERE id = (SELECT workspace_id FROM recipe_executions WHERE id = $1)",
    }[what]
    await superuser.execute(statement, run)
    assert await parts(superuser, run) == dict.fromkeys(PARTS, 0)
    assert await parts(superuser, other) == others
    async with database.recording(stranger.workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM run_turns") > 0


async def test_a_worker_that_records_for_a_run_that_is_gone_writes_nothing(
    database: Database, workspace_id: UUID, superuser: asyncpg.Connection
) -> None:
    run_id = new_id()
    async with database.recording(workspace_id) as connection:
        await connection.execute(
            "INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, kind, agent_id) "
            "VALUES ($1, $2, 0, 1, 'task', 1)", run_id, workspace_id)
        await connection.execute(
            "INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, agent_id, "
            "status, output_key) VALUES ($1, $2, 1, 's1', 's1', 1, 'pending', 'k')", run_id, workspace_id)
        assert await queries.take_step(connection, workspace_id, f"{run_id}/s1")
        await superuser.execute("DELETE FROM workspaces WHERE id = $1", workspace_id)
        written = await queries.record_step(
            connection, run_id, workspace_id, 1, 1, 0, ["step.started"], ["{}"], now(), step=None, used=UNUSED,
            turns=None,
            agent_runs=dump_json([{"id": new_id(), "agent_id": 1, "execution_id": run_id, "opening": {}}]))

    assert written is None
    assert await parts(superuser, run_id) == dict.fromkeys(PARTS, 0)
