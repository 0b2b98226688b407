"""SQL about an agent's life: its status, who could stand in for it, what its steps came to, who rests and starts."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from sqlalchemy import delete, exists, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent, AgentSkill, AgentVersion
from automatos.kernel.db import dump_json


async def set_life(
    session: AsyncSession, workspace_id: UUID, agent_id: int, values: Mapping[str, object]
) -> Agent:
    """Change columns of a locked agent's life; its version, which counts saved definitions, stays."""
    statement = (
        update(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id).values(**values).returning(Agent)
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def has_peer(
    session: AsyncSession, workspace_id: UUID, agent_id: int, agent_type: str, statuses: Sequence[str]
) -> bool:
    """Say whether another agent of that type is in one of the statuses."""
    return bool(await session.scalar(select(exists().where(
        Agent.workspace_id == workspace_id, Agent.id != agent_id, Agent.agent_type == agent_type,
        Agent.status.in_(statuses), Agent.stopping.is_(None),
    ))))


async def delete_skills(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Take all skills from an agent."""
    await session.execute(
        delete(AgentSkill).where(AgentSkill.workspace_id == workspace_id, AgentSkill.agent_id == agent_id))


async def delete_versions(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Forget the saved versions of an agent."""
    await session.execute(
        delete(AgentVersion).where(AgentVersion.workspace_id == workspace_id, AgentVersion.agent_id == agent_id))


async def add_outcomes(
    session: AsyncSession, workspace_id: UUID, outcomes: Sequence[Mapping[str, object]]
) -> list[tuple[int, int]]:
    """Add up how steps ended, one entry for each agent; return the ids of those agents and their failures in a row.

    Agents that are gone are left out. One that is not monitored only counts its failures in a row.
    """
    rows = await session.execute(text(ADD_OUTCOMES), {"workspace": workspace_id, "outcomes": dump_json(outcomes)})
    return [(row.id, row.in_a_row) for row in rows]


# The rows are locked first, in order: only then is what they hold the latest, also when another process adds to them.
ADD_OUTCOMES = """
WITH was AS (
    SELECT id, performance_metrics AS metrics FROM agents
    WHERE workspace_id = :workspace
          AND id IN (SELECT agent_id FROM jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS x (agent_id int))
    ORDER BY id FOR UPDATE
), added AS (
    SELECT o.*, o.succeeded + coalesce((metrics->>'success_count')\\:\\:int, 0) AS all_succeeded,
           o.failed + coalesce((metrics->>'failure_count')\\:\\:int, 0) AS all_failed,
           o.succeeded + o.failed + coalesce((metrics->>'total_tasks_executed')\\:\\:int, 0) AS total,
           o.failed_last + CASE WHEN o.succeeded > 0 THEN 0
                             ELSE coalesce((metrics->>'consecutive_failures')\\:\\:int, 0) END AS in_a_row
    FROM was JOIN jsonb_to_recordset(CAST(:outcomes AS jsonb)) AS o (
        agent_id int, succeeded int, failed int, failed_last int, last_ok boolean, ended_at timestamptz)
        ON o.agent_id = was.id
)
UPDATE agents a SET
    last_active_at = greatest(coalesce(a.last_active_at, o.ended_at), o.ended_at),
    performance_metrics = a.performance_metrics || jsonb_build_object('consecutive_failures', o.in_a_row)
        || CASE WHEN coalesce((a.configuration->>'performance_monitoring')\\:\\:boolean, true) THEN jsonb_build_object(
            'total_tasks_executed', o.total, 'tasks_completed', o.total, 'success_count', o.all_succeeded,
            'failure_count', o.all_failed, 'success_rate', round(o.all_succeeded\\:\\:numeric / o.total, 4),
            'last_task_at', o.ended_at, 'last_task_success', o.last_ok) ELSE '{}' END
FROM added o WHERE a.id = o.agent_id AND a.workspace_id = :workspace
RETURNING a.id, o.in_a_row
"""


async def list_restful(connection: asyncpg.Connection, after: timedelta) -> list[tuple[UUID, list[int]]]:
    """Return, by workspace, the active agents that did nothing for so long; the connection sees all workspaces."""
    rows = await connection.fetch(
        "SELECT workspace_id, array_agg(id ORDER BY id) AS ids FROM agents WHERE status = 'active' "
        "AND status_changed_at < now() - $1::interval "
        "AND (last_active_at IS NULL OR last_active_at < now() - $1::interval) GROUP BY workspace_id", after)
    return [(row["workspace_id"], row["ids"]) for row in rows]


async def rest(
    connection: asyncpg.Connection, workspace_id: UUID, agent_ids: Sequence[int], after: timedelta
) -> list[int]:
    """Make those of the agents idle that still did nothing for so long and have nothing to do; returns their ids."""
    rows = await connection.fetch(
        """
        UPDATE agents SET status = 'idle', status_changed_at = now()
        WHERE workspace_id = $2 AND id = ANY($3::int[]) AND status = 'active' AND stopping IS NULL
              AND status_changed_at < now() - $1::interval
              AND (last_active_at IS NULL OR last_active_at < now() - $1::interval)
              AND NOT EXISTS (SELECT FROM durable.jobs_in('agent:' || id))
        RETURNING id
        """, after, workspace_id, list(agent_ids))
    return [row["id"] for row in rows]


async def list_to_start(connection: asyncpg.Connection) -> list[tuple[UUID, int]]:
    """Return workspace and id of each inactive agent that starts by itself; the connection sees all workspaces."""
    rows = await connection.fetch(
        "SELECT workspace_id, id FROM agents WHERE status = 'inactive' "
        "AND configuration->'auto_start' = 'true'::jsonb ORDER BY id")
    return [(row["workspace_id"], row["id"]) for row in rows]


async def try_to_lead(connection: asyncpg.Connection, lock: int) -> bool:
    """Become the one process that does something now, until the connection's transaction ends."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock))
