"""Deletion: what would break without an agent, and taking it away with all that hangs on it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.service import Agent, get_agent
from automatos.agents.types import Dependent, group_of
from automatos.durable.service import drop_group
from automatos.heartbeats import service as heartbeats
from automatos.kernel.refusals import is_platform_fault
from automatos.lifecycle.deps import LifecycleDeps
from automatos.lifecycle.errors import AgentInUse, DependentNotCleaned, ImpactChanged
from automatos.lifecycle.impact import Effects, find_effects, find_touched
from automatos.lifecycle.impact_text import describe_impact
from automatos.lifecycle.schemas import Impact
from automatos.lifecycle.stop import interrupt
from automatos.llm import service as llm
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

log = structlog.get_logger("automatos.lifecycle")


@dataclass(frozen=True, slots=True)
class Part:
    """What one package does with its own rows when an agent is deleted, in a savepoint of its own.

    One that is required and fails keeps the agent; others are logged and left.
    """

    name: str
    forget: Callable[[AsyncSession, UUID, int], Awaitable[None]]
    is_required: bool = True


PARTS = (
    Part("heartbeat", heartbeats.forget_agent),
    Part("usage", llm.forget_agent, is_required=False),  # its foreign key does as much
    Part("definition", agents.forget_agent),
)
"""Every package that holds something of an agent: one line each, in this order; the agent's own row goes last.

Recipes keep their steps until somebody gives them another agent, and past runs are history, whoever did them.
"""


async def preview_deletion(session: AsyncSession, workspace_id: UUID, agent_id: int) -> Impact:
    """Return what deleting an agent would touch; raises AgentNotFound."""
    return describe_impact(await _effects(session, await get_agent(session, workspace_id, agent_id)))


async def delete_agent(
    session: AsyncSession, caller: Caller, agent_id: int, deps: LifecycleDeps, *,
    cascade: bool = False, impact_token: str | None = None,
) -> None:
    """Remove an agent; one that is used only with `cascade` and the token of the deletion's present preview.

    With `cascade` its unfinished tasks end, recipes keep their steps without it, and every room forgets what it holds
    of it, each in a savepoint of its own. Usage and past runs stay.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        AgentInUse: recipes or unfinished work need it, and that was not accepted; carries the impact.
        ImpactChanged: what was accepted is not what would be touched now; carries that.
        DependentNotCleaned: a part that must go with it could not be removed; nothing changed.
    """
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
    effects = await _effects(session, agent)
    if is_used(effects):
        _refuse_unaccepted(effects, impact_token if cascade else None)
    running = effects.at("running")
    await _forget(session, agent)
    # A group without a row lets its jobs through: their handlers find the agent gone and end the step.
    await drop_group(session, group_of(agent_id))
    await write_audit(session, caller, "agent.deleted", target_type="agent", target_id=agent_id,
                      detail=_audited(agent, effects))
    if running:
        await interrupt(session, agent, deps)
    agents.announce(session, agent, deps.bus)


def is_used(effects: Effects) -> bool:
    """Say whether anything would notice that the agent is gone."""
    return bool(effects.work or effects.dependents)


def _refuse_unaccepted(effects: Effects, token: str | None) -> None:
    impact = describe_impact(effects).model_dump(mode="json")
    if token is None:
        work = [Dependent("execution", str(one.id), one.name) for one in effects.work]
        raise AgentInUse(effects.agent.name, [*effects.dependents, *work], impact)
    if token != effects.token():
        raise ImpactChanged(effects.agent.name, impact)


async def _forget(session: AsyncSession, agent: Agent) -> None:
    for part in PARTS:
        try:
            async with session.begin_nested():
                await part.forget(session, agent.workspace_id, agent.id)
        except Exception as error:
            if is_platform_fault(error):
                raise  # no fault of the part's
            if part.is_required:
                log.exception("agents.part_not_cleaned", agent_id=agent.id, part=part.name)
                raise DependentNotCleaned(agent.name, part.name) from error
            log.warning("agents.part_left", agent_id=agent.id, part=part.name,
                        error=f"{type(error).__name__}: {error}"[:300])


def _audited(agent: Agent, effects: Effects) -> dict[str, object]:
    counts = {
        "interrupted": len(effects.interrupted), "cancelled": len(effects.cancelled),
        "dependents": len(effects.dependents),
    }
    return {"name": agent.name, **{name: count for name, count in counts.items() if count}}


async def _effects(session: AsyncSession, agent: Agent) -> Effects:
    return await find_effects(session, await find_touched(session, agent, "deleted", None))
