"""SQL about runs as a whole, over raw connections."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg

from automatos.recipes.types import AT_REST, JsonObject


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


async def overdue(connection: asyncpg.Connection, late_by: timedelta) -> list[asyncpg.Record]:
    """Return executions at work that are late by so much, of every workspace; waiting is no fault."""
    return await connection.fetch(
        "SELECT id, workspace_id FROM recipe_executions WHERE finished_at IS NULL "
        "AND deadline_at < now() - $1::interval "
        "AND status <> ALL($2) ORDER BY deadline_at LIMIT 100", late_by, sorted(AT_REST)
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
