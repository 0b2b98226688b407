"""SQL about the personas and skills of agents, asked through functions of the database where the rows are others'."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent
from automatos.agents.types import AgentStatus


async def read_voice(
    session: AsyncSession, workspace_id: UUID, persona_id: UUID | None, skill_ids: Sequence[int]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """Return a persona and skills as runs get them; what the workspace does not see, or is switched off, is left out.

    The functions see what the session's workspace sees.
    """
    del workspace_id  # row-level security inside the functions goes by the session's
    row = (await session.execute(select(
        func.persona_for_run(persona_id), func.skills_for_run(list(skill_ids)),
    ))).one()
    return row[0], row[1] or []


async def count_by_persona(
    session: AsyncSession, workspace_id: UUID, persona_ids: Sequence[UUID]
) -> Mapping[UUID, int]:
    """Return how many of a workspace's agents speak with each persona; those that nobody uses are left out."""
    if not persona_ids:
        return {}
    rows = await session.execute(
        select(Agent.persona_id, func.count()).where(
            Agent.workspace_id == workspace_id, Agent.persona_id.in_(persona_ids), Agent.status != AgentStatus.ARCHIVED,
        ).group_by(Agent.persona_id))
    return {persona_id: count for persona_id, count in rows if persona_id is not None}
