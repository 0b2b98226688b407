"""Stopping: how an agent comes to its new status when work is in the way, now or later, and how that is called off."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.service import (
    Agent,
    announce,
    find_agent,
    get_agent,
    keep_group,
    note,
    set_status,
    set_stop,
)
from automatos.agents.types import WORKING, AgentStatus, ShutdownType, group_of
from automatos.durable.service import enqueue_in_session, pause_group, stop_group
from automatos.durable.types import EventBus, GroupMode
from automatos.kernel.clock import now
from automatos.kernel.db import Database, after_commit
from automatos.kernel.ids import new_id
from automatos.lifecycle.deps import LifecycleDeps
from automatos.lifecycle.errors import AgentNotStopping
from automatos.lifecycle.impact import Touched, awaited_by, cuts_off
from automatos.lifecycle.schemas import Shutdown
from automatos.lifecycle.types import INTERRUPT_AGENT, STOP_AGENT
from automatos.recipes.service import history_of_agent, work_of_agent
from automatos.recipes.types import ActiveWork, WorkHistory
from automatos.workspaces.types import Caller

SECOND_LOOK_S = 0.5
"""How long after an interruption is looked again for running work, until there is none."""

_telling: set[asyncio.Task[int]] = set()


async def close_for_stop(session: AsyncSession, agent: Agent, shutdown_type: ShutdownType) -> GroupMode:
    """Let a locked agent that is to stop take nothing more than its stop leaves it, and return its group's mode.

    Done before its work is read: what is found then is all that there will be.
    """
    mode = GroupMode.OPEN if shutdown_type is ShutdownType.SCHEDULED else GroupMode.CLOSED
    await keep_group(session, agent, mode)
    return mode


async def begin_stop(
    session: AsyncSession, caller: Caller, touched: Touched, target: AgentStatus, shutdown_type: ShutdownType,
    group: GroupMode, deps: LifecycleDeps,
) -> tuple[Agent, Shutdown]:
    """Stop a locked agent that takes work: at once when there is nothing to wait for, else as soon as there is not.

    `group` is what `close_for_stop` gave it. While a stop waits the agent keeps its status and takes no new work. The
    waiting is a job of the queue, which outlives this process.
    """
    # Asked before the status changes, which changes what they say.
    agent, awaiting = touched.agent, touched.awaited
    interrupted, cancelled = touched.interrupted, touched.cancelled
    is_cut = cuts_off(agent.status, shutdown_type)
    if awaiting:
        agent = await _wait(session, caller, agent, target, shutdown_type)
    else:
        agent = await set_status(session, caller, agent, target, shutdown_type=shutdown_type, group=group)
    if is_cut:
        await interrupt(session, agent, deps)
    announce(session, agent, deps.bus)
    return agent, Shutdown(
        shutdown_type=shutdown_type, target=target, interrupted=[one.id for one in interrupted],
        cancelled=[one.id for one in cancelled], awaiting=[one.id for one in awaiting],
        inactive_at=await _when_inactive(session, agent, awaiting), is_done=not awaiting,
    )


async def waiting(session: AsyncSession, agent: Agent) -> Shutdown:
    """Return how the stop goes that waits for an agent's work."""
    shutdown_type, awaiting = awaited_in(agent, await work_of_agent(session, agent.workspace_id, agent.id))
    return Shutdown(
        shutdown_type=shutdown_type, target=AgentStatus(str(_stop_of(agent)["target"])), interrupted=[], cancelled=[],
        awaiting=[one.id for one in awaiting], is_done=False,
        inactive_at=await _when_inactive(session, agent, awaiting),
    )


async def cancel_stop(session: AsyncSession, caller: Caller, agent_id: int, bus: EventBus) -> Agent:
    """Call a waiting stop off; the agent goes on in the status it never left.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        AgentNotStopping: no stop waits.
    """
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    if agent.stopping is None:
        raise AgentNotStopping(agent.name)
    target = agent.stopping["target"]
    agent = await set_stop(session, agent, None)
    await keep_group(session, agent)
    await note(session, caller, agent, "agent.stop_cancelled", name=agent.name, target=target)
    announce(session, agent, bus)
    return agent


