"""Stopping: how an agent comes to its new status when work is in the way, now or later, and how that is called off."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.errors import AgentNotFound, AgentNotStopping, StatusChangeRefused
from automatos.agents.impact import awaited_by, cuts_off
from automatos.agents.lanes import keep_lane
from automatos.agents.lifecycle import Lifecycle
from automatos.agents.models import Agent
from automatos.agents.queries import lifecycle as queries
from automatos.agents.queries import records
from automatos.agents.status_schemas import Shutdown
from automatos.agents.types import (
    HINT_TOPIC,
    INTERRUPT_AGENT,
    STOP_AGENT,
    STOPS,
    TRANSITIONS,
    WORKING,
    ActiveWork,
    AgentStatus,
    AgentWork,
    ShutdownType,
    WorkHistory,
)
from automatos.durable.service import enqueue_in_session, wake
from automatos.durable.types import EventBus, LaneMode
from automatos.kernel.clock import now
from automatos.kernel.db import Database, after_commit
from automatos.kernel.ids import new_id
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

SECOND_LOOK_S = 0.5
"""How long after an interruption is looked again for running work, until there is none."""

_telling: set[asyncio.Task[int]] = set()


async def begin(
    session: AsyncSession, caller: Caller, agent: Agent, target: AgentStatus, shutdown_type: ShutdownType,
    means: Lifecycle,
) -> tuple[Agent, Shutdown]:
    """Stop a locked agent that takes work: at once when there is nothing to wait for, else as soon as there is not.

    While a stop waits the agent keeps its status and takes no new work. The waiting is a job of the queue, which
    outlives this process.
    """
    is_cut = cuts_off(agent.status, shutdown_type)
    await keep_lane(session, agent, LaneMode.OPEN if shutdown_type is ShutdownType.SCHEDULED else LaneMode.CLOSED)
    work = await means.work.active(session, caller.workspace_id, agent.id)
    running = [one.id for one in work if one.place == "running"]
    queued = [one.id for one in work if one.place == "queued"]
    awaiting = [] if is_cut else awaited_by(shutdown_type, work)
    if awaiting:
        agent = await _wait(session, caller, agent, target, shutdown_type)
    else:
        agent = await become(session, caller, agent, target, shutdown_type=shutdown_type)
    if is_cut:
        await interrupt(session, agent.workspace_id, agent.id, means.work)
    tell(session, agent, means.bus)
    return agent, Shutdown(
        shutdown_type=shutdown_type, target=target, interrupted=running if is_cut else [],
        cancelled=[] if shutdown_type is ShutdownType.SCHEDULED else queued, awaiting=[one.id for one in awaiting],
        inactive_at=await _when_inactive(session, agent, awaiting, means.work), is_done=not awaiting,
    )


async def waiting(session: AsyncSession, agent: Agent, means: Lifecycle) -> Shutdown:
    """Return how the stop goes that waits for an agent's work."""
    shutdown_type, awaiting = awaited_in(agent, await means.work.active(session, agent.workspace_id, agent.id))
    return Shutdown(
        shutdown_type=shutdown_type, target=AgentStatus(str(_stop_of(agent)["target"])), interrupted=[], cancelled=[],
        awaiting=[one.id for one in awaiting], is_done=False,
        inactive_at=await _when_inactive(session, agent, awaiting, means.work),
    )


async def cancel(session: AsyncSession, caller: Caller, agent_id: int, means: Lifecycle) -> Agent:
    """Call a waiting stop off; the agent goes on in the status it never left.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        AgentNotStopping: no stop waits.
    """
    agent = await records.find_agent(session, caller.workspace_id, agent_id, lock=True)
    if agent is None:
        raise AgentNotFound(agent_id)
    if agent.stopping is None:
        raise AgentNotStopping(agent.name)
    target = agent.stopping["target"]
    agent = await queries.set_life(session, caller.workspace_id, agent_id, {"stopping": None})
    await keep_lane(session, agent)
    await _note(session, caller, agent, "agent.stop_cancelled", name=agent.name, target=target)
    tell(session, agent, means.bus)
    return agent


