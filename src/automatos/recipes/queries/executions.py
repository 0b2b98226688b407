"""SQL of the recording path: accept, take over, record. One statement each, over raw connections."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.types import NewEvent
from automatos.recipes.types import JsonObject

# The execution, its job and its first event: all of them or none.
ACCEPT = """
WITH fresh AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, input_data, total_steps, triggered_by,
                                   idempotency_key, request_hash, deadline_at, last_seq, created_at, kind, agent_id,
                                   definition)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $15::text,
            CASE WHEN $15::text <> 'recipe' THEN $13::int END, $16)
    ON CONFLICT (workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id, workspace_id
)
SELECT durable.enqueue('recipes.run', id::text, workspace_id, coalesce($12::int, agent_priority($13::int)), NULL,
                       'agent:' || $13::int),
       durable.append_events(workspace_id, 'run:' || id, 0, ARRAY[$17::text], ARRAY[$14::jsonb], $11),
       wake_agents(ARRAY[$13::int])
FROM fresh
"""

# With an empty table the planner likes the index of open executions best, keeps that plan, and later reads all that
# wait for each record: `coalesce` keeps every index but the primary key out.
RECORD = """
WITH e AS (
    UPDATE recipe_executions
    SET status = $4, current_step = $5, input_tokens = $6, output_tokens = $7, cost_micro_usd = $8, unpriced_calls = $9,
        last_seq = last_seq + $10, started_at = coalesce(started_at, $11), finished_at = $12, output_data = $13,
        error = $14, deadline_at = $20, is_estimated = $21, is_cut_off = $22
    WHERE id = $1 AND workspace_id = $23 AND epoch = $2 AND last_seq = $3
          AND coalesce(finished_at, 'infinity') = 'infinity'
    RETURNING id, workspace_id, cancel_requested_by
)
SELECT CASE WHEN $10 > 0 THEN durable.append_events(workspace_id, 'run:' || id, $3, $16::text[], $17::jsonb[], $11) END,
       CASE WHEN $15::jsonb IS NOT NULL THEN put_steps(workspace_id, id, $15) END,
       CASE WHEN $18::jsonb IS NOT NULL THEN append_runs(workspace_id, $18) END,
       CASE WHEN $19::jsonb IS NOT NULL THEN append_turns(workspace_id, $19) END,
       CASE WHEN $12::timestamptz IS NOT NULL THEN durable.finish('recipes.run', id::text) END AS leaves_waiting,
       cancel_requested_by IS NOT NULL AS is_to_be_cancelled
FROM e
"""

# The statuses that RECORD writes hold for good: a finished row is never matched again. The new epoch need not reach the
# disk by itself: if the database forgets it in a crash, it has forgotten everything written under it too.
TAKE_OVER = """
UPDATE recipe_executions SET epoch = epoch + 1
WHERE id = $1 AND workspace_id = $2 AND coalesce(finished_at, 'infinity') = 'infinity'
RETURNING id, workspace_id, recipe_id, recipe_version, status, input_data, current_step, total_steps, input_tokens,
          output_tokens, cost_micro_usd, unpriced_calls, is_estimated, is_cut_off, epoch, last_seq, started_at,
          deadline_at, cancel_requested_by,
          triggered_by, created_at, kind, definition, set_config('synchronous_commit', 'off', true)
"""


async def accept(
    connection: asyncpg.Connection, *, execution_id: UUID, workspace_id: UUID, recipe_id: int | None, version: int,
    input_data: JsonObject, total_steps: int, triggered_by: str, idempotency_key: str | None, request_hash: str | None,
    deadline_at: datetime, at: datetime, priority: int | None, first_agent: int, event: NewEvent, kind: str = "recipe",
    definition: JsonObject | None = None,
) -> bool:
    """Store an execution with its job and first event; returns False when its idempotency key was used before.

    The job waits in the lane of the first step's agent, with that agent's priority unless one is given.
    """
    row = await connection.fetchrow(
        ACCEPT, execution_id, workspace_id, recipe_id, version, input_data, total_steps, triggered_by, idempotency_key,
        request_hash, deadline_at, at, priority, first_agent, event.data, kind, definition, event.type,
    )
    return row is not None


async def agent_for_start(connection: asyncpg.Connection, agent_id: int) -> JsonObject | None:
    """Return name, status, is_stopping, status_reason and timeout_s of the workspace's agent."""
    return await connection.fetchval("SELECT agent_for_start($1)", agent_id)