async def finish_stop(
    database: Database, bus: EventBus, workspace_id: UUID, agent_id: int, stop_id: str
) -> bool:
    """Finish a waiting stop if nothing is in its way any more; say whether there is nothing left to wait for."""
    async with database.session(workspace_id) as session:
        agent = await _find_stopping(session, workspace_id, agent_id, stop_id, lock=False)
        if agent is None:
            return True
        if awaited_in(agent, await work_of_agent(session, workspace_id, agent_id))[1]:
            return False
        agent = await _find_stopping(session, workspace_id, agent_id, stop_id, lock=True)
        if agent is None:
            return True
        stop = _stop_of(agent)
        agent = await set_status(session, str(stop["requested_by"]), agent, AgentStatus(str(stop["target"])),
                                 shutdown_type=ShutdownType(str(stop["shutdown_type"])))
        announce(session, agent, bus)
    return True


async def interrupt(session: AsyncSession, agent: Agent, deps: LifecycleDeps) -> None:
    """Interrupt an agent's running steps once the transaction is committed, and a job makes sure of it.

    This process may die right after the commit, and a step may just be starting, or be frozen and about to go on.
    """
    group = group_of(agent.id)
    after_commit(session, lambda: _hold(asyncio.create_task(stop_group(deps.database, deps.bus, group))))
    await enqueue_in_session(session, INTERRUPT_AGENT, f"{agent.id}:{new_id().hex}", agent.workspace_id,
                             delay=timedelta(seconds=SECOND_LOOK_S))


async def interrupt_again(database: Database, bus: EventBus, workspace_id: UUID, agent_id: int) -> bool:
    """Interrupt what still runs for an agent that was cut off; say whether there is nothing left to interrupt.

    An agent that takes work again by now is left alone.
    """
    async with database.session(workspace_id) as session:
        agent = await find_agent(session, workspace_id, agent_id)
        if agent is not None and agent.status in WORKING:
            return True
        work = await work_of_agent(session, workspace_id, agent_id)
    if not any(one.place == "running" for one in work):
        return True
    await stop_group(database, bus, group_of(agent_id))
    return False


def freeze_when_committed(session: AsyncSession, agent: Agent, deps: LifecycleDeps) -> None:
    """Ask an agent's running steps to stop at their next turn, the moment the transaction is committed."""
    group = group_of(agent.id)
    after_commit(session, lambda: _hold(asyncio.create_task(pause_group(deps.database, deps.bus, group))))


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
    agent = await set_stop(session, agent, stop)
    # Each stop has a job of its own: one that is just ending, because its stop was called off, must not swallow this.
    await enqueue_in_session(session, STOP_AGENT, f"{agent.id}:{stop_id}", caller.workspace_id)
    await note(session, caller, agent, "agent.stop_requested", name=agent.name, target=target,
               shutdown_type=shutdown_type)
    return agent


async def _when_inactive(session: AsyncSession, agent: Agent, awaiting: Sequence[ActiveWork]) -> datetime | None:
    if agent.stopping is None:
        return agent.status_changed_at
    history = await history_of_agent(session, agent.workspace_id, agent.id)
    return estimate_inactive_at(ShutdownType(str(agent.stopping["shutdown_type"])), awaiting, history)


async def _find_stopping(
    session: AsyncSession, workspace_id: UUID, agent_id: int, stop_id: str, *, lock: bool
) -> Agent | None:
    """Return the agent if it still waits for that very stop."""
    agent = await find_agent(session, workspace_id, agent_id, lock=lock)
    return agent if agent and agent.stopping and agent.stopping["id"] == stop_id else None


def _stop_of(agent: Agent) -> dict[str, Any]:
    if agent.stopping is None:
        raise ValueError("only a waiting stop can be looked at")
    return agent.stopping


def _hold(task: asyncio.Task[int]) -> None:
    """Hold a task until it is done; nothing else does."""
    _telling.add(task)
    task.add_done_callback(_telling.discard)