async def become(
    session: AsyncSession, actor: Caller | str, agent: Agent, status: AgentStatus, *, reason: str | None = None,
    shutdown_type: ShutdownType | None = None,
) -> Agent:
    """Give a locked agent its new status with everything that goes with it: reason, lane, audit entry; no stop waits.

    Call `tell` too, where there is a bus.
    """
    before = agent.status
    values: dict[str, object] = {
        "status": status, "status_reason": reason, "status_changed_at": now(), "stopping": None}
    if before == AgentStatus.ERROR:
        values["performance_metrics"] = {**agent.performance_metrics, "consecutive_failures": 0}
    agent = await queries.set_life(session, agent.workspace_id, agent.id, values)
    await keep_lane(session, agent)
    more = {"shutdown_type": shutdown_type, "reason": reason}
    await _note(session, actor, agent, "agent.status_changed", name=agent.name, before=before, after=status,
                **{name: value for name, value in more.items() if value})
    return agent


async def look(
    database: Database, bus: EventBus, work: AgentWork, workspace_id: UUID, agent_id: int, stop_id: str
) -> bool:
    """Finish a waiting stop if nothing is in its way any more; say whether there is nothing left to wait for."""
    async with database.session(workspace_id) as session:
        agent = await _find_stopping(session, workspace_id, agent_id, stop_id, lock=False)
        if agent is None:
            return True
        if awaited_in(agent, await work.active(session, workspace_id, agent_id))[1]:
            return False
        agent = await _find_stopping(session, workspace_id, agent_id, stop_id, lock=True)
        if agent is None:
            return True
        stop = _stop_of(agent)
        agent = await become(session, str(stop["requested_by"]), agent, AgentStatus(str(stop["target"])),
                             shutdown_type=ShutdownType(str(stop["shutdown_type"])))
        tell(session, agent, bus)
    return True


async def interrupt(session: AsyncSession, workspace_id: UUID, agent_id: int, work: AgentWork) -> None:
    """Interrupt an agent's running steps once the transaction is committed, and a job makes sure of it.

    This process may die right after the commit, and a step may just be starting, or be frozen and about to go on.
    """
    after_commit(session, lambda: _keep(asyncio.create_task(work.interrupt(workspace_id, agent_id))))
    await enqueue_in_session(session, INTERRUPT_AGENT, f"{agent_id}:{new_id().hex}", workspace_id,
                             delay=timedelta(seconds=SECOND_LOOK_S))


async def interrupt_again(database: Database, work: AgentWork, workspace_id: UUID, agent_id: int) -> bool:
    """Interrupt what still runs for an agent that was cut off; say whether there is nothing left to interrupt.

    An agent that takes work again by now is left alone.
    """
    async with database.session(workspace_id) as session:
        agent = await records.find_agent(session, workspace_id, agent_id)
        if agent is not None and agent.status in WORKING:
            return True
        active = await work.active(session, workspace_id, agent_id)
    if not any(one.place == "running" for one in active):
        return True
    await work.interrupt(workspace_id, agent_id)
    return False


def allowed_from(agent: Agent) -> frozenset[AgentStatus]:
    """Return what people may change an agent to; one that is about to stop can only stop otherwise."""
    allowed = TRANSITIONS[AgentStatus(agent.status)]
    return allowed if agent.stopping is None else allowed & STOPS


def refuse_transition(agent: Agent, status: AgentStatus) -> None:
    """Raise StatusChangeRefused, which names what is allowed, unless the agent may become that or is it."""
    allowed = allowed_from(agent)
    if status not in allowed and status != agent.status:
        raise StatusChangeRefused(AgentStatus(agent.status), status, allowed)