async def wake_agents(connection: asyncpg.Connection, agent_ids: Sequence[int]) -> None:
    """Make idle agents active, because work has come to them."""
    await connection.execute("SELECT wake_agents($1)", list(agent_ids))


async def earlier_request(
    connection: asyncpg.Connection, workspace_id: UUID, idempotency_key: str
) -> asyncpg.Record | None:
    """Return the execution an idempotency key started."""
    return await connection.fetchrow(
        "SELECT id, recipe_id, recipe_version, request_hash FROM recipe_executions "
        "WHERE workspace_id = $2 AND idempotency_key = $1",
        idempotency_key, workspace_id,
    )


async def take_over(
    connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID
) -> asyncpg.Record | None:
    """Become the one writer of an unfinished execution: its epoch rises, and writers of older epochs fail."""
    return await connection.fetchrow(TAKE_OVER, execution_id, workspace_id)


async def steps_of(connection: asyncpg.Connection, execution_id: UUID) -> list[asyncpg.Record]:
    """Return the step records of an execution, in order."""
    return await connection.fetch(
        "SELECT * FROM recipe_execution_steps WHERE execution_id = $1 ORDER BY step_order", execution_id
    )


async def record(connection: asyncpg.Connection, values: tuple[Any, ...]) -> asyncpg.Record | None:
    """Write one record of an execution (see `journal._values`); returns None when the writer is fenced off.

    `leaves_waiting` says that the execution ended and others wait in the lane it was in, `is_to_be_cancelled` that
    somebody asked to cancel it.
    """
    return await connection.fetchrow(RECORD, *values)


async def place_of(
    connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID
) -> tuple[int, int] | None:
    """Return the epoch and last event number of an execution."""
    row = await connection.fetchrow(
        "SELECT epoch, last_seq FROM recipe_executions WHERE id = $1 AND workspace_id = $2", execution_id, workspace_id)
    return (row["epoch"], row["last_seq"]) if row else None


async def request_cancel(
    connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID, by: str
) -> asyncpg.Record | None:
    """Note who asked to cancel; returns id and status, or None when there is no such execution."""
    return await connection.fetchrow(
        "UPDATE recipe_executions SET cancel_requested_by = CASE WHEN finished_at IS NULL "
        "THEN coalesce(cancel_requested_by, $2) ELSE cancel_requested_by END WHERE id = $1 AND workspace_id = $3 "
        "RETURNING id, status, recipe_id, recipe_version",
        execution_id, by, workspace_id,
    )


async def overdue(connection: asyncpg.Connection, late_by: timedelta) -> list[asyncpg.Record]:
    """Return executions at work that are late by so much, of every workspace; waiting is no fault."""
    return await connection.fetch(
        "SELECT id, workspace_id FROM recipe_executions WHERE finished_at IS NULL "
        "AND deadline_at < now() - $1::interval "
        "AND status NOT IN ('queued', 'paused', 'waiting') ORDER BY deadline_at LIMIT 100", late_by
    )


async def followed(
    connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID
) -> asyncpg.Record | None:
    """Return what a stream reader needs to know of an execution: whether it exists, and whether it is over."""
    return await connection.fetchrow(
        "SELECT last_seq, finished_at IS NOT NULL AS is_over FROM recipe_executions "
        "WHERE id = $1 AND workspace_id = $2",
        execution_id, workspace_id,
    )


async def canceller(connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID) -> str | None:
    """Return who asked to cancel an execution."""
    return await connection.fetchval(
        "SELECT cancel_requested_by FROM recipe_executions WHERE id = $1 AND workspace_id = $2",
        execution_id, workspace_id)
