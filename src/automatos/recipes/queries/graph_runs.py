"""SQL of runs of recipes that are graphs: stored, their steps queued with their agents, their outputs read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.types import Job, NewEvent
from automatos.recipes.types import JsonObject
from automatos.runs.types import RUN_STEP

# The run, its first event and, where agents do them, its first steps with their jobs: all of them or none.
ACCEPT = """
WITH fresh AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, input_data, total_steps, triggered_by,
                                   idempotency_key, request_hash, deadline_at, last_seq, created_at, kind, agent_id,
                                   definition)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $14::text, $15::int, $16)
    ON CONFLICT (workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id, workspace_id
), first AS (
    SELECT f.id, f.workspace_id, r.* FROM fresh f CROSS JOIN jsonb_to_recordset($17) AS r (
        step_order int, path text, step_id text, agent_id int, agent_name text, output_key text)
), steps AS (
    INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, agent_id, agent_name,
                                        output_key, status)
    SELECT id, workspace_id, step_order, path, step_id, agent_id, agent_name, output_key, 'pending' FROM first
)
SELECT durable.append_events(workspace_id, 'run:' || id, 0, ARRAY[$12::text], ARRAY[$13::jsonb], $11),
       (SELECT count(*) FROM (
            SELECT durable.enqueue($18, id || '/' || path, workspace_id,
                                   coalesce($19::int, agent_priority(agent_id)), NULL, 'agent:' || agent_id),
                   wake_agents(ARRAY[agent_id]) FROM first OFFSET 0) AS queued)
FROM fresh
"""


async def accept(
    connection: asyncpg.Connection, *, execution_id: UUID, workspace_id: UUID, recipe_id: int | None, version: int,
    input_data: JsonObject, total_steps: int, triggered_by: str, idempotency_key: str | None, request_hash: str | None,
    deadline_at: datetime, at: datetime, event: NewEvent, kind: str = "recipe", agent_id: int | None = None,
    definition: JsonObject | None = None, first: Sequence[JsonObject] = (), job: Job = RUN_STEP,
    priority: int | None = None,
) -> bool:
    """Store an execution with its first event; returns False when its idempotency key was used before.

    `first` are steps that agents do: they are queued with these, and with their priority unless one is given.
    """
    return await connection.fetchrow(
        ACCEPT, execution_id, workspace_id, recipe_id, version, input_data, total_steps, triggered_by, idempotency_key,
        request_hash, deadline_at, at, event.type, event.data, kind, agent_id, definition, list(first), job.name,
        priority) is not None


async def names_of(connection: asyncpg.Connection, agent_ids: Sequence[int]) -> dict[str, str]:
    """Return the names of agents by their ids."""
    return await connection.fetchval("SELECT agent_names($1)", list(agent_ids)) or {}


async def enqueue(
    connection: asyncpg.Connection, job: Job, workspace_id: UUID, keys: Sequence[str], agents: Sequence[int]
) -> None:
    """Queue jobs of steps, each in its agent's lane and with its priority; an idle agent becomes active."""
    await connection.execute(
        "SELECT durable.enqueue($1, r.key, $2, agent_priority(r.agent), NULL, 'agent:' || r.agent), "
        "wake_agents(ARRAY[r.agent]) FROM unnest($3::text[], $4::int[]) AS r (key, agent)",
        job.name, workspace_id, list(keys), list(agents))


async def steps_at(connection: asyncpg.Connection, execution_id: UUID, paths: Sequence[str]) -> list[asyncpg.Record]:
    """Return the rows of steps by their paths."""
    return await connection.fetch(
        "SELECT * FROM recipe_execution_steps WHERE execution_id = $1 AND path = ANY($2)", execution_id, list(paths))


async def run_of(connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID) -> asyncpg.Record | None:
    """Return a run's row."""
    return await connection.fetchrow(
        "SELECT * FROM recipe_executions WHERE id = $1 AND workspace_id = $2", execution_id, workspace_id)


async def counted(connection: asyncpg.Connection, execution_id: UUID) -> dict[str, Any]:
    """Return how many steps of items are completed, and the agents that did them."""
    row = await connection.fetchrow(
        "SELECT count(*)::int AS steps, coalesce(array_agg(DISTINCT agent_id) FILTER (WHERE agent_id IS NOT NULL), "
        "'{}') AS agents FROM recipe_execution_steps WHERE execution_id = $1 AND status = 'completed' "
        "AND path LIKE '%].%'", execution_id)
    return dict(row) if row else {"steps": 0, "agents": []}
