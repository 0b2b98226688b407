"""SQL of forks: what the run was, which of its steps are done, and the rows that a new run takes over."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from automatos.agents.types import AgentStates
from automatos.recipes.types import STEP_PASSED

# What was taken over is no work of the new run: it has no agent, no turns, and has used nothing.
TAKE_OVER = """
WITH e AS (
    UPDATE recipe_executions SET forked_from = $2 WHERE id = $3 AND workspace_id = $1
)
INSERT INTO recipe_execution_steps
    (execution_id, workspace_id, step_order, path, kind, step_id, agent_name, status, prompt, output_key, output, error,
     items, is_cut_off, started_at, finished_at, detail)
SELECT $3, workspace_id, step_order, step_id, kind, step_id, agent_name, status, prompt, output_key, output, error,
       items, is_cut_off, started_at, finished_at,
       coalesce(detail, '{}') || jsonb_build_object('taken_over_from', coalesce(detail->>'taken_over_from', $2::text))
FROM recipe_execution_steps
WHERE execution_id = $2 AND workspace_id = $1 AND step_id = ANY($4) AND coalesce(path, step_id) = step_id
RETURNING step_order, path, output_key, output, status, detail
"""


async def find_origin(connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID) -> asyncpg.Record | None:
    """Return the run that is to be forked, with whether its recipe was deleted."""
    return await connection.fetchrow(
        "SELECT e.kind, e.recipe_id, e.recipe_version, e.input_data, e.finished_at, r.template_id, "
        "r.deleted_at IS NOT NULL AS is_deleted FROM recipe_executions e "
        "LEFT JOIN workflow_recipes r ON r.id = e.recipe_id WHERE e.id = $2 AND e.workspace_id = $1",
        workspace_id, run_id)


async def done_steps(connection: asyncpg.Connection, run_id: UUID) -> frozenset[str]:
    """Return the keys of a run's own steps that are done: with an output, or passed over."""
    rows = await connection.fetch(
        "SELECT step_id FROM recipe_execution_steps WHERE execution_id = $1 "
        "AND status = ANY($2) AND coalesce(path, step_id) = step_id", run_id, sorted(STEP_PASSED))
    return frozenset(row["step_id"] for row in rows)


async def agent_states(connection: asyncpg.Connection, agent_ids: Sequence[int]) -> AgentStates:
    """Return the names and states of agents."""
    return AgentStates(await connection.fetchval("SELECT agent_states($1)", list(agent_ids)) or {})


async def take_over(
    connection: asyncpg.Connection, workspace_id: UUID, origin: UUID, run_id: UUID, keys: Sequence[str]
) -> list[asyncpg.Record]:
    """Copy the rows of steps into a new run, and say of it where they come from."""
    rows = await connection.fetch(TAKE_OVER, workspace_id, origin, run_id, list(keys))
    return sorted(rows, key=lambda row: row["step_order"])
