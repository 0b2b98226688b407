"""Verbs of heartbeats: configure one, have an agent check in now, tell who depends on an agent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.errors import AgentNotFound
from automatos.agents.types import AgentRef, AgentSpec, Dependent
from automatos.durable.service import enqueue_in_session, wake
from automatos.durable.types import EventBus
from automatos.heartbeats import watching
from automatos.heartbeats.configuration import merged, schedule_of, settings_of, stored, timing_of
from automatos.heartbeats.errors import HeartbeatRunning, HoursUnreadable, TooManyHeartbeats
from automatos.heartbeats.hours import hours_of, show_hours
from automatos.heartbeats.models import Heartbeat
from automatos.heartbeats.queries import beats
from automatos.heartbeats.queries import records as queries
from automatos.heartbeats.schedule import next_due
from automatos.heartbeats.schemas import HeartbeatConfig, HeartbeatResult, HeartbeatSettings
from automatos.heartbeats.types import BEAT, HINT_TOPIC, MAX_RUNNING
from automatos.kernel.db import Database
from automatos.kernel.errors import StaleEdit
from automatos.recipes.errors import AgentNotEligible
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

__all__ = ["configure", "dependents_of_agent", "forget_agent", "get_config", "run_now", "would_change"]


async def get_config(
    session: AsyncSession, database: Database, workspace_id: UUID, agent_id: int
) -> HeartbeatConfig:
    """Return an agent's heartbeat, or what is assumed for one never configured; raises AgentNotFound."""
    await agents.get_agent(session, workspace_id, agent_id)
    row = await queries.find_heartbeat(session, workspace_id, agent_id)
    return await _shown(database, workspace_id, agent_id, row)


async def would_change(
    session: AsyncSession, database: Database, workspace_id: UUID, agent_id: int, body: HeartbeatSettings
) -> bool:
    """Say whether anything that a request names is another than it is; raises AgentNotFound."""
    before = await get_config(session, database, workspace_id, agent_id)
    return any(getattr(before, name) != getattr(body, name) for name in body.model_fields_set)


async def configure(
    session: AsyncSession, database: Database, caller: Caller, agent_id: int, body: HeartbeatSettings, *, at: datetime,
    expected: frozenset[int] | None = None,
) -> HeartbeatConfig:
    """Save what `body` names of an agent's heartbeat; the rest stays as it was.

    Intervals are counted from the moment it was switched on or its interval was changed. What the agent watches is
    looked at the first time, so that the first beat after it asks the agent only if something changed since.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    agent = await _kept(session, caller.workspace_id, agent_id)
    row = await _found_or_made(session, database, caller.workspace_id, agent_id, body, at)
    if expected is not None and row.version not in expected:
        raise await _stale(database, row, agent.name)
    before = settings_of(row)
    settings = merged(before, body)
    if row.version and settings == before:
        return await _shown(database, caller.workspace_id, agent_id, row)
    values = await _timing(database, row, before, settings, at)
    row = await queries.update_heartbeat(session, caller.workspace_id, agent_id, values)
    await write_audit(session, caller, "heartbeat.configured", target_type="agent", target_id=agent_id, detail={
        "old": before.model_dump(mode="json"), "new": settings.model_dump(mode="json")})
    return await _shown(database, caller.workspace_id, agent_id, row)


async def run_now(
    database: Database, bus: EventBus, caller: Caller, agent_id: int, *, at: datetime
) -> HeartbeatResult:
    """Have an agent check in now, whatever the hour and whether or not anything changed.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        AgentNotEligible: it takes no work now.
        HeartbeatRunning: one of its beats is at work.
        TooManyHeartbeats: the workspace's other agents have as many at work as may be.
    """
    workspace_id = caller.workspace_id
    async with database.session(workspace_id) as session:
        name = (await _kept(session, workspace_id, agent_id)).name
        agent = await spec_of(database, workspace_id, agent_id)
        if not agent.is_eligible:
            raise AgentNotEligible(name, f"it is {agent.status}")
        await beats.lock_workspace(session, workspace_id)
        running = await beats.running_agents(session, workspace_id)
        if agent_id in running:
            raise HeartbeatRunning(name)
        if len(running) >= MAX_RUNNING:
            raise TooManyHeartbeats
        await _found_or_made(session, database, workspace_id, agent_id, HeartbeatSettings(), at)
        result = await beats.add_asked(session, workspace_id, agent_id, by=caller.actor, at=at)
        await enqueue_in_session(session, BEAT, str(result.id), workspace_id)
        await write_audit(session, caller, "heartbeat.run_requested", target_type="agent", target_id=agent_id)
        shown = HeartbeatResult.model_validate(result)
    wake(bus)
    bus.hint(workspace_id, HINT_TOPIC)
    return shown


async def dependents_of_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[Dependent]:
    """Return the heartbeat of an agent, if it is on."""
    row = await queries.find_heartbeat(session, workspace_id, agent_id)
    if row is None or not row.is_enabled:
        return []
    return [Dependent("heartbeat", str(agent_id), f"Every {settings_of(row).interval_minutes} minutes")]


async def forget_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Remove the heartbeat of an agent that is deleted, and what came of it."""
    await queries.delete_heartbeat(session, workspace_id, agent_id)


