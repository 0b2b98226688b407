"""The clock of heartbeats: beats whose time has come are noted and queued, each once, whoever looks.

`heartbeats.next_at` is the timer. Taking a due beat moves the timer on in the same transaction, so a server that was
down makes up for all it missed with one beat.
"""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from automatos.agents import service as agents
from automatos.durable.service import enqueue_in_session, wake
from automatos.durable.types import EventBus
from automatos.heartbeats.configuration import schedule_of, settings_of
from automatos.heartbeats.errors import HoursUnreadable
from automatos.heartbeats.hours import hours_of
from automatos.heartbeats.models import Heartbeat
from automatos.heartbeats.queries import beats as queries
from automatos.heartbeats.schedule import is_within, next_due
from automatos.heartbeats.types import BEAT, HINT_TOPIC, BeatStatus, Hours
from automatos.kernel.db import Database, Scope
from automatos.kernel.errors import DatabaseUnavailable

log = structlog.get_logger("automatos.heartbeats")
AT_ONCE = 200
PUNCTUAL = timedelta(minutes=1)
"""A beat this late still counts as made at its time; a later one must be inside the hours itself."""
PUT_OFF = timedelta(minutes=1)
KEEP_RESULTS = timedelta(days=90)


async def take_due(database: Database, bus: EventBus, at: datetime) -> int:
    """Note and queue every beat that is due; returns in how many workspaces.

    One that cannot be taken is logged and put off, so that it stands in no other's way.
    """
    async with database.recording(None, Scope.ENGINE) as connection:
        rows = await queries.due(connection, at, AT_ONCE)
    taken: set[UUID] = set()
    for row in rows:
        try:
            if await _take(database, row["workspace_id"], row["agent_id"], at):
                taken.add(row["workspace_id"])
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("heartbeats.not_taken", agent_id=row["agent_id"])
            async with database.session(row["workspace_id"]) as session:
                await queries.set_next(session, row["workspace_id"], row["agent_id"], at + PUT_OFF)
    if taken:
        wake(bus)
    for workspace_id in taken:
        bus.hint(workspace_id, HINT_TOPIC)
    return len(taken)


async def _take(database: Database, workspace_id: UUID, agent_id: int, at: datetime) -> bool:
    async with database.session(workspace_id) as session:
        await agents.describe(session, workspace_id, [agent_id], lock=True)  # first, as everybody does who deletes one
        row = await queries.lock_due(session, workspace_id, agent_id, at)
        if row is None or row.next_at is None:
            return False
        hours, refusal = await _may_beat(database, row, row.next_at, at)
        values = {"due_at": row.next_at, "created_at": at, "status": BeatStatus.RUNNING}
        if refusal:
            values |= {"status": BeatStatus.SKIPPED, "reason": refusal, "finished_at": at}
        result_id = await queries.add_due(session, workspace_id, agent_id, values)
        await queries.set_next(
            session, workspace_id, agent_id, next_due(schedule_of(row, settings_of(row), hours), at))
        if result_id and not refusal:
            await enqueue_in_session(session, BEAT, str(result_id), workspace_id)
    return True


async def _may_beat(
    database: Database, row: Heartbeat, due_at: datetime, at: datetime
) -> tuple[Hours | None, str | None]:
    """Return the hours that count, and why a due beat may not happen; hours that cannot be read allow none."""
    try:
        hours = await hours_of(database, row.workspace_id, settings_of(row))
    except HoursUnreadable as unreadable:
        return None, f"The active hours cannot be read. {unreadable}"
    moment = due_at if at - due_at <= PUNCTUAL else at
    if is_within(hours, moment):
        return hours, None
    return hours, f"It is outside the active hours, {hours.start:%H:%M} to {hours.end:%H:%M} in {hours.zone.key}."


async def follow_hours(database: Database, at: datetime) -> None:
    """Set the timers of heartbeats that use their workspace's hours anew, because somebody may have changed those."""
    async with database.recording(None, Scope.ENGINE) as connection:
        rows = await queries.inheriting(connection, at)
    by_workspace: dict[UUID, list[int]] = defaultdict(list)
    for row in rows:
        by_workspace[row["workspace_id"]].append(row["agent_id"])
    for workspace_id, agent_ids in by_workspace.items():
        try:
            await _follow(database, workspace_id, agent_ids, at)
        except DatabaseUnavailable:
            raise
        except Exception:
            log.exception("heartbeats.hours_not_followed", workspace_id=str(workspace_id))


async def _follow(database: Database, workspace_id: UUID, agent_ids: list[int], at: datetime) -> None:
    async with database.session(workspace_id) as session:
        rows = await queries.lock_waiting(session, workspace_id, agent_ids, at)
        if not rows:
            return
        try:
            hours = await hours_of(database, workspace_id, settings_of(rows[0]))
        except HoursUnreadable:
            return
        for row in rows:
            next_at = next_due(schedule_of(row, settings_of(row), hours), at)
            if next_at != row.next_at:
                await queries.set_next(session, workspace_id, row.agent_id, next_at)


async def forget_old_results(database: Database, at: datetime) -> None:
    """Delete results that are older than 90 days."""
    async with database.recording(None, Scope.ENGINE) as connection:
        workspaces = await queries.workspaces(connection)
    for workspace_id in workspaces:
        async with database.session(workspace_id) as session:
            await queries.prune(session, workspace_id, at - KEEP_RESULTS)
