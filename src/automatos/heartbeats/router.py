"""Routes: heartbeats of the caller's workspace."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response, status

from automatos.agents.errors import AgentNotFound
from automatos.durable.deps import BusDep, Hints
from automatos.heartbeats import errors, reports, schemas, service
from automatos.heartbeats.types import HINT_TOPIC
from automatos.kernel.clock import now
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.recipes.errors import AgentNotEligible
from automatos.workspaces.deps import AppDatabase, AppSettings, CurrentCaller, Editor, Session

router = APIRouter(prefix="/api/heartbeat", tags=["heartbeats"])
IfMatch = Annotated[str | None, Header(max_length=1000)]
NotThere = problems(AgentNotFound)


@router.get("/status")
async def get_heartbeat_status(
    caller: CurrentCaller, session: Session, settings: AppSettings
) -> schemas.HeartbeatStatus:
    """Tell how heartbeats stand in the workspace: what runs, what is due, what is planned."""
    return await reports.status(session, caller.workspace_id, at=now(), is_active=settings.heartbeat_enabled)


@router.get("/workspace")
async def list_heartbeats(caller: CurrentCaller, session: Session) -> schemas.WorkspaceHeartbeats:
    """List the workspace's heartbeats, each with its last result; those that are on come first."""
    return await reports.list_heartbeats(session, caller.workspace_id)


@router.get("/analytics")
async def get_heartbeat_analytics(
    caller: CurrentCaller, session: Session, database: AppDatabase
) -> schemas.HeartbeatAnalytics:
    """Count today's beats, and list the newest of the last 24 hours."""
    return await reports.analytics(session, database, caller.workspace_id, at=now())


@router.get("/agents/{agent_id}/config", responses=NotThere)
async def get_heartbeat_config(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, database: AppDatabase, response: Response
) -> schemas.HeartbeatConfig:
    """Return an agent's heartbeat; its ETag is its version."""
    return _tagged(await service.get_config(session, database, caller.workspace_id, agent_id), response)


@router.put("/agents/{agent_id}/config", responses=problems(AgentNotFound, StaleEdit))
async def save_heartbeat_config(
    *, agent_id: schemas.AgentId, body: schemas.HeartbeatSettings, caller: Editor, session: Session,
    database: AppDatabase, hints: Hints, response: Response, if_match: IfMatch = None,
) -> schemas.HeartbeatConfig:
    """Configure an agent's heartbeat; what the body leaves out stays as it was."""
    saved = await service.configure(
        session, database, caller, agent_id, body, at=now(), expected=read_versions(if_match))
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return _tagged(saved, response)


@router.patch("/{agent_id}/toggle", responses=NotThere)
async def toggle_heartbeat(
    agent_id: schemas.AgentId, body: schemas.Toggle, caller: Editor, session: Session, database: AppDatabase,
    hints: Hints, response: Response,
) -> schemas.HeartbeatConfig:
    """Switch an agent's heartbeat on or off."""
    wanted = schemas.HeartbeatSettings(enabled=body.enabled)
    saved = await service.configure(session, database, caller, agent_id, wanted, at=now())
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return _tagged(saved, response)


@router.post("/agents/{agent_id}/run", status_code=status.HTTP_202_ACCEPTED,
             responses=problems(AgentNotFound, AgentNotEligible, errors.HeartbeatRunning, errors.TooManyHeartbeats))
async def run_heartbeat(
    agent_id: schemas.AgentId, caller: Editor, database: AppDatabase, bus: BusDep
) -> schemas.HeartbeatResult:
    """Have an agent check in now, whatever the hour and whether or not anything changed; works while it is off."""
    return await service.run_now(database, bus, caller, agent_id, at=now())


@router.get("/agents/{agent_id}/last", responses=NotThere)
async def get_last_heartbeat_result(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session
) -> schemas.HeartbeatResult | None:
    """Return an agent's newest result; null before its first beat."""
    return await reports.last_result(session, caller.workspace_id, agent_id)


@router.get("/agents/{agent_id}/history", responses=NotThere)
async def list_heartbeat_results(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session,
    limit: Annotated[int, Query(ge=1, le=200)] = 20, cursor: UUID | None = None,
) -> schemas.HeartbeatHistory:
    """List an agent's results, the newest first."""
    return await reports.history(session, caller.workspace_id, agent_id, before=cursor, limit=limit)


def _tagged(config: schemas.HeartbeatConfig, response: Response) -> schemas.HeartbeatConfig:
    response.headers["ETag"] = etag(config.version)
    return config
