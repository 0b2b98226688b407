"""SQL of the beats themselves: what is due, who runs, what came of it; every function takes its workspace."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, literal_column, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.heartbeats.models import Heartbeat, HeartbeatResult
from automatos.heartbeats.types import BeatStatus
from automatos.kernel.ids import new_id

LOCK = "heartbeats"
IS_RUNNING = HeartbeatResult.status == literal_column(f"'{BeatStatus.RUNNING}'")
"""Written out, because the index of what runs is for this one status."""


async def due(connection: asyncpg.Connection, at: datetime, limit: int) -> list[asyncpg.Record]:
    """Return workspace and agent of heartbeats whose time has come, of every workspace, the longest due first."""
    return await connection.fetch(
        "SELECT workspace_id, agent_id FROM heartbeats WHERE next_at <= $1 ORDER BY next_at LIMIT $2", at, limit)


async def inheriting(connection: asyncpg.Connection, at: datetime) -> list[asyncpg.Record]:
    """Return workspace and agent of heartbeats that wait and use their workspace's hours, of every workspace."""
    return await connection.fetch(
        "SELECT workspace_id, agent_id FROM heartbeats "
        "WHERE next_at > $1 AND (config ->> 'inherit_active_hours')::boolean ORDER BY workspace_id, agent_id", at)


async def workspaces(connection: asyncpg.Connection) -> list[UUID]:
    """Return every workspace that has heartbeats."""
    rows = await connection.fetch("SELECT DISTINCT workspace_id FROM heartbeats")
    return [row["workspace_id"] for row in rows]


async def lock_due(session: AsyncSession, workspace_id: UUID, agent_id: int, at: datetime) -> Heartbeat | None:
    """Return a heartbeat whose time has come, locked; None when another process has it or took it by now."""
    return await session.scalar(
        select(Heartbeat)
        .where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id == agent_id, Heartbeat.next_at <= at)
        .with_for_update(skip_locked=True))


async def lock_waiting(
    session: AsyncSession, workspace_id: UUID, agent_ids: Sequence[int], at: datetime
) -> Sequence[Heartbeat]:
    """Return those of the named heartbeats whose time has not come, locked; those in use elsewhere are left out."""
    return (await session.scalars(
        select(Heartbeat)
        .where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id.in_(agent_ids), Heartbeat.next_at > at)
        .with_for_update(skip_locked=True))).all()


async def set_next(
    session: AsyncSession, workspace_id: UUID, agent_id: int, next_at: datetime | None
) -> None:
    """Set the timer of a heartbeat; its version stays."""
    await session.execute(
        update(Heartbeat).where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id == agent_id)
        .values(next_at=next_at))


async def add_due(
    session: AsyncSession, workspace_id: UUID, agent_id: int, values: Mapping[str, Any]
) -> UUID | None:
    """Add the result of a due beat; None when that beat has one already, whoever made it."""
    return await session.scalar(
        insert(HeartbeatResult).values(id=new_id(), workspace_id=workspace_id, agent_id=agent_id, **values)
        .on_conflict_do_nothing(index_elements=["agent_id", "due_at"]).returning(HeartbeatResult.id))


async def add_asked(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, by: str, at: datetime
) -> HeartbeatResult:
    """Add the result of a beat that a person asked for."""
    found = await session.scalars(
        insert(HeartbeatResult).values(id=new_id(), workspace_id=workspace_id, agent_id=agent_id, created_at=at,
                                       status=BeatStatus.RUNNING, triggered_by=by).returning(HeartbeatResult))
    return found.one()


async def lock_workspace(session: AsyncSession, workspace_id: UUID) -> None:
    """Let nobody else decide about beats of the workspace before this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"{LOCK}:{workspace_id}", 0))))


async def running_agents(session: AsyncSession, workspace_id: UUID) -> Sequence[int]:
    """Return the agents that have a beat which is not over, each once."""
    return (await session.scalars(
        select(HeartbeatResult.agent_id).distinct()
        .where(HeartbeatResult.workspace_id == workspace_id, IS_RUNNING))).all()


async def asked_agents(session: AsyncSession, workspace_id: UUID, besides: UUID) -> Sequence[int]:
    """Return the agents whose beat has been decided to run and is not over, one named beat left out."""
    return (await session.scalars(
        select(HeartbeatResult.agent_id).distinct()
        .where(HeartbeatResult.workspace_id == workspace_id, IS_RUNNING, HeartbeatResult.watched.is_not(None),
               HeartbeatResult.id != besides))).all()


async def find_open(session: AsyncSession, workspace_id: UUID, result_id: UUID) -> HeartbeatResult | None:
    """Return a beat that is not over, locked: of two who drive it, the second sees what the first decided."""
    return await session.scalar(
        select(HeartbeatResult)
        .where(HeartbeatResult.workspace_id == workspace_id, HeartbeatResult.id == result_id,
               HeartbeatResult.status == BeatStatus.RUNNING)
        .with_for_update())


async def save_open(
    session: AsyncSession, workspace_id: UUID, result_id: UUID, values: Mapping[str, Any]
) -> bool:
    """Change a beat that is not over; returns False when it is, because an end is written once."""
    changed = await session.scalar(
        update(HeartbeatResult)
        .where(HeartbeatResult.workspace_id == workspace_id, HeartbeatResult.id == result_id,
               HeartbeatResult.status == BeatStatus.RUNNING)
        .values(**values).returning(HeartbeatResult.id))
    return changed is not None


async def remember(session: AsyncSession, workspace_id: UUID, agent_id: int, watched: Mapping[str, Any]) -> None:
    """Keep what an agent watched when it was last asked."""
    await session.execute(
        update(Heartbeat).where(Heartbeat.workspace_id == workspace_id, Heartbeat.agent_id == agent_id)
        .values(watched=watched))


async def prune(session: AsyncSession, workspace_id: UUID, before: datetime) -> None:
    """Forget the workspace's results older than a moment, those at work left out."""
    await session.execute(
        delete(HeartbeatResult)
        .where(HeartbeatResult.workspace_id == workspace_id, HeartbeatResult.created_at < before,
               HeartbeatResult.status != BeatStatus.RUNNING))
