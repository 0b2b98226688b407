"""SQL of what people read and save; every function takes the workspace it works in."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.heartbeats.models import Heartbeat, HeartbeatResult
from automatos.heartbeats.types import BeatStatus


async def find_heartbeat(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False
) -> Heartbeat | None:
    """Return an agent's heartbeat; `lock` keeps others from changing it until the transaction ends."""
    statement = select(Heartbeat).where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id == agent_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def add_heartbeat(
    session: AsyncSession, workspace_id: UUID, agent_id: int, values: Mapping[str, Any]
) -> Heartbeat:
    """Add an agent's heartbeat and return it locked; if somebody else was faster, return theirs."""
    await session.execute(
        insert(Heartbeat).values(workspace_id=workspace_id, agent_id=agent_id, **values).on_conflict_do_nothing())
    found = await session.scalars(
        select(Heartbeat).where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id == agent_id)
        .with_for_update())
    return found.one()


async def update_heartbeat(
    session: AsyncSession, workspace_id: UUID, agent_id: int, values: Mapping[str, Any]
) -> Heartbeat:
    """Change an agent's heartbeat and raise its version."""
    found = await session.scalars(
        update(Heartbeat).where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id == agent_id)
        .values(**values, version=Heartbeat.version + 1).returning(Heartbeat)
        .execution_options(populate_existing=True))
    return found.one()


async def delete_heartbeat(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Remove an agent's heartbeat with all its results."""
    for table in (HeartbeatResult, Heartbeat):
        await session.execute(delete(table).where(table.workspace_id == workspace_id, table.agent_id == agent_id))


async def list_heartbeats(session: AsyncSession, workspace_id: UUID) -> Sequence[Heartbeat]:
    """Return the workspace's heartbeats: those that are on first, the soonest due before the others."""
    return (await session.scalars(
        select(Heartbeat).where(Heartbeat.workspace_id == workspace_id)
        .order_by(Heartbeat.is_enabled.desc(), Heartbeat.next_at, Heartbeat.agent_id))).all()


async def planned(
    session: AsyncSession, workspace_id: UUID, limit: int
) -> tuple[Sequence[tuple[int, datetime]], int]:
    """Return agent and next time of the heartbeats that are on, the soonest first, and how many are on."""
    is_on = (Heartbeat.workspace_id == workspace_id, Heartbeat.next_at.is_not(None))
    rows = await session.execute(
        select(Heartbeat.agent_id, Heartbeat.next_at).where(*is_on).order_by(Heartbeat.next_at).limit(limit))
    total = await session.scalar(select(func.count()).select_from(Heartbeat).where(*is_on))
    return [(agent_id, next_at) for agent_id, next_at in rows if next_at], total or 0


async def count_due(session: AsyncSession, workspace_id: UUID, at: datetime) -> int:
    """Return how many heartbeats' time has come."""
    return await session.scalar(
        select(func.count()).select_from(Heartbeat)
        .where(Heartbeat.workspace_id == workspace_id, Heartbeat.next_at <= at)) or 0


async def last_results(
    session: AsyncSession, workspace_id: UUID, agent_ids: Sequence[int]
) -> dict[int, HeartbeatResult]:
    """Return the newest result of each named agent with a heartbeat, by agent; those without a result are left out."""
    latest = (select(HeartbeatResult.id).where(HeartbeatResult.agent_id == Heartbeat.agent_id)
              .order_by(HeartbeatResult.id.desc()).limit(1).scalar_subquery())
    # Asked apart: in one statement all results of the workspace may be read to find these among them.
    ids = (await session.scalars(
        select(latest).where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id.in_(agent_ids)))).all()
    rows = await session.scalars(select(HeartbeatResult).where(
        HeartbeatResult.workspace_id == workspace_id, HeartbeatResult.id.in_([one for one in ids if one])))
    return {row.agent_id: row for row in rows}


async def page_results(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, before: UUID | None, limit: int
) -> Sequence[HeartbeatResult]:
    """Return an agent's results, the newest first, from before the named one on."""
    statement = select(HeartbeatResult).where(
        HeartbeatResult.workspace_id == workspace_id, HeartbeatResult.agent_id == agent_id)
    if before:
        statement = statement.where(HeartbeatResult.id < before)
    return (await session.scalars(statement.order_by(HeartbeatResult.id.desc()).limit(limit))).all()


async def recent_results(
    session: AsyncSession, workspace_id: UUID, since: datetime, limit: int
) -> Sequence[HeartbeatResult]:
    """Return the workspace's newest results made since a moment."""
    return (await session.scalars(
        select(HeartbeatResult)
        .where(HeartbeatResult.workspace_id == workspace_id, HeartbeatResult.created_at >= since)
        .order_by(HeartbeatResult.created_at.desc(), HeartbeatResult.id.desc()).limit(limit))).all()


async def count_since(session: AsyncSession, workspace_id: UUID, since: datetime) -> Mapping[str, Any]:
    """Return how many results of each status were made since a moment, their tokens and their known cost."""
    result = HeartbeatResult
    counts = [func.count().filter(result.status == status).label(status.value) for status in BeatStatus]
    row = await session.execute(
        select(func.count().label("total"), *counts, func.coalesce(func.sum(result.tokens_used), 0).label("tokens"),
               func.coalesce(func.sum(result.cost_micro_usd), 0).label("cost"),
               func.count().filter(result.cost_micro_usd.is_(None), result.tokens_used > 0).label("unpriced"))
        .where(result.workspace_id == workspace_id, result.created_at >= since))
    return dict(row.mappings().one())
