"""The life of an agent: what its status is, what it may become, and every way in which somebody changes it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.errors import AgentNameTaken, StatusChangeRefused
from automatos.agents.service import Agent, get_agent
from automatos.agents.types import ELIGIBLE, STOPS, WORKING, AgentStatus, PriorityLevel, ShutdownType
from automatos.kernel.errors import InvalidRequest
from automatos.lifecycle import stop
from automatos.lifecycle.deps import LifecycleDeps
from automatos.lifecycle.errors import ImpactChanged, ImpactNotConfirmed, WrongStatus
from automatos.lifecycle.impact import Effects, find_effects, find_touched
from automatos.lifecycle.impact_text import describe_impact, describe_work
from automatos.lifecycle.schemas import AgentUpdate, AgentWorkload, Impact, Shutdown, StatusReport, WaitingStop
from automatos.lifecycle.types import Confirmation, StatusOrder
from automatos.recipes.service import history_of_agent, work_of_agent
from automatos.recipes.types import ActiveWork
from automatos.workspaces.types import Caller

MOST_SHOWN = 50
"""How much of its work a report about an agent shows; the counts are of all of it."""


@dataclass(frozen=True, slots=True)
class Changed:
    """The agent after a change, and how the stop goes that the change began, if it is one."""

    agent: Agent
    shutdown: Shutdown | None = None


async def update_agent(
    session: AsyncSession, caller: Caller, agent_id: int, body: AgentUpdate, deps: LifecycleDeps,
    *, expected: frozenset[int] | None = None,
) -> Agent:
    """Save what the body names, then change the status if it names one: all of it, or nothing.

    Nothing named differently means nothing changes. An agent that takes work afterwards must be ready for it.

    Raises:
        AgentNotFound, AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady: as their names say.
        StaleEdit: `expected` does not hold the stored version; carries what is stored.
        StatusChangeRefused, ImpactNotConfirmed, ImpactChanged: as `change_status` says.
    """
    agent = await agents.load_for_update(session, caller, agent_id, deps.readiness.tools, expected)
    if body.status is None and (body.shutdown_type or body.confirmations or body.impact_token):
        raise InvalidRequest("status: shutdown_type, confirmations and impact_token go with a change of status.",
                             field="status")
    agent = await agents.update_agent(session, caller, agent, body, deps.readiness, becomes=body.status)
    if body.status is not None:
        order = StatusOrder(body.status, body.shutdown_type, frozenset(body.confirmations), body.impact_token)
        agent = (await change_status(session, caller, agent_id, order, deps)).agent
    agents.announce(session, agent, deps.bus)
    return agent


async def report_status(session: AsyncSession, workspace_id: UUID, agent_id: int) -> StatusReport:
    """Return where an agent is in its life, what it may become, and what it works on; raises AgentNotFound."""
    agent = await get_agent(session, workspace_id, agent_id)
    active = await work_of_agent(session, workspace_id, agent_id)
    running, queued = (await agents.workloads(session, [agent_id]))[agent_id]
    own, capacity = agent.configuration, agents.capacity_of(agent)
    return StatusReport(
        agent_id=agent.id, name=agent.name, status=AgentStatus(agent.status), status_reason=agent.status_reason,
        agent_type=agent.agent_type, priority_level=PriorityLevel(str(own.get("priority_level", PriorityLevel.MEDIUM))),
        max_concurrent_tasks=capacity, auto_start=bool(own.get("auto_start")), configuration=own,
        created_at=agent.created_at, updated_at=agent.updated_at, allowed_statuses=sorted(agents.allowed_from(agent)),
        stopping=await _describe_stop(session, agent, active),
        workload=AgentWorkload(running=running, queued=queued, capacity=capacity,
                               active=[describe_work(one, own) for one in active[:MOST_SHOWN]]),
    )


async def preview_status(session: AsyncSession, workspace_id: UUID, agent_id: int, order: StatusOrder) -> Impact:
    """Return what a change of status would touch and what must be confirmed for it.

    Raises:
        AgentNotFound: the workspace has no such agent.
        StatusChangeRefused: the agent could not become that; names what it can.
    """
    agent = await get_agent(session, workspace_id, agent_id)
    _refuse_impossible(agent, order)
    touched = await find_touched(session, agent, order.status, _shutdown_type(agent, order))
    return describe_impact(await find_effects(session, touched))


async def change_status(
    session: AsyncSession, caller: Caller, agent_id: int, order: StatusOrder, deps: LifecycleDeps,
    *, only_from: AgentStatus | None = None, verb: str = "",
) -> Changed:
    """Change an agent's status, or begin the stop that will; an agent that is there already stays as it is.

    The check of the effects and the change are one transaction. Work that has to be told is told after its commit.
    With `only_from` the change is for an agent in that status alone, which the refusal calls by its `verb`.

    Raises:
        AgentNotFound, StatusChangeRefused: as their names say.
        WrongStatus: it is not in the status that the change is for.
        AgentNameTaken, PlanLimitReached: it was archived, and another agent has its name or its place by now.
        AgentNotReady: something it needs to work is missing; lists every fault.
        ImpactNotConfirmed: the change has effects; carries them, and names what must be confirmed.
        ImpactChanged: the confirmed effects are not the present ones; carries those.
    """
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    if only_from is not None and agent.status != only_from:
        raise WrongStatus(agent.name, agent.status, only_from, verb)
    if agent.status == order.status:
        return Changed(agent)
    if _is_under_way(agent, order):
        return Changed(agent, await stop.waiting(session, agent))
    _refuse_impossible(agent, order)
    if (shutdown_type := _shutdown_type(agent, order)) is not None:
        return await _stop(session, caller, agent, order, shutdown_type, deps)
    if agent.status == AgentStatus.ARCHIVED:
        await _refuse_taken_name(session, agent)
        await agents.require_room_for_one(session, agent.workspace_id)
    if order.status in ELIGIBLE or (agent.status == AgentStatus.ERROR and order.status is not AgentStatus.ARCHIVED):
        await agents.refuse_faults(session, agent, deps.readiness)
    agent = await agents.set_status(session, caller, agent, order.status)
    if order.status is AgentStatus.PAUSED:
        stop.freeze_when_committed(session, agent, deps)
    agents.announce(session, agent, deps.bus)
    return Changed(agent)


async def resume(session: AsyncSession, caller: Caller, agent_id: int, deps: LifecycleDeps) -> Agent:
    """Let a paused agent go on where it stopped; raises WrongStatus for one that stands still for another reason."""
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    if agent.status not in ELIGIBLE and agent.status != AgentStatus.PAUSED:
        raise WrongStatus(agent.name, agent.status, AgentStatus.PAUSED, "resumed")
    return (await change_status(session, caller, agent_id, StatusOrder(AgentStatus.ACTIVE), deps)).agent


async def restore(session: AsyncSession, caller: Caller, agent_id: int, deps: LifecycleDeps) -> Agent:
    """Make an archived agent inactive again; raises WrongStatus for another one, AgentNameTaken while its name is."""
    return (await change_status(session, caller, agent_id, StatusOrder(AgentStatus.INACTIVE), deps,
                                only_from=AgentStatus.ARCHIVED, verb="restored")).agent


async def clear_error(session: AsyncSession, caller: Caller, agent_id: int, deps: LifecycleDeps) -> Agent:
    """Make an agent in error inactive again, once all it needs is there; its failures are counted anew.

    Raises:
        WrongStatus: it is not in error.
        AgentNotReady: what it needs is still missing; lists every fault.
    """
    return (await change_status(session, caller, agent_id, StatusOrder(AgentStatus.INACTIVE), deps,
                                only_from=AgentStatus.ERROR, verb="cleared")).agent


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
    session: AsyncSession, caller: Caller, agent: Agent, order: StatusOrder, shutdown_type: ShutdownType,
    deps: LifecycleDeps,
) -> Changed:
    group = await stop.close_for_stop(session, agent, shutdown_type)
    touched = await find_touched(session, agent, order.status, shutdown_type)
    # Only work that is touched has to be confirmed; without any, a token alone is worth finding out the rest.
    if touched.ids or order.impact_token is not None:
        refuse_unconfirmed(await find_effects(session, touched), order.confirmations, order.impact_token)
    return Changed(*await stop.begin_stop(session, caller, touched, order.status, shutdown_type, group, deps))


def _shutdown_type(agent: Agent, order: StatusOrder) -> ShutdownType | None:
    """Return how an agent that takes work would stop; None where the change is no stop."""
    if agent.status in WORKING and order.status in STOPS:
        return order.shutdown_type or ShutdownType.GRACEFUL
    return None


async def _refuse_taken_name(session: AsyncSession, agent: Agent) -> None:
    """An archived agent leaves its name to others; it comes back only while nobody has it."""
    if await agents.find_id_by_name(session, agent.workspace_id, agent.name) is not None:
        raise AgentNameTaken(agent.name)


def _refuse_impossible(agent: Agent, order: StatusOrder) -> None:
    allowed = agents.allowed_from(agent)
    if order.status not in allowed and order.status != agent.status:
        raise StatusChangeRefused(AgentStatus(agent.status), order.status, allowed)
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


async def _describe_stop(session: AsyncSession, agent: Agent, active: list[ActiveWork]) -> WaitingStop | None:
    if agent.stopping is None:
        return None
    shutdown_type, awaiting = stop.awaited_in(agent, active)
    history = await history_of_agent(session, agent.workspace_id, agent.id)
    return WaitingStop.model_validate(agent.stopping | {
        "awaiting": [describe_work(one, agent.configuration) for one in awaiting[:MOST_SHOWN]],
        "awaiting_count": len(awaiting),
        "estimated_inactive_at": stop.estimate_inactive_at(shutdown_type, awaiting, history),
    })
