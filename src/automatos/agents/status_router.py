"""Routes: the life of an agent: its status, what a change would do, stops, deletion."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import deletion, schemas, service, stopping
from automatos.agents import status as verbs
from automatos.agents import status_schemas as shapes
from automatos.agents.deps import AgentLifecycle, AgentWorkDep
from automatos.agents.errors import (
    AgentInUse,
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    AgentNotStopping,
    DependentNotCleaned,
    ImpactChanged,
    ImpactNotConfirmed,
    StatusChangeRefused,
    WrongStatus,
)
from automatos.agents.lifecycle import Lifecycle
from automatos.agents.models import Agent
from automatos.agents.types import AgentStatus, StatusOrder
from automatos.kernel.etags import etag
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import CurrentCaller, Editor, Session
from automatos.workspaces.service import PlanLimitReached
from automatos.workspaces.types import Caller

router = APIRouter(prefix="/api/agents", tags=["agents"])
REFUSALS = problems(AgentNotFound, StatusChangeRefused, AgentNotReady, ImpactNotConfirmed, ImpactChanged)


@router.get("/{agent_id}/status", responses=problems(AgentNotFound))
async def get_agent_status(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, work: AgentWorkDep
) -> shapes.StatusReport:
    """Return an agent's status, what it may become, what it works on, and the stop that waits, if one does."""
    return await verbs.report(session, caller.workspace_id, agent_id, work)


@router.post("/{agent_id}/status/preview", responses=problems(AgentNotFound, StatusChangeRefused))
async def preview_agent_status(
    agent_id: schemas.AgentId, body: shapes.StatusPreviewOrder, caller: CurrentCaller, session: Session,
    means: AgentLifecycle,
) -> shapes.Impact:
    """Say what a change of status would touch and what must be confirmed for it; nothing changes."""
    order = StatusOrder(body.status, body.shutdown_type)
    return await verbs.preview(session, caller.workspace_id, agent_id, order, means)


@router.put("/{agent_id}/status", responses=REFUSALS)
async def change_agent_status(
    *, agent_id: schemas.AgentId, body: shapes.StatusChange, caller: Editor, session: Session, means: AgentLifecycle,
    response: Response,
) -> shapes.StatusChanged:
    """Change an agent's status; a change with effects needs its preview's confirmations and token."""
    order = StatusOrder(body.status, body.shutdown_type, frozenset(body.confirmations), body.impact_token)
    changed = await verbs.change(session, caller, agent_id, order, means)
    agent = await _show(changed.agent, session, means, response)
    return shapes.StatusChanged(agent=agent, shutdown=changed.shutdown)


@router.delete("/{agent_id}/status/shutdown", responses=problems(AgentNotFound, AgentNotStopping))
async def cancel_agent_shutdown(
    agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle, response: Response
) -> schemas.Agent:
    """Call a waiting stop off: the agent takes work again as before."""
    return await _show(await stopping.cancel(session, caller, agent_id, means), session, means, response)


@router.post("/{agent_id}/start", name="start_agent", responses=REFUSALS)
@router.post("/{agent_id}/activate", responses=REFUSALS)
async def activate_agent(
    agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle, response: Response
) -> schemas.Agent:
    """Make an agent take work, once all it needs is there."""
    return await _become(AgentStatus.ACTIVE, agent_id, caller, session, means, response)


@router.post("/{agent_id}/stop", name="stop_agent", responses=REFUSALS)
@router.post("/{agent_id}/deactivate", responses=REFUSALS)
async def deactivate_agent(
    *, agent_id: schemas.AgentId, body: shapes.StopOrder | None = None, caller: Editor, session: Session,
    means: AgentLifecycle, response: Response,
) -> schemas.Agent:
    """Make an agent take no more work; refused with what must be confirmed when that touches any."""
    return await _stop(AgentStatus.INACTIVE, agent_id, body, caller, session, means, response)


@router.post("/{agent_id}/archive", responses=REFUSALS)
async def archive_agent(
    *, agent_id: schemas.AgentId, body: shapes.StopOrder | None = None, caller: Editor, session: Session,
    means: AgentLifecycle, response: Response,
) -> schemas.Agent:
    """Put an agent away: it takes no work, leaves lists and its name, keeps its history; `restore` undoes it."""
    return await _stop(AgentStatus.ARCHIVED, agent_id, body, caller, session, means, response)


@router.post("/{agent_id}/restore",
             responses=problems(AgentNotFound, AgentNameTaken, StatusChangeRefused, WrongStatus, PlanLimitReached))
async def restore_agent(
    agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle, response: Response
) -> schemas.Agent:
    """Take an archived agent back, inactive; refused while another agent has its name."""
    return await _show(await verbs.restore(session, caller, agent_id, means), session, means, response)


@router.post("/{agent_id}/pause", responses=REFUSALS)
async def pause_agent(
    agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle, response: Response
) -> schemas.Agent:
    """Freeze an agent's work at its next turn; new work waits until it is resumed."""
    return await _become(AgentStatus.PAUSED, agent_id, caller, session, means, response)


@router.post("/{agent_id}/resume",
             responses=problems(AgentNotFound, StatusChangeRefused, AgentNotReady, WrongStatus))
async def resume_agent(
    agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle, response: Response
) -> schemas.Agent:
    """Let a paused agent go on where it stopped."""
    return await _show(await verbs.resume(session, caller, agent_id, means), session, means, response)


@router.post("/{agent_id}/clear-error", responses=problems(AgentNotFound, AgentNotReady, WrongStatus))
async def clear_agent_error(
    agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle, response: Response
) -> schemas.Agent:
    """Make an agent in error inactive again, once all it needs is there."""
    return await _show(await verbs.clear_error(session, caller, agent_id, means), session, means, response)


@router.get("/{agent_id}/deletion", responses=problems(AgentNotFound))
async def preview_agent_deletion(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, means: AgentLifecycle
) -> shapes.Impact:
    """Say what deleting an agent would touch; nothing changes."""
    return await deletion.preview(session, caller.workspace_id, agent_id, means)


@router.delete("/{agent_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(AgentNotFound, AgentInUse, ImpactNotConfirmed, ImpactChanged, DependentNotCleaned))
async def delete_agent(
    *, agent_id: schemas.AgentId, caller: Editor, session: Session, means: AgentLifecycle,
    cascade: bool = False, impact_token: Annotated[shapes.Token | None, Query()] = None,
) -> None:
    """Remove an agent that nothing uses; with `cascade` and its preview's token, also one that is used."""
    await deletion.delete_agent(session, caller, agent_id, means, cascade=cascade, impact_token=impact_token)


async def _become(
    wanted: AgentStatus, agent_id: int, caller: Caller, session: AsyncSession, means: Lifecycle, response: Response
) -> schemas.Agent:
    changed = await verbs.change(session, caller, agent_id, StatusOrder(wanted), means)
    return await _show(changed.agent, session, means, response)


async def _stop(
    wanted: AgentStatus, agent_id: int, body: shapes.StopOrder | None, caller: Caller, session: AsyncSession,
    means: Lifecycle, response: Response,
) -> schemas.Agent:
    stop = body or shapes.StopOrder()
    order = StatusOrder(wanted, stop.shutdown_type, frozenset(stop.confirmations), stop.impact_token)
    return await _show((await verbs.change(session, caller, agent_id, order, means)).agent, session, means, response)


async def _show(agent: Agent, session: AsyncSession, means: Lifecycle, response: Response) -> schemas.Agent:
    """Return the agent as clients get it, its version in the ETag."""
    response.headers["ETag"] = etag(agent.version)
    return await service.present_one(session, agent, means)
