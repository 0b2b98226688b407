"""The recording path reads what it is about and nothing else, however many wait, in tables that nobody has analysed."""

from typing import Any
from uuid import UUID

import asyncpg

from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.runs import queries
from automatos.runs.types import RunInput, Written
from tests.durable.conftest import add_workspace, own_database, own_ground

__all__ = ["own_database", "own_ground"]  # a database of its own: nobody else's statements have planned or analysed
PAST = 400
WAITING = 10_000
LANE = "agent:1"
UNUSED = {"input_tokens": 0, "output_tokens": 0, "cost_micro_usd": 0, "unpriced_calls": 0, "is_estimated": False,
          "is_cut_off": False}
READ = """
SELECT sum(coalesce(pg_stat_get_xact_tuples_returned(oid), 0) + coalesce(pg_stat_get_xact_tuples_fetched(oid), 0))::int
FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'durable'::regnamespace) AND relkind IN ('r', 'i')
"""
FILL = """
WITH e AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, deadline_at, kind, agent_id,
                                   finished_at)
    SELECT uuidv7(), $1, 0, 1, now() + interval '1 hour', 'task', 1, $3 FROM generate_series(1, $2) RETURNING id
), s AS (
    INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, agent_id, status,
                                        output_key)
    SELECT id, $1, 1, 's1', 's1', 1, 'pending', 'k' FROM e
)
INSERT INTO durable.jobs (name, key, workspace_id, lane)
SELECT 'runs.step', id || '/s1', $1, 'agent:2' FROM e WHERE $3::timestamptz IS NULL
"""


async def record(
    connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID, seen: int, **more: Any
) -> Written:
    """Write a record of one event under epoch 1."""
    written = await queries.record_step(
        connection, run_id, workspace_id, 1, 1, seen, ["step.restarted"], ["{}"], now(), step=None, agent_runs=None,
        turns=None, used=UNUSED, **more)
    assert written
    return written


async def work(connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID, holder: UUID) -> Written:
    """Take a step, record it, and go on with the next one."""
    found = await queries.take_step(connection, workspace_id, f"{run_id}/s1")
    assert found
    assert found.row["epoch"] == 1
    await record(connection, workspace_id, run_id, 0, run_input=RunInput("queued", now(), now()))
    for seen in range(1, 4):
        await record(connection, workspace_id, run_id, seen)
    return await record(connection, workspace_id, run_id, 4, known=4, following={
        "job": "runs.step", "key": f"{run_id}/s1", "holder": holder, "next_key": f"{run_id}/s2", "lane": LANE,
        "priority": 1, "step": {"step_order": 2, "path": "s2", "step_id": "s2", "agent_id": 1, "agent_name": "A",
                                "status": "pending", "prompt": "", "output_key": "k2"}})


async def test_taking_recording_and_going_on_read_a_few_rows_while_ten_thousand_wait(own_database: Database) -> None:
    workspace_id, holder = await add_workspace(own_database), new_id()
    async with own_database.recording(workspace_id) as connection:
        await connection.execute("SELECT durable.set_lane($1, 9, 'open')", LANE)
        await connection.execute(FILL, workspace_id, PAST, now())
        chosen = await insert(connection, workspace_id, holder)
        await work(connection, workspace_id, chosen, holder)  # planned now, while next to nothing waits
        await connection.execute(FILL, workspace_id, WAITING, None)
        fresh = await insert(connection, workspace_id, holder)

        async with connection.transaction():
            before = await connection.fetchval(READ)
            written = await work(connection, workspace_id, fresh, holder)
            read = await connection.fetchval(READ) - before

    assert (written.answer, written.last_seq) == ("open", 5)
    assert read < 300, f"{read} rows and index entries were read for one step of five records"


async def insert(connection: asyncpg.Connection, workspace_id: UUID, holder: UUID) -> UUID:
    run_id = new_id()
    await connection.execute(
        "INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, deadline_at, kind, agent_id) "
        "VALUES ($1, $2, 0, 1, now() + interval '1 hour', 'task', 1)", run_id, workspace_id)
    await connection.execute(
        "INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, agent_id, status, "
        "output_key) VALUES ($1, $2, 1, 's1', 's1', 1, 'pending', 'k')", run_id, workspace_id)
    await connection.execute(
        "INSERT INTO durable.jobs (name, key, workspace_id, lane, executor_id) "
        "VALUES ('runs.step', $1, $2, 'agent:3', $3)", f"{run_id}/s1", workspace_id, holder)
    return run_id
