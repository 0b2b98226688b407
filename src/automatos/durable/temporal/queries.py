"""SQL of what Temporal delivers: who begins a grant, and what was granted that nobody may work on."""

from datetime import timedelta
from uuid import UUID

import asyncpg


async def queue_name(connection: asyncpg.Connection) -> str:
    """Return the task queue of this database: several may share one namespace."""
    queue = await connection.fetchval("SELECT queue FROM durable.dispatcher")
    return f"automatos-{queue}"


async def begin(
    connection: asyncpg.Connection, executor_id: UUID, name: str, key: str, number: int
) -> asyncpg.Record | None:
    """Make a living executor the one that holds a job by a grant, once; None when it is too late for that."""
    return await connection.fetchrow(
        "WITH begun AS (UPDATE durable.jobs SET executor_id = $1, begun = number "
        "WHERE name = $2 AND key = $3 AND number = $4 AND begun < $4 AND executor_id IS NOT NULL "
        "AND EXISTS (SELECT FROM durable.executors e WHERE e.id = $1 AND e.expires_at > clock_timestamp()) "
        "RETURNING *) "
        "SELECT b.number, b.name, b.key, b.workspace_id, b.attempts, b.crashes, b.signal, b.lane, "
        "coalesce(l.mode, 'open') AS mode FROM begun b LEFT JOIN durable.lanes l ON l.name = b.lane",
        executor_id, name, key, number)


async def give_back(
    connection: asyncpg.Connection, name: str, key: str, number: int, again_in: timedelta = timedelta()
) -> None:
    """Give back a job that did not begin by a grant, uncounted."""
    await connection.execute(
        "UPDATE durable.jobs SET executor_id = NULL, run_at = clock_timestamp() + $4, is_parked = $4 > interval '0', "
        "attempts = attempts - 1, lane = CASE WHEN signal = 'cancel' THEN '' ELSE lane END "
        "WHERE name = $1 AND key = $2 AND number = $3 AND begun < $3 AND executor_id IS NOT NULL",
        name, key, number, again_in)


async def open_grants(
    connection: asyncpg.Connection, executor_id: UUID, silent_after: timedelta, *, of_all: bool
) -> list[asyncpg.Record]:
    """Return the grants of this delivery that have not ended: those of an executor, or of all.

    `has_begun` says that the executor works on it, or did; `is_silent` that its lease has so long been over.
    """
    return await connection.fetch(
        "SELECT j.number, j.name, j.key, j.executor_id, j.begun = j.number AS has_begun, "
        "e.expires_at < clock_timestamp() + $2 AS is_silent "
        "FROM durable.jobs j JOIN durable.executors e ON e.id = j.executor_id "
        "WHERE e.delivery = 'temporal' AND ($3 OR j.executor_id = $1) ORDER BY j.number",
        executor_id, silent_after, of_all)
