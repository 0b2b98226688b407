"""Routes: the life of an agent: saves that may change its status, status, stops, deletion, several at once."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.errors import (
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    StatusChangeRefused,
    UnknownPersona,
    UnknownSkills,
    UnknownTools,
)
from automatos.agents.service import AgentId, AgentOut
from automatos.agents.types import HINT_TOPIC, AgentStatus
from automatos.durable.deps import Hints
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.lifecycle import bulk, deletion, schemas, service, stop
from automatos.lifecycle.deps import Lifecycle, LifecycleDeps
from automatos.lifecycle.errors import (
    AgentInUse,
    AgentNotStopping,
    DependentNotCleaned,
    ImpactChanged,
    ImpactNotConfirmed,
    WrongStatus,
)
from automatos.lifecycle.types import StatusOrder
from automatos.workspaces.deps import CurrentCaller, Editor, Session
from automatos.workspaces.service import PlanLimitReached
from automatos.workspaces.types import Caller

router = APIRouter(prefix="/api/agents", tags=["agents"])
IfMatch = Annotated[str | None, Header(max_length=1000)]
REFUSALS = problems(AgentNotFound, StatusChangeRefused, AgentNotReady, ImpactNotConfirmed, ImpactChanged)


@router.post("/bulk", status_code=status.HTTP_201_CREATED,
             responses=problems(
                 AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady, PlanLimitReached))
async def create_agents(
    body: schemas.BulkCreate, caller: Editor, session: Session, deps: Lifecycle, hints: Hints
) -> schemas.AgentsMade:
    """Add several agents, all or none; a refusal names the place of the agent that was refused."""
    made = await bulk.create_agents(session, caller, body.agents, deps.readiness)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return schemas.AgentsMade(items=await agents.present(session, made, deps.readiness.tools), total=len(made))


@router.post("/bulk/actions")
async def act_on_agents(
    body: schemas.BulkActions, caller: Editor, session: Session, deps: Lifecycle, hints: Hints
) -> schemas.ActionResults:
    """Do one thing to several agents, each by itself; a change with effects is refused for the agent that has them."""
    items = await bulk.act_on_agents(session, caller, body, deps)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    succeeded = sum(item.ok for item in items)
    return schemas.ActionResults(items=items, succeeded=succeeded, failed=len(items) - succeeded)


@router.put("/{agent_id}", responses=problems(
    AgentNotFound, AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, StatusChangeRefused, AgentNotReady,
    ImpactNotConfirmed, ImpactChanged, StaleEdit))
async def update_agent(
    *, agent_id: AgentId, body: schemas.AgentUpdate, caller: Editor, session: Session, deps: Lifecycle,
    response: Response, if_match: IfMatch = None,
) -> AgentOut:
    """Save everything that the body names in one step; with `If-Match`, only if nobody else saved since."""
    agent = await service.update_agent(session, caller, agent_id, body, deps, expected=read_versions(if_match))
    return await _show(agent, session, deps, response)


@router.get("/{agent_id}/status", responses=problems(AgentNotFound))
async def get_agent_status(
    agent_id: AgentId, caller: CurrentCaller, session: Session
) -> schemas.StatusReport:
    """Return an agent's status, what it may become, what it works on, and the stop that waits, if one does."""
    return await service.report_status(session, caller.workspace_id, agent_id)


@router.post("/{agent_id}/status/preview", responses=problems(AgentNotFound, StatusChangeRefused))
async def preview_agent_status(
    agent_id: AgentId, body: schemas.StatusPreviewOrder, caller: CurrentCaller, session: Session
) -> schemas.Impact:
    """Say what a change of status would touch and what must be confirmed for it; nothing changes."""
    order = StatusOrder(body.status, body.shutdown_type)
    return await service.preview_status(session, caller.workspace_id, agent_id, order)


@router.put("/{agent_id}/status", responses=REFUSALS)
async def change_agent_status(
    *, agent_id: AgentId, body: schemas.StatusChange, caller: Editor, session: Session, deps: Lifecycle,
    response: Response,
) -> schemas.StatusChanged:
    """Change an agent's status; a change with effects needs its preview's confirmations and token."""
    order = StatusOrder(body.status, body.shutdown_type, frozenset(body.confirmations), body.impact_token)
    changed = await service.change_status(session, caller, agent_id, order, deps)
    agent = await _show(changed.agent, session, deps, response)
    return schemas.StatusChanged(agent=agent, shutdown=changed.shutdown)


@router.delete("/{agent_id}/status/shutdown", responses=problems(AgentNotFound, AgentNotStopping))
async def cancel_agent_shutdown(
    agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle, response: Response
) -> AgentOut:
    """Call a waiting stop off: the agent takes work again as before."""
    return await _show(await stop.cancel_stop(session, caller, agent_id, deps.bus), session, deps, response)


