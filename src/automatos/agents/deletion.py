"""Deletion: what would break without an agent, and taking it away with all that hangs on it."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import stopping
from automatos.agents.advice import describe_impact
from automatos.agents.errors import AgentInUse, AgentNotFound, DependentNotCleaned, ImpactChanged
from automatos.agents.impact import Effects, find_effects
from automatos.agents.lifecycle import Lifecycle
from automatos.agents.models import Agent
from automatos.agents.queries import lifecycle as queries
from automatos.agents.queries import records
from automatos.agents.status_schemas import Impact
from automatos.agents.types import Cleaner, Dependent, lane_of
from automatos.durable.service import drop_lane
from automatos.kernel.refusals import is_platform_fault
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

log = structlog.get_logger("automatos.agents")


async def preview(session: AsyncSession, workspace_id: UUID, agent_id: int, means: Lifecycle) -> Impact:
    """Return what deleting an agent would touch; raises AgentNotFound."""
    agent = await _find(session, workspace_id, agent_id, lock=False)
    return describe_impact(await _effects(session, agent, means))


async def delete_agent(
    session: AsyncSession, caller: Caller, agent_id: int, means: Lifecycle, *,
    cascade: bool = False, impact_token: str | None = None,
) -> None:
    """Remove an agent; one that is used only with `cascade` and the token of the deletion's present preview.

    With `cascade` its unfinished tasks end, recipes keep their steps without it, and what hangs on it is cleaned, each
    part in a savepoint of its own. Usage and past runs stay.

    Raises:
        AgentNotFound: the caller's workspace has no such agent.
        AgentInUse: recipes or unfinished work need it, and that was not accepted; carries the impact.
        ImpactChanged: what was accepted is not what would be touched now; carries that.
        DependentNotCleaned: a part that must go with it could not be removed; nothing changed.
    """
    agent = await _find(session, caller.workspace_id, agent_id, lock=True)
    effects = await _effects(session, agent, means)
    if is_used(effects):
        _refuse_unaccepted(effects, impact_token if cascade else None)
    running = effects.at("running")
    await _clean(session, agent, means)
    await records.delete_agent(session, caller.workspace_id, agent_id)
    # A lane without a row lets its jobs through: their handlers find the agent gone and end the step.
    await drop_lane(session, lane_of(agent_id))
    await write_audit(session, caller, "agent.deleted", target_type="agent", target_id=agent_id,
                      detail=_audited(agent, effects))
    if running:
        await stopping.interrupt(session, caller.workspace_id, agent_id, means.work)
    stopping.tell(session, agent, means.bus)


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


async def _clean(session: AsyncSession, agent: Agent, means: Lifecycle) -> None:
    for cleaner in (*OWN_PARTS, *means.cleaners):
        try:
            async with session.begin_nested():
                await cleaner.clean(session, agent.workspace_id, agent.id)
        except Exception as error:
            if is_platform_fault(error):
                raise  # no fault of the part's
            if cleaner.is_required:
                log.exception("agents.part_not_cleaned", agent_id=agent.id, part=cleaner.name)
                raise DependentNotCleaned(agent.name, cleaner.name) from error
            log.warning("agents.part_left", agent_id=agent.id, part=cleaner.name,
                        error=f"{type(error).__name__}: {error}"[:300])


def _part(name: str, clean: Callable[[AsyncSession, UUID, int], Awaitable[None]]) -> Cleaner:
    return Cleaner(name, is_required=True, clean=clean)


OWN_PARTS = (_part("skills", queries.delete_skills), _part("versions", queries.delete_versions))
"""What of this room goes with an agent, before the parts of other rooms."""


def _audited(agent: Agent, effects: Effects) -> dict[str, object]:
    counts = {
        "interrupted": len(effects.interrupted), "cancelled": len(effects.cancelled),
        "dependents": len(effects.dependents),
    }
    return {"name": agent.name, **{name: count for name, count in counts.items() if count}}


async def _effects(session: AsyncSession, agent: Agent, means: Lifecycle) -> Effects:
    return await find_effects(session, agent.workspace_id, agent, "deleted", None, means)


async def _find(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool) -> Agent:
    agent = await records.find_agent(session, workspace_id, agent_id, lock=lock)
    if agent is None:
        raise AgentNotFound(agent_id)
    return agent
