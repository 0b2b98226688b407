"""SQL that tells whether a workspace's agents changed; every function takes the workspace it works in."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, case, cast, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent
from automatos.agents.types import ELIGIBLE, AgentStatus

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
