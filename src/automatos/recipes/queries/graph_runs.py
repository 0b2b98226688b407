"""SQL of runs of recipes that are graphs: stored, their steps queued with their agents, their outputs read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.types import NewEvent
from automatos.recipes.types import JsonObject
from automatos.runs.types import RUN_STEP

ACCEPT = """
WITH fresh AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, input_data, total_steps, triggered_by,
                                   idempotency_key, request_hash, deadline_at, last_seq, created_at, kind)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, 'recipe')
    ON CONFLICT (workspace_id, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
    RETURNING id, workspace_id
)
SELECT durable.append_events(workspace_id, 'run:' || id, 0, ARRAY[$12::text], ARRAY[$13::jsonb], $11) FROM fresh
"""


async def accept(
    connection: asyncpg.Connection, *, execution_id: UUID, workspace_id: UUID, recipe_id: int | None, version: int,
    input_data: JsonObject, total_steps: int, triggered_by: str, idempotency_key: str | None, request_hash: str | None,
    deadline_at: datetime, at: datetime, event: NewEvent,
) -> bool:
    """Store an execution with its first event; returns False when its idempotency key was used before."""
    return await connection.fetchrow(
        ACCEPT, execution_id, workspace_id, recipe_id, version, input_data, total_steps, triggered_by, idempotency_key,
        request_hash, deadline_at, at, event.type, event.data) is not None


async def names_of(connection: asyncpg.Connection, agent_ids: Sequence[int]) -> dict[str, str]:
    """Return the names of agents by their ids."""
    return await connection.fetchval("SELECT agent_names($1)", list(agent_ids)) or {}


async def enqueue(
    connection: asyncpg.Connection, workspace_id: UUID, keys: Sequence[str], agents: Sequence[int]
) -> None:
    """Queue jobs of steps, each in its agent's lane and with its priority; an idle agent becomes active."""
    await connection.execute(
        "SELECT durable.enqueue($1, r.key, $2, agent_priority(r.agent), NULL, 'agent:' || r.agent), "
        "wake_agents(ARRAY[r.agent]) FROM unnest($3::text[], $4::int[]) AS r (key, agent)",
        RUN_STEP.name, workspace_id, list(keys), list(agents))


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
