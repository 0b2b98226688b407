"""SQL of runs and their turns; both are appended by the functions `append_runs` and `append_turns` of the database."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg


async def opening(connection: asyncpg.Connection, run_id: UUID) -> asyncpg.Record | None:
    """Return a run's agent and what it started from."""
    return await connection.fetchrow("SELECT id, agent_id, opening FROM agent_runs WHERE id = $1", run_id)


async def turns(connection: asyncpg.Connection, run_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Return the turns of runs, in order."""
    return await connection.fetch("SELECT * FROM run_turns WHERE run_id = ANY($1) ORDER BY run_id, seq", list(run_ids))
