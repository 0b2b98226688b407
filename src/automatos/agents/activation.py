"""Activation: the only writer of an agent's status, with the group of its work and the audit entry that go with it."""

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.deps import Readiness
from automatos.agents.errors import StatusChangeRefused
from automatos.agents.models import Agent
from automatos.agents.queries import records as queries
from automatos.agents.readiness import refuse_faults
from automatos.agents.stored import settings_of
from automatos.agents.types import (
    ELIGIBLE,
    HINT_TOPIC,
    STOPS,
    TRANSITIONS,
    AgentStatus,
    ShutdownType,
    group_of,
    topic_of,
)
from automatos.durable.service import set_group, wake
from automatos.durable.types import EventBus, GroupMode
from automatos.kernel.db import Database, after_commit
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller


async def activate(session: AsyncSession, caller: Caller, agent: Agent, readiness: Readiness) -> Agent:
    """Make a locked agent that has no work take some, once all it needs is there.

    Raises:
        AgentNotReady: something is missing; lists every fault.
        StatusChangeRefused: it cannot become active from where it is.
    """
    if agent.status in ELIGIBLE:
        return agent
    allowed = TRANSITIONS[AgentStatus(agent.status)]
    if AgentStatus.ACTIVE not in allowed:
        raise StatusChangeRefused(AgentStatus(agent.status), AgentStatus.ACTIVE, allowed)
    await refuse_faults(session, agent, readiness)
    return await set_status(session, caller, agent, AgentStatus.ACTIVE)


async def set_status(
    session: AsyncSession, actor: Caller | str, agent: Agent, status: AgentStatus, *, reason: str | None = None,
    shutdown_type: ShutdownType | None = None, group: GroupMode | None = None,
) -> Agent:
    """Give a locked agent its new status with everything that goes with it: reason, group, audit entry; no stop waits.

    `group` is the mode that this transaction has given its group already. Call `announce` too, where there is a bus.
    """
    before = agent.status
    values: dict[str, object] = {"status": status, "status_reason": reason, "stopping": None}
    if before == AgentStatus.ERROR:
        values["performance_metrics"] = {**agent.performance_metrics, "consecutive_failures": 0}
    agent = await queries.set_life(session, agent.workspace_id, agent.id, values)
    if mode_of(agent) is not group:
        await keep_group(session, agent)
    more = {"shutdown_type": shutdown_type, "reason": reason}
    await note(session, actor, agent, "agent.status_changed", name=agent.name, before=before, after=status,
               **{name: value for name, value in more.items() if value})
    return agent


async def set_stop(session: AsyncSession, agent: Agent, stop: Mapping[str, object] | None) -> Agent:
    """Store the stop that a locked agent waits for, or that none waits; its group is the caller's."""
    return await queries.set_life(session, agent.workspace_id, agent.id, {"stopping": stop})


async def set_reason(session: AsyncSession, agent: Agent, reason: str) -> Agent:
    """Say why a locked agent has the status it has."""
    return await queries.set_life(session, agent.workspace_id, agent.id, {"status_reason": reason})


async def rest_agents(database: Database, workspace_id: UUID, agent_ids: list[int], after: timedelta) -> list[int]:
    """Make those of the agents idle that did nothing for so long and have nothing to do; returns their ids.

    Idle agents take work like active ones, so that nobody decided anything and no audit entry is written.
    """
    async with database.recording(workspace_id) as connection:
        return await queries.rest(connection, workspace_id, agent_ids, after)


async def keep_group(session: AsyncSession, agent: Agent, mode: GroupMode | None = None) -> None:
    """Make the group fit the agent, in the transaction that made or changed it."""
    await set_group(session, group_of(agent.id), capacity_of(agent), mode or mode_of(agent))


def mode_of(agent: Agent) -> GroupMode:
    """Return what becomes of the agent's queued work: it is done, it waits, or it ends."""
    if agent.stopping is not None:
        return GroupMode.OPEN if agent.stopping["shutdown_type"] == ShutdownType.SCHEDULED else GroupMode.CLOSED
    if agent.status in ELIGIBLE:
        return GroupMode.OPEN
    return GroupMode.HELD if agent.status == AgentStatus.PAUSED else GroupMode.CLOSED


def capacity_of(agent: Agent) -> int:
    """Return how many tasks an agent may work on at once."""
    return settings_of(agent.configuration).max_concurrent_tasks


def allowed_from(agent: Agent) -> frozenset[AgentStatus]:
    """Return what people may change an agent to; one that is about to stop can only stop otherwise."""
    allowed = TRANSITIONS[AgentStatus(agent.status)]
    return allowed if agent.stopping is None else allowed & STOPS


def announce(session: AsyncSession, agent: Agent, bus: EventBus) -> None:
    """Once committed, tell readers that the agent changed, and workers that its group may have."""
    def speak() -> None:
        bus.hint(agent.workspace_id, HINT_TOPIC)
        bus.hint(agent.workspace_id, topic_of(agent.id))
        wake(bus)

    after_commit(session, speak)


async def note(session: AsyncSession, actor: Caller | str, agent: Agent, action: str, **detail: object) -> None:
    """Write into the audit log what was done to an agent."""
    await write_audit(session, actor, action, workspace_id=agent.workspace_id, target_type="agent",
                      target_id=agent.id, detail=detail)
