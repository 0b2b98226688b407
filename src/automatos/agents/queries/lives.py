"""SQL about an agent's life: its status, who could stand in for it, who rests and starts, and its end."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent, AgentSkill, AgentVersion


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


async def delete_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Remove an agent with its skills and saved versions; what other rooms hold of it is theirs to answer for."""
    for table in (AgentSkill, AgentVersion):
        await session.execute(delete(table).where(table.workspace_id == workspace_id, table.agent_id == agent_id))
    await session.execute(delete(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id))


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
