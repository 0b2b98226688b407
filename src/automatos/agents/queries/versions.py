"""SQL of agents' saved versions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import AgentVersion


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
