"""SQL of runs of recipes that are graphs: stored, their steps queued with their agents, their outputs read."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.types import Job
from automatos.recipes.types import BegunStep, NewRun, StepStatus

# One by one: of `path = ANY (...)` the database thinks so badly that it reads all steps of the run.
STEPS_AT = """
SELECT s.* FROM unnest($2::text[]) AS w (path) CROSS JOIN LATERAL (
    SELECT * FROM recipe_execution_steps WHERE execution_id = $1 AND path >= w.path AND path <= w.path
    ORDER BY path LIMIT 1) s
"""


async def accept(connection: asyncpg.Connection, new: NewRun, begun: BegunStep | None) -> bool | None:
    """Store a run with its first events and steps; None when its idempotency key was used before.

    Says whether it has `begun`; else its first steps are queued with their agents.
    """
    events = begun.events if begun else [new.queued]
    return await connection.fetchval(
        "SELECT accept_run($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
        "$21)", new.id, new.workspace_id, new.recipe.recipe_id if new.recipe else None, new.version, new.inputs,
        new.total_steps, new.triggered_by, new.idempotency_key, new.request_hash, new.deadline_at, new.at,
        [event.type for event in events], [event.data for event in events], new.kind, new.agent_id, new.definition,
        new.first, new.job.name, new.priority, begun.stored() if begun else None, begun.run_input() if begun else None)


async def names_of(connection: asyncpg.Connection, agent_ids: Sequence[int]) -> dict[str, str]:
    """Return the names of agents by their ids."""
    return await connection.fetchval("SELECT agent_names($1)", list(agent_ids)) or {}


async def enqueue(
    connection: asyncpg.Connection, job: Job, workspace_id: UUID, keys: Sequence[str], agents: Sequence[int]
) -> None:
    """Queue jobs of steps, each in its agent's group and with its priority; an idle agent becomes active."""
    await connection.execute(
        "SELECT durable.enqueue($1, r.key, $2, agent_priority(r.agent), NULL, 'agent:' || r.agent), "
        "wake_agents(ARRAY[r.agent]) FROM unnest($3::text[], $4::int[]) AS r (key, agent)",
        job.name, workspace_id, list(keys), list(agents))


async def steps_at(connection: asyncpg.Connection, execution_id: UUID, paths: Sequence[str]) -> list[asyncpg.Record]:
    """Return the rows of steps by their paths, of a run that may have many."""
    return await connection.fetch(STEPS_AT, execution_id, list(paths))


async def steps_of_line(connection: asyncpg.Connection, execution_id: UUID) -> list[asyncpg.Record]:
    """Return all rows of steps of a run that has few."""
    return await connection.fetch("SELECT * FROM recipe_execution_steps WHERE execution_id = $1", execution_id)


async def run_of(connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID) -> asyncpg.Record | None:
    """Return a run's row."""
    return await connection.fetchrow(
        "SELECT * FROM recipe_executions WHERE id = $1 AND workspace_id = $2", execution_id, workspace_id)


async def counted(connection: asyncpg.Connection, execution_id: UUID) -> dict[str, Any]:
    """Return how many steps of items are completed, and the agents that did them."""
    row = await connection.fetchrow(
        "SELECT count(*)::int AS steps, coalesce(array_agg(DISTINCT agent_id) FILTER (WHERE agent_id IS NOT NULL), "
        "'{}') AS agents FROM recipe_execution_steps "
        "WHERE execution_id = $1 AND status = $2 AND path LIKE '%].%'", execution_id, StepStatus.COMPLETED)
    return dict(row) if row else {"steps": 0, "agents": []}
