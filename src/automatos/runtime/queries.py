"""SQL of runs and their turns; both are appended by the functions `append_runs` and `append_turns` of the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import asyncpg


async def run_input(connection: asyncpg.Connection, run_id: UUID) -> asyncpg.Record | None:
    """Return a run's agent and what it started from."""
    return await connection.fetchrow("SELECT id, agent_id, opening FROM agent_runs WHERE id = $1", run_id)


async def model_turns_since(connection: asyncpg.Connection, since: datetime) -> list[asyncpg.Record]:
    """Return the model turns recorded since then, of every workspace, with the runs they belong to."""
    return await connection.fetch(
        "SELECT t.run_id, t.seq, t.workspace_id, t.body, t.input_tokens, t.output_tokens, t.duration_ms, r.agent_id, "
        "r.execution_id FROM run_turns t JOIN agent_runs r ON r.id = t.run_id "
        "WHERE t.kind = 'model' AND t.created_at >= $1",
        since,
    )


async def runs_of_executions(
    connection: asyncpg.Connection, workspace_id: UUID, execution_ids: Sequence[UUID]
) -> list[UUID]:
    """Return the runs of agents that belong to executions."""
    rows = await connection.fetch(
        "SELECT id FROM agent_runs WHERE execution_id = ANY($2) AND workspace_id = $1", workspace_id,
        list(execution_ids))
    return [row["id"] for row in rows]


async def forget_setups(connection: asyncpg.Connection, workspace_id: UUID) -> None:
    """Remove what no run of a workspace names any more; what was used within two days stays, whoever looks for it."""
    await connection.execute(
        "DELETE FROM run_setups s WHERE s.workspace_id = $1 AND s.used_on < (now() AT TIME ZONE 'UTC')::date - 2 "
        "AND NOT EXISTS (SELECT FROM agent_run_records r WHERE r.setup_hash = s.hash AND r.workspace_id = $1)",
        workspace_id)


async def turns(connection: asyncpg.Connection, run_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """Return the turns of runs, in order."""
    return await connection.fetch("SELECT * FROM run_turns WHERE run_id = ANY($1) ORDER BY run_id, seq", list(run_ids))
