"""SQL of the agents room; every function takes the workspace it works in."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.errors import AgentNotFound
from automatos.agents.models import Agent
from automatos.agents.types import AgentStatus

NAME_INDEX = "uq_agents_name"


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


async def read_for_run(connection: asyncpg.Connection, agent_ids: Sequence[int]) -> list[Mapping[str, Any]]:
    """Return the rows of the named agents of the connection's workspace as runs need them."""
    return await connection.fetchval("SELECT agents_for_run($1)", list(agent_ids)) or []
