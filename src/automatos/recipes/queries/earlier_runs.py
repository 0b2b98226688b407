"""SQL of runs that were one job each."""

from uuid import UUID

import asyncpg

from automatos.runs.types import StepLabel, StepPath


async def fence(connection: asyncpg.Connection, run_id: UUID) -> None:
    """Let nobody write the run as a whole any more."""
    await connection.execute("UPDATE recipe_executions SET epoch = epoch + 1 WHERE id = $1", run_id)


async def steps_by_path(connection: asyncpg.Connection, run_id: UUID) -> list[asyncpg.Record]:
    """Give the steps of a run their paths, and return them."""
    return await connection.fetch(
        "UPDATE recipe_execution_steps SET path = step_id, epoch = 1 WHERE execution_id = $1 AND path IS NULL "
        "RETURNING path, status", run_id)


async def add_step(
    connection: asyncpg.Connection, run_id: UUID, workspace_id: UUID, order: int, path: StepPath, label: StepLabel
) -> None:
    """Write a step that is to begin; it counts as taken once, as its run was."""
    await connection.execute(
        "INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, agent_id, "
        "agent_name, output_key, status, epoch) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'pending', 1) "
        "ON CONFLICT DO NOTHING",
        run_id, workspace_id, order, path, label.step_id, label.agent_id, label.agent_name, label.output_key)
