"""SQL of agents and their saved versions; every function takes the workspace it works in."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import String, case, cast, delete, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.errors import AgentNotFound
from automatos.agents.models import Agent, AgentSkill, AgentVersion
from automatos.agents.types import ELIGIBLE, AgentStatus

NAME_INDEX = "uq_agents_name"
FOR_RUN = "SELECT agents_for_run($1)"
"""The agents of these ids in the connection's workspace, as runs need them: a list in JSON, or null."""


async def find_agent(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False) -> Agent | None:
    """Return an agent of the workspace; `lock` keeps others from changing it until the transaction ends."""
    statement = select(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def get_agent(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False) -> Agent:
    """Return what `find_agent` finds; raises AgentNotFound."""
    agent = await find_agent(session, workspace_id, agent_id, lock=lock)
    if agent is None:
        raise AgentNotFound(agent_id)
    return agent


async def find_agent_by_name(session: AsyncSession, workspace_id: UUID, name: str) -> Agent | None:
    """Return the agent of that name, whatever its case, locked until the transaction ends."""
    return await session.scalar(
        select(Agent).where(
            Agent.workspace_id == workspace_id, func.lower(Agent.name) == func.lower(name),
            Agent.status != AgentStatus.ARCHIVED,
        ).with_for_update()
    )


async def count_agents(session: AsyncSession, workspace_id: UUID) -> int:
    """Count the workspace's agents, without the archived ones."""
    there = select(func.count()).where(Agent.workspace_id == workspace_id, Agent.status != AgentStatus.ARCHIVED)
    return await session.scalar(there) or 0


async def insert_agent(session: AsyncSession, workspace_id: UUID, values: Mapping[str, object]) -> Agent | None:
    """Add an agent; None when its name is taken."""
    statement = insert(Agent).values(workspace_id=workspace_id, **values).on_conflict_do_nothing().returning(Agent)
    return await session.scalar(statement)


async def update_agent(
    session: AsyncSession, workspace_id: UUID, agent_id: int, values: Mapping[str, object]
) -> Agent | None:
    """Change an agent and raise its version; None when its new name is taken."""
    statement = (
        update(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id)
        .values(**values, version=Agent.version + 1, updated_at=func.now()).returning(Agent)
        .execution_options(populate_existing=True)
    )
    try:
        async with session.begin_nested():
            return await session.scalar(statement)
    except IntegrityError as error:
        if NAME_INDEX in str(error.orig):
            return None
        raise


async def set_life(
    session: AsyncSession, workspace_id: UUID, agent_id: int, values: Mapping[str, object]
) -> Agent:
    """Change columns of a locked agent's life; its version, which counts saved definitions, stays.

    When a status changed is the database's to say, which also measures how long ago that was.
    """
    at = {"status_changed_at": func.now()} if "status" in values else {}
    statement = (
        update(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id).values(**values, **at)
        .returning(Agent).execution_options(populate_existing=True)
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
    """Remove an agent with its skills and saved versions; what other packages hold of it is theirs to answer for."""
    for table in (AgentSkill, AgentVersion):
        await session.execute(delete(table).where(table.workspace_id == workspace_id, table.agent_id == agent_id))
    await session.execute(delete(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id))


async def list_restful(connection: asyncpg.Connection, after: timedelta) -> list[tuple[UUID, list[int]]]:
    """Return, by workspace, the active agents that did nothing for so long; the connection sees all workspaces."""
    rows = await connection.fetch(
        "SELECT workspace_id, array_agg(id ORDER BY id) AS ids FROM agents WHERE status = $2 "
        "AND status_changed_at < now() - $1::interval "
        "AND (last_active_at IS NULL OR last_active_at < now() - $1::interval) GROUP BY workspace_id", after,
        AgentStatus.ACTIVE)
    return [(row["workspace_id"], row["ids"]) for row in rows]


async def rest(
    connection: asyncpg.Connection, workspace_id: UUID, agent_ids: Sequence[int], after: timedelta
) -> list[int]:
    """Make those of the agents idle that still did nothing for so long and have nothing to do; returns their ids."""
    rows = await connection.fetch(
        """
        UPDATE agents SET status = $5, status_changed_at = now()
        WHERE workspace_id = $2 AND id = ANY($3::int[]) AND status = $4 AND stopping IS NULL
              AND status_changed_at < now() - $1::interval
              AND (last_active_at IS NULL OR last_active_at < now() - $1::interval)
              AND NOT EXISTS (SELECT FROM durable.jobs_in('agent:' || id))
        RETURNING id
        """, after, workspace_id, list(agent_ids), AgentStatus.ACTIVE, AgentStatus.IDLE)
    return [row["id"] for row in rows]


async def list_to_start(connection: asyncpg.Connection) -> list[tuple[UUID, int]]:
    """Return workspace and id of each inactive agent that starts by itself; the connection sees all workspaces."""
    rows = await connection.fetch(
        "SELECT workspace_id, id FROM agents WHERE status = $1 "
        "AND configuration->'auto_start' = 'true'::jsonb ORDER BY id", AgentStatus.INACTIVE)
    return [(row["workspace_id"], row["id"]) for row in rows]


async def insert_version(
    session: AsyncSession, workspace_id: UUID, agent_id: int, version: int, definition: dict[str, Any], author: str
) -> None:
    """Keep what an agent is after a save."""
    await session.execute(insert(AgentVersion).values(
        workspace_id=workspace_id, agent_id=agent_id, version=version, definition=definition, author=author))


async def list_versions(
    session: AsyncSession, workspace_id: UUID, agent_id: int, skip: int, limit: int
) -> tuple[Sequence[Any], int]:
    """Return version, author and time of an agent's saves, newest first, and how many there are: two statements."""
    mine = (AgentVersion.workspace_id == workspace_id, AgentVersion.agent_id == agent_id)
    total = await session.scalar(select(func.count()).select_from(AgentVersion).where(*mine))
    rows = await session.execute(
        select(AgentVersion.version, AgentVersion.author, AgentVersion.created_at).where(*mine)
        .order_by(AgentVersion.version.desc()).offset(skip).limit(limit))
    return rows.all(), total or 0


async def find_version(session: AsyncSession, workspace_id: UUID, agent_id: int, version: int) -> AgentVersion | None:
    """Return one saved version of an agent of the workspace."""
    return await session.scalar(select(AgentVersion).where(
        AgentVersion.workspace_id == workspace_id, AgentVersion.agent_id == agent_id, AgentVersion.version == version))


STANDING = case((Agent.status == AgentStatus.IDLE, AgentStatus.ACTIVE.value), else_=Agent.status)
"""A status as people mean it: whether an active agent happens to be idle is the server's business."""


async def fingerprint(session: AsyncSession, workspace_id: UUID) -> str | None:
    """Return one text for the definitions and statuses of all agents; None when there is none."""
    each = func.concat(cast(Agent.id, String), ":", cast(Agent.version, String), ":", STANDING)
    return await session.scalar(
        select(func.md5(func.aggregate_strings(each, " ").aggregate_order_by(Agent.id)))
        .where(Agent.workspace_id == workspace_id, Agent.status != AgentStatus.ARCHIVED))


async def changed_since(session: AsyncSession, workspace_id: UUID, since: datetime, limit: int) -> Sequence[Agent]:
    """Return the agents that were saved, or whose status changed, after a moment; the latest first."""
    has_new_status = (Agent.status_changed_at > since) & Agent.status.not_in(list(ELIGIBLE))
    return (await session.scalars(
        select(Agent).where(Agent.workspace_id == workspace_id, or_(Agent.updated_at > since, has_new_status))
        .order_by(Agent.updated_at.desc(), Agent.id).limit(limit))).all()