async def spec_of(database: Database, workspace_id: UUID, agent_id: int) -> AgentSpec:
    """Return an agent as a run needs it; raises AgentNotFound."""
    for spec in await agents.load_for_run(database, workspace_id, [agent_id]):
        return spec
    raise AgentNotFound(agent_id)


async def _kept(session: AsyncSession, workspace_id: UUID, agent_id: int) -> AgentRef:
    """Return an agent that nobody can delete before the transaction ends; raises AgentNotFound."""
    agent = (await agents.describe(session, workspace_id, [agent_id], lock=True))[agent_id]
    if agent.status is None:
        raise AgentNotFound(agent_id)
    return agent


async def _found_or_made(
    session: AsyncSession, database: Database, workspace_id: UUID, agent_id: int, body: HeartbeatSettings, at: datetime
) -> Heartbeat:
    """Return an agent's heartbeat, locked. A new one is off, at version 0, and has had a look at what it watches."""
    found = await queries.find_heartbeat(session, workspace_id, agent_id, lock=True)
    if found is None:
        agent = await spec_of(database, workspace_id, agent_id)
        watched = await watching.look(session, workspace_id, agent, body, at)
        found = await queries.add_heartbeat(session, workspace_id, agent_id, {
            "config": stored(HeartbeatSettings()), "watched": watched, "anchor_at": at, "version": 0, "updated_at": at})
    return found


async def _timing(
    database: Database, row: Heartbeat, before: HeartbeatSettings, settings: HeartbeatSettings, at: datetime
) -> Mapping[str, Any]:
    """Return the values to save, with the time of the next beat; it is set anew only when it may have changed."""
    if not before.enabled or settings.interval_minutes != before.interval_minutes:
        row.anchor_at = at.replace(microsecond=0)
    next_at = row.next_at
    if timing_of(settings) != timing_of(before):
        next_at = await _next_beat(database, row, settings, at) if settings.enabled else None
    return {"config": stored(settings), "is_enabled": settings.enabled, "anchor_at": row.anchor_at, "next_at": next_at,
            "updated_at": at}


async def _next_beat(
    database: Database, row: Heartbeat, settings: HeartbeatSettings, after: datetime
) -> datetime:
    """Return when a heartbeat is due next; while its hours cannot be read, at its next interval."""
    try:
        hours = await hours_of(database, row.workspace_id, settings)
    except HoursUnreadable:
        hours = None
    return next_due(schedule_of(row, settings, hours), after)


async def _shown(database: Database, workspace_id: UUID, agent_id: int, row: Heartbeat | None) -> HeartbeatConfig:
    settings = settings_of(row)
    return HeartbeatConfig.model_validate({
        **settings.model_dump(), "agent_id": agent_id,
        "active_hours": await show_hours(database, workspace_id, settings), "next_at": row.next_at if row else None,
        "version": row.version if row else 0, "updated_at": row.updated_at if row else None,
    })


async def _stale(database: Database, row: Heartbeat, agent_name: str) -> StaleEdit:
    current = await _shown(database, row.workspace_id, row.agent_id, row)
    return StaleEdit(
        f"The heartbeat of {agent_name!r} is at version {row.version} now. Load it again, redo your change and save.",
        current=current.model_dump(mode="json"))
