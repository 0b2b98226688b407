"""What people see of heartbeats: how they stand, what they found, what they cost."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.types import AgentRef, AgentStatus
from automatos.heartbeats import schemas
from automatos.heartbeats.configuration import settings_of
from automatos.heartbeats.errors import HoursUnreadable
from automatos.heartbeats.hours import workspace_hours
from automatos.heartbeats.models import Heartbeat, HeartbeatResult
from automatos.heartbeats.queries import beats
from automatos.heartbeats.queries import records as queries
from automatos.kernel.db import Database

JOBS_SHOWN = 100
EVENTS_SHOWN = 20
LATELY = timedelta(hours=24)


async def last_result(
    session: AsyncSession, workspace_id: UUID, agent_id: int
) -> schemas.HeartbeatResult | None:
    """Return an agent's newest result, None before its first beat; raises AgentNotFound."""
    await agents.get_agent(session, workspace_id, agent_id)
    found = await queries.page_results(session, workspace_id, agent_id, before=None, limit=1)
    return schemas.HeartbeatResult.model_validate(found[0]) if found else None


async def history(
    session: AsyncSession, workspace_id: UUID, agent_id: int, *, before: UUID | None, limit: int
) -> schemas.HeartbeatHistory:
    """Return a page of an agent's results, the newest first; raises AgentNotFound."""
    await agents.get_agent(session, workspace_id, agent_id)
    rows = await queries.page_results(session, workspace_id, agent_id, before=before, limit=limit + 1)
    more = str(rows[limit - 1].id) if len(rows) > limit else None
    items = [schemas.HeartbeatResult.model_validate(row) for row in rows[:limit]]
    return schemas.HeartbeatHistory(items=items, next_cursor=more)


async def list_heartbeats(session: AsyncSession, workspace_id: UUID) -> schemas.WorkspaceHeartbeats:
    """Return the workspace's heartbeats with the last result of each: three statements."""
    rows = await queries.list_heartbeats(session, workspace_id)
    ids = [row.agent_id for row in rows]
    known = await agents.describe(session, workspace_id, ids)
    last = await queries.last_results(session, workspace_id, ids)
    items = [_shown(row, known[row.agent_id], last.get(row.agent_id)) for row in rows]
    return schemas.WorkspaceHeartbeats(items=items, total=len(items))


async def status(
    session: AsyncSession, workspace_id: UUID, *, at: datetime, is_active: bool
) -> schemas.HeartbeatStatus:
    """Return what runs, what is due and what is planned in the workspace."""
    planned, total = await queries.planned(session, workspace_id, JOBS_SHOWN)
    known = await agents.describe(session, workspace_id, [agent_id for agent_id, _ in planned])
    return schemas.HeartbeatStatus(
        active=is_active, running=len(await beats.running_agents(session, workspace_id)),
        due=await queries.count_due(session, workspace_id, at), total=total,
        jobs=[schemas.HeartbeatJob(agent_id=agent_id, agent_name=known[agent_id].name, next_at=next_at)
              for agent_id, next_at in planned],
    )


async def analytics(
    session: AsyncSession, database: Database, workspace_id: UUID, *, at: datetime
) -> schemas.HeartbeatAnalytics:
    """Return the counts of the day so far, in the workspace's time zone, and the newest results."""
    since = await _start_of_day(database, workspace_id, at)
    counted = await queries.count_since(session, workspace_id, since)
    recent = await queries.recent_results(session, workspace_id, at - LATELY, EVENTS_SHOWN)
    known = await agents.describe(session, workspace_id, {row.agent_id for row in recent})
    return schemas.HeartbeatAnalytics(
        today=schemas.Today.model_validate({
            "since": since, "total_heartbeats": counted["total"], "successes": counted["success"],
            "errors": counted["error"], "unchanged": counted["unchanged"], "skipped": counted["skipped"],
            "total_tokens": counted["tokens"], "unpriced_heartbeats": counted["unpriced"],
            "total_cost_micro_usd": None if counted["unpriced"] else counted["cost"],
            "known_cost_micro_usd": counted["cost"]}),
        recent_events=[_event(row, known[row.agent_id]) for row in recent],
    )


async def _start_of_day(database: Database, workspace_id: UUID, at: datetime) -> datetime:
    try:
        zone = (await workspace_hours(database, workspace_id)).zone
    except HoursUnreadable:
        zone = ZoneInfo("UTC")
    return datetime.combine(at.astimezone(zone).date(), time(), tzinfo=zone)


def _shown(row: Heartbeat, agent: AgentRef, last: HeartbeatResult | None) -> schemas.AgentHeartbeat:
    config = settings_of(row)
    return schemas.AgentHeartbeat(
        agent_id=row.agent_id, agent_name=agent.name, agent_status=agent.status or AgentStatus.ARCHIVED,
        enabled=row.is_enabled, interval_minutes=config.interval_minutes, run_when=config.run_when,
        next_at=row.next_at, last=schemas.HeartbeatResult.model_validate(last) if last else None,
    )


def _event(row: HeartbeatResult, agent: AgentRef) -> schemas.RecentBeat:
    columns = [str(field.validation_alias or name) for name, field in schemas.HeartbeatResult.model_fields.items()]
    return schemas.RecentBeat.model_validate(
        {column: getattr(row, column) for column in columns} | {"agent_name": agent.name})
