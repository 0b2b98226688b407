"""SQL of the agents room; every function takes the workspace it works in."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import Select, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent
from automatos.agents.types import AgentStatus, AgentType, PriorityLevel
from automatos.kernel.db import in_reach

NAME_INDEX = "uq_agents_name"


@dataclass(frozen=True, slots=True)
class AgentFilter:
    """Which agents to list; None means any."""

    status: AgentStatus | None = None
    agent_type: AgentType | None = None
    priority_level: PriorityLevel | None = None
    search: str | None = None


async def list_agents(
    session: AsyncSession, workspace_id: UUID | None, wanted: AgentFilter, skip: int, limit: int
) -> tuple[Sequence[Agent], int]:
    """Return one page of the agents that fit, oldest first, and how many fit in all: two statements.

    Without a workspace they are those of every workspace that the session may see.
    """
    chosen = _chosen(select(Agent), workspace_id, wanted)
    total = await session.scalar(select(func.count()).select_from(chosen.subquery()))
    rows = await session.scalars(chosen.order_by(Agent.id).offset(skip).limit(limit))
    return rows.all(), total or 0


def _chosen(statement: Select[Agent], workspace_id: UUID | None, wanted: AgentFilter) -> Select[Agent]:
    statement = statement.where(in_reach(Agent.workspace_id, workspace_id), Agent.status != AgentStatus.ARCHIVED)
    if wanted.status:
        statement = statement.where(Agent.status == wanted.status)
    if wanted.agent_type:
        statement = statement.where(Agent.agent_type == wanted.agent_type)
    if wanted.priority_level:
        statement = statement.where(Agent.configuration["priority_level"].astext == wanted.priority_level)
    if wanted.search:
        pattern = f"%{_escaped(wanted.search)}%"
        statement = statement.where(
            or_(Agent.name.ilike(pattern, escape="\\"), Agent.description.ilike(pattern, escape="\\"))
        )
    return statement


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def find_agent(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False) -> Agent | None:
    """Return an agent of the workspace; `lock` keeps others from changing it until the transaction ends."""
    statement = select(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def find_agent_by_name(session: AsyncSession, workspace_id: UUID, name: str) -> Agent | None:
    """Return the agent of that name, whatever its case, locked until the transaction ends."""
    return await session.scalar(
        select(Agent).where(
            Agent.workspace_id == workspace_id, func.lower(Agent.name) == func.lower(name),
            Agent.status != AgentStatus.ARCHIVED,
        ).with_for_update()
    )


async def list_by_ids(
    session: AsyncSession, workspace_id: UUID | None, agent_ids: Iterable[int], *, lock: bool = False
) -> Sequence[Agent]:
    """Return those of the named agents that the workspace has; `lock` keeps them from being deleted meanwhile.

    Without a workspace they are those that the session may see.
    """
    statement = select(Agent).where(in_reach(Agent.workspace_id, workspace_id), Agent.id.in_(list(agent_ids)))
    if lock:
        statement = statement.order_by(Agent.id).with_for_update(read=True, key_share=True)
    return (await session.scalars(statement)).all()


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


async def delete_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Remove an agent; its usage and runs stay, without it."""
    await session.execute(delete(Agent).where(Agent.workspace_id == workspace_id, Agent.id == agent_id))


async def read_for_run(
    connection: asyncpg.Connection, workspace_id: UUID, agent_ids: Sequence[int]
) -> list[Mapping[str, Any]]:
    """Return the rows of the named agents as runs need them, by raw SQL on the recording path."""
    rows = await connection.fetch(
        "SELECT id, name, description, agent_type, status, custom_persona_prompt, use_custom_persona, model_config, "
        "configuration, version FROM agents WHERE workspace_id = $1 AND id = ANY($2::int[])",
        workspace_id, list(agent_ids),
    )
    return [dict(row) for row in rows]
