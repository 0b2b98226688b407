"""The recording path reads what it is about and nothing else, however many wait, in tables that nobody has analysed."""

from uuid import UUID

import asyncpg

from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.recipes.queries import executions as queries
from tests.durable.conftest import add_workspace, own_database, own_ground

__all__ = ["own_database", "own_ground"]  # a database of its own: nobody else's statements have planned or analysed
PAST = 400
WAITING = 10_000
READ = """
SELECT sum(coalesce(pg_stat_get_xact_tuples_returned(oid), 0) + coalesce(pg_stat_get_xact_tuples_fetched(oid), 0))::int
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""
FILL = """
INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, deadline_at, kind, agent_id, finished_at)
SELECT uuidv7(), $1, 0, 1, now() + interval '1 hour', 'task', 1, $3 FROM generate_series(1, $2)
"""


def record_values(workspace_id: UUID, execution_id: UUID, seq: int) -> tuple[object, ...]:
    """A record of one event under epoch 1."""
    return (execution_id, 1, seq, "running", 1, 0, 0, 0, 0, 1, now(), None, None, None, None, ["execution.started"],
            ["{}"], None, None, None, False, False, workspace_id)


async def test_taking_over_and_recording_read_a_few_rows_while_ten_thousand_wait(own_database: Database) -> None:
    workspace_id = await add_workspace(own_database)
    chosen = new_id()
    async with own_database.recording(workspace_id) as connection:
        await connection.execute(FILL, workspace_id, PAST, now())
        await insert(connection, workspace_id, chosen)
        await queries.take_over(connection, workspace_id, chosen)  # planned now, while next to nothing waits
        assert await queries.record(connection, record_values(workspace_id, chosen, 0))
        await connection.execute(FILL, workspace_id, WAITING, None)
        fresh = new_id()
        await insert(connection, workspace_id, fresh)

        async with connection.transaction():
            before = await connection.fetchval(READ)
            assert await queries.take_over(connection, workspace_id, fresh)
            for seq in range(5):
                assert await queries.record(connection, record_values(workspace_id, fresh, seq))
            read = await connection.fetchval(READ) - before

    assert read < 300, f"{read} rows and index entries were read for one takeover and five records"


async def insert(connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID) -> None:
    await connection.execute(
        "INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, deadline_at, kind, agent_id) "
        "VALUES ($1, $2, 0, 1, now() + interval '1 hour', 'task', 1)", execution_id, workspace_id)
