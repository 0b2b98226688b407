"""The status of an agent: what it is, what it may become, and every way in which somebody changes it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import stopping
from automatos.agents.advice import describe_impact, describe_work
from automatos.agents.errors import (
    AgentNameTaken,
    AgentNotFound,
    ImpactChanged,
    ImpactNotConfirmed,
    WrongStatus,
)
from automatos.agents.impact import Effects, find_effects
from automatos.agents.lifecycle import Lifecycle
from automatos.agents.models import Agent
from automatos.agents.queries import records
from automatos.agents.saving import refuse_faults, require_room_for_one
from automatos.agents.status_schemas import AgentWorkload, Impact, Shutdown, StatusReport, WaitingStop
from automatos.agents.types import (
    ELIGIBLE,
    STOPS,
    WORKING,
    ActiveWork,
    AgentStatus,
    AgentWork,
    Confirmation,
    PriorityLevel,
    ShutdownType,
    StatusOrder,
)
from automatos.kernel.errors import InvalidRequest
from automatos.workspaces.types import Caller

MOST_SHOWN = 50
"""How much of its work a report about an agent shows; the counts are of all of it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The agent after a change, and how the stop goes that the change began, if it is one."""

    agent: Agent
    shutdown: Shutdown | None = None


async def report(session: AsyncSession, workspace_id: UUID, agent_id: int, work: AgentWork) -> StatusReport:
    """Return where an agent is in its life, what it may become, and what it works on; raises AgentNotFound."""
    agent = await _find(session, workspace_id, agent_id)
    active = await work.active(session, workspace_id, agent_id)
    running, queued = (await work.counts(session, workspace_id, [agent_id]))[agent_id]
    own = agent.configuration
    capacity = int(str(own.get("max_concurrent_tasks", 5)))
    return StatusReport(
        agent_id=agent.id, name=agent.name, status=AgentStatus(agent.status), status_reason=agent.status_reason,
        agent_type=agent.agent_type, priority_level=PriorityLevel(str(own.get("priority_level", PriorityLevel.MEDIUM))),
        max_concurrent_tasks=capacity, auto_start=bool(own.get("auto_start")), configuration=own,
        created_at=agent.created_at, updated_at=agent.updated_at, allowed_statuses=sorted(stopping.allowed_from(agent)),
        stopping=await _describe_stop(session, agent, active, work),
        workload=AgentWorkload(running=running, queued=queued, capacity=capacity,
                               active=[describe_work(one, own) for one in active[:MOST_SHOWN]]),
    )


async def preview(
    session: AsyncSession, workspace_id: UUID, agent_id: int, order: StatusOrder, means: Lifecycle
) -> Impact:
    """Return what a change of status would touch and what must be confirmed for it.

    Raises:
        AgentNotFound: the workspace has no such agent.
        StatusChangeRefused: the agent could not become that; names what it can.
    """
    agent = await _find(session, workspace_id, agent_id)
    _refuse_impossible(agent, order)
    return describe_impact(await _effects(session, agent, order, means))


async def change(
    session: AsyncSession, caller: Caller, agent_id: int, order: StatusOrder, means: Lifecycle
) -> Changed:
    """Change an agent's status, or begin the stop that will; an agent that is there already stays as it is.

    The check of the effects and the change are one transaction. Work that has to be told is told after its commit.

    Raises:
        AgentNotFound, StatusChangeRefused: as their names say.
        AgentNameTaken, PlanLimitReached: it was archived, and another agent has its name or its place by now.
        AgentNotReady: something it needs to work is missing; lists every fault.
        ImpactNotConfirmed: the change has effects; carries them, and names what must be confirmed.
        ImpactChanged: the confirmed effects are not the present ones; carries those.
    """
    agent = await _find(session, caller.workspace_id, agent_id, lock=True)
    if agent.status == order.status:
        return Changed(agent)
    if _is_under_way(agent, order):
        return Changed(agent, await stopping.waiting(session, agent, means))
    _refuse_impossible(agent, order)
    if agent.status in WORKING and order.status in STOPS:
        return await _stop(session, caller, agent, order, means)
    if agent.status == AgentStatus.ARCHIVED:
        await _refuse_taken_name(session, agent)
        await require_room_for_one(session, agent.workspace_id)
    if order.status in ELIGIBLE or (agent.status == AgentStatus.ERROR and order.status is not AgentStatus.ARCHIVED):
        await refuse_faults(session, agent, means.readiness)
    agent = await stopping.become(session, caller, agent, order.status)
    if order.status is AgentStatus.PAUSED:
        stopping.freeze_when_committed(session, agent.workspace_id, agent.id, means.work)
    stopping.tell(session, agent, means.bus)
    return Changed(agent)


async def resume(session: AsyncSession, caller: Caller, agent_id: int, means: Lifecycle) -> Agent:
    """Let a paused agent go on where it stopped; raises WrongStatus for one that stands still for another reason."""
    agent = await _find(session, caller.workspace_id, agent_id, lock=True)
    if agent.status not in ELIGIBLE and agent.status != AgentStatus.PAUSED:
        raise WrongStatus(agent.name, agent.status, AgentStatus.PAUSED, "resumed")
    return (await change(session, caller, agent_id, StatusOrder(AgentStatus.ACTIVE), means)).agent


async def restore(session: AsyncSession, caller: Caller, agent_id: int, means: Lifecycle) -> Agent:
    """Make an archived agent inactive again; raises WrongStatus for another one, AgentNameTaken while its name is."""
    agent = await _find(session, caller.workspace_id, agent_id, lock=True)
    if agent.status != AgentStatus.ARCHIVED:
        raise WrongStatus(agent.name, agent.status, AgentStatus.ARCHIVED, "restored")
    return (await change(session, caller, agent_id, StatusOrder(AgentStatus.INACTIVE), means)).agent


async def clear_error(session: AsyncSession, caller: Caller, agent_id: int, means: Lifecycle) -> Agent:
    """Make an agent in error inactive again, once all it needs is there; its failures are counted anew.

    Raises:
        WrongStatus: it is not in error.
        AgentNotReady: what it needs is still missing; lists every fault.
    """
    agent = await _find(session, caller.workspace_id, agent_id, lock=True)
    if agent.status != AgentStatus.ERROR:
        raise WrongStatus(agent.name, agent.status, AgentStatus.ERROR, "cleared")
    return (await change(session, caller, agent_id, StatusOrder(AgentStatus.INACTIVE), means)).agent


def refuse_unconfirmed(effects: Effects, confirmations: frozenset[Confirmation], token: str | None) -> None:
    """Let a change pass that has no effects, or whose present effects are all confirmed.

    Raises:
        ImpactChanged: the token stands for other effects.
        ImpactNotConfirmed: a confirmation or the token is missing.
    """
    required = effects.required()
    missing = [name for name in required if name not in confirmations]
    if token is not None and token != effects.token():
        raise ImpactChanged(effects.agent.name, describe_impact(effects).model_dump(mode="json"))
    if required and (missing or token is None):
        raise ImpactNotConfirmed(effects.agent.name, missing, describe_impact(effects).model_dump(mode="json"))


async def _stop(
    session: AsyncSession, caller: Caller, agent: Agent, order: StatusOrder, means: Lifecycle
) -> Changed:
    effects = await _effects(session, agent, order, means)
    refuse_unconfirmed(effects, order.confirmations, order.impact_token)
    shutdown_type = order.shutdown_type or ShutdownType.GRACEFUL
    return Changed(*await stopping.begin(session, caller, agent, order.status, shutdown_type, means))


async def _effects(session: AsyncSession, agent: Agent, order: StatusOrder, means: Lifecycle) -> Effects:
    shutdown_type = None
    if agent.status in WORKING and order.status in STOPS:
        shutdown_type = order.shutdown_type or ShutdownType.GRACEFUL
    return await find_effects(session, agent.workspace_id, agent, order.status, shutdown_type, means)


async def _find(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False) -> Agent:
    agent = await records.find_agent(session, workspace_id, agent_id, lock=lock)
    if agent is None:
        raise AgentNotFound(agent_id)
    return agent


async def _refuse_taken_name(session: AsyncSession, agent: Agent) -> None:
    """An archived agent leaves its name to others; it comes back only while nobody has it."""
    if await records.find_agent_by_name(session, agent.workspace_id, agent.name):
        raise AgentNameTaken(agent.name)


def _refuse_impossible(agent: Agent, order: StatusOrder) -> None:
    stopping.refuse_transition(agent, order.status)
    if order.shutdown_type is not None and order.status not in STOPS:
        names = ", ".join(sorted(STOPS))
        raise InvalidRequest(f"shutdown_type: only a change to {names} is a shutdown; leave it out.",
                             field="shutdown_type")


def _is_under_way(agent: Agent, order: StatusOrder) -> bool:
    """Say whether the very stop that is asked for waits already."""
    if agent.stopping is None:
        return False
    wanted = (order.status, order.shutdown_type or ShutdownType.GRACEFUL)
    return (agent.stopping["target"], agent.stopping["shutdown_type"]) == wanted


async def _describe_stop(
    session: AsyncSession, agent: Agent, active: list[ActiveWork], work: AgentWork
) -> WaitingStop | None:
    if agent.stopping is None:
        return None
    shutdown_type, awaiting = stopping.awaited_in(agent, active)
    history = await work.history(session, agent.workspace_id, agent.id)
    return WaitingStop.model_validate(agent.stopping | {
        "awaiting": [describe_work(one, agent.configuration) for one in awaiting[:MOST_SHOWN]],
        "awaiting_count": len(awaiting),
        "estimated_inactive_at": stopping.estimate_inactive_at(shutdown_type, awaiting, history),
    })