@router.post("/{agent_id}/start", name="start_agent", responses=REFUSALS)
@router.post("/{agent_id}/activate", responses=REFUSALS)
async def activate_agent(
    agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle, response: Response
) -> AgentOut:
    """Make an agent take work, once all it needs is there."""
    return await _become(AgentStatus.ACTIVE, agent_id, caller, session, deps, response)


@router.post("/{agent_id}/stop", name="stop_agent", responses=REFUSALS)
@router.post("/{agent_id}/deactivate", responses=REFUSALS)
async def deactivate_agent(
    *, agent_id: AgentId, body: schemas.StopOrder | None = None, caller: Editor, session: Session,
    deps: Lifecycle, response: Response,
) -> AgentOut:
    """Make an agent take no more work; refused with what must be confirmed when that touches any."""
    return await _stop(AgentStatus.INACTIVE, agent_id, body, caller, session, deps, response)


@router.post("/{agent_id}/archive", responses=REFUSALS)
async def archive_agent(
    *, agent_id: AgentId, body: schemas.StopOrder | None = None, caller: Editor, session: Session,
    deps: Lifecycle, response: Response,
) -> AgentOut:
    """Put an agent away: it takes no work, leaves lists and its name, keeps its history; `restore` undoes it."""
    return await _stop(AgentStatus.ARCHIVED, agent_id, body, caller, session, deps, response)


@router.post("/{agent_id}/restore",
             responses=problems(AgentNotFound, AgentNameTaken, StatusChangeRefused, WrongStatus, PlanLimitReached))
async def restore_agent(
    agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle, response: Response
) -> AgentOut:
    """Take an archived agent back, inactive; refused while another agent has its name."""
    return await _show(await service.restore(session, caller, agent_id, deps), session, deps, response)


@router.post("/{agent_id}/pause", responses=REFUSALS)
async def pause_agent(
    agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle, response: Response
) -> AgentOut:
    """Freeze an agent's work at its next turn; new work waits until it is resumed."""
    return await _become(AgentStatus.PAUSED, agent_id, caller, session, deps, response)


@router.post("/{agent_id}/resume",
             responses=problems(AgentNotFound, StatusChangeRefused, AgentNotReady, WrongStatus))
async def resume_agent(
    agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle, response: Response
) -> AgentOut:
    """Let a paused agent go on where it stopped."""
    return await _show(await service.resume(session, caller, agent_id, deps), session, deps, response)


@router.post("/{agent_id}/clear-error", responses=problems(AgentNotFound, AgentNotReady, WrongStatus))
async def clear_agent_error(
    agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle, response: Response
) -> AgentOut:
    """Make an agent in error inactive again, once all it needs is there."""
    return await _show(await service.clear_error(session, caller, agent_id, deps), session, deps, response)


@router.get("/{agent_id}/deletion", responses=problems(AgentNotFound))
async def preview_agent_deletion(
    agent_id: AgentId, caller: CurrentCaller, session: Session
) -> schemas.Impact:
    """Say what deleting an agent would touch; nothing changes."""
    return await deletion.preview_deletion(session, caller.workspace_id, agent_id)


@router.delete("/{agent_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(AgentNotFound, AgentInUse, ImpactNotConfirmed, ImpactChanged, DependentNotCleaned))
async def delete_agent(
    *, agent_id: AgentId, caller: Editor, session: Session, deps: Lifecycle,
    cascade: bool = False, impact_token: Annotated[schemas.Token | None, Query()] = None,
) -> None:
    """Remove an agent that nothing uses; with `cascade` and its preview's token, also one that is used."""
    await deletion.delete_agent(session, caller, agent_id, deps, cascade=cascade, impact_token=impact_token)


async def _become(
    wanted: AgentStatus, agent_id: int, caller: Caller, session: AsyncSession, deps: LifecycleDeps, response: Response
) -> AgentOut:
    changed = await service.change_status(session, caller, agent_id, StatusOrder(wanted), deps)
    return await _show(changed.agent, session, deps, response)


async def _stop(
    wanted: AgentStatus, agent_id: int, body: schemas.StopOrder | None, caller: Caller, session: AsyncSession,
    deps: LifecycleDeps, response: Response,
) -> AgentOut:
    stop = body or schemas.StopOrder()
    order = StatusOrder(wanted, stop.shutdown_type, frozenset(stop.confirmations), stop.impact_token)
    changed = await service.change_status(session, caller, agent_id, order, deps)
    return await _show(changed.agent, session, deps, response)


async def _show(agent: agents.Agent, session: AsyncSession, deps: LifecycleDeps, response: Response) -> AgentOut:
    """Return the agent as clients get it, its version in the ETag."""
    response.headers["ETag"] = etag(agent.version)
    return await agents.present_one(session, agent, deps.readiness.tools)