def freeze_when_committed(session: AsyncSession, workspace_id: UUID, agent_id: int, work: AgentWork) -> None:
    """Ask an agent's running steps to stop at their next turn, the moment the transaction is committed."""
    after_commit(session, lambda: _keep(asyncio.create_task(work.freeze(workspace_id, agent_id))))


def tell(session: AsyncSession, agent: Agent, bus: EventBus) -> None:
    """Once committed, tell readers that the agent changed, and workers that its lane may have."""
    def speak() -> None:
        bus.hint(agent.workspace_id, HINT_TOPIC)
        bus.hint(agent.workspace_id, topic_of(agent.id))
        wake(bus)

    after_commit(session, speak)


def topic_of(agent_id: int) -> str:
    """Return the hint topic of one agent."""
    return f"agent:{agent_id}"


def awaited_in(agent: Agent, work: Sequence[ActiveWork]) -> tuple[ShutdownType, list[ActiveWork]]:
    """Return the type of the stop that waits, and what of the agent's work it waits for."""
    shutdown_type = ShutdownType(str(_stop_of(agent)["shutdown_type"]))
    return shutdown_type, awaited_by(shutdown_type, work)


def estimate_inactive_at(
    shutdown_type: ShutdownType, awaiting: Sequence[ActiveWork], history: WorkHistory
) -> datetime | None:
    """Return when the awaited work should be over; None when nothing is known of how long it takes.

    A graceful stop waits for the running steps only, so the usual length of a step is the most it takes.
    """
    if shutdown_type is ShutdownType.GRACEFUL and history.median_step_s is not None:
        return now() + timedelta(seconds=history.median_step_s)
    left = [one.remaining_s for one in awaiting]
    known = [one for one in left if one is not None]
    return now() + timedelta(seconds=max(known)) if known and len(known) == len(left) else None


async def _wait(
    session: AsyncSession, caller: Caller, agent: Agent, target: AgentStatus, shutdown_type: ShutdownType
) -> Agent:
    stop_id = new_id().hex
    stop = {"id": stop_id, "shutdown_type": shutdown_type, "target": target, "requested_by": caller.actor,
            "requested_at": now().isoformat()}
    agent = await queries.set_life(session, caller.workspace_id, agent.id, {"stopping": stop})
    # Each stop has a job of its own: one that is just ending, because its stop was called off, must not swallow this.
    await enqueue_in_session(session, STOP_AGENT, f"{agent.id}:{stop_id}", caller.workspace_id)
    await _note(session, caller, agent, "agent.stop_requested", name=agent.name, target=target,
                shutdown_type=shutdown_type)
    return agent


async def _when_inactive(
    session: AsyncSession, agent: Agent, awaiting: Sequence[ActiveWork], work: AgentWork
) -> datetime | None:
    if agent.stopping is None:
        return agent.status_changed_at
    history = await work.history(session, agent.workspace_id, agent.id)
    return estimate_inactive_at(ShutdownType(str(agent.stopping["shutdown_type"])), awaiting, history)


async def _find_stopping(
    session: AsyncSession, workspace_id: UUID, agent_id: int, stop_id: str, *, lock: bool
) -> Agent | None:
    """Return the agent if it still waits for that very stop."""
    agent = await records.find_agent(session, workspace_id, agent_id, lock=lock)
    return agent if agent and agent.stopping and agent.stopping["id"] == stop_id else None


def _stop_of(agent: Agent) -> dict[str, Any]:
    if agent.stopping is None:
        raise ValueError("only a waiting stop can be looked at")
    return agent.stopping


def _keep(task: asyncio.Task[int]) -> None:
    """Hold a task until it is done; nothing else does."""
    _telling.add(task)
    task.add_done_callback(_telling.discard)


async def _note(session: AsyncSession, actor: Caller | str, agent: Agent, action: str, **detail: object) -> None:
    await write_audit(session, actor, action, workspace_id=agent.workspace_id, target_type="agent",
                      target_id=agent.id, detail=detail)
