"""Routes: agents as documents: their saved versions, export and import."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from automatos.agents import configuration, schemas, service, transfer
from automatos.agents.deps import AgentReadiness
from automatos.agents.errors import (
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    DocumentsUnreadable,
    UnknownPersona,
    UnknownSkills,
    UnknownTools,
    VersionNotFound,
)
from automatos.agents.schemas import Agent, AgentId
from automatos.agents.types import HINT_TOPIC
from automatos.durable.deps import BusDep, Hints
from automatos.kernel.confined import TooCostly
from automatos.kernel.etags import etag
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import CurrentCaller, Editor, Session
from automatos.workspaces.service import PlanLimitReached

YAML = "application/yaml"
AS_IMPORTED = {"$ref": "#/components/schemas/AgentFile"}
router = APIRouter(prefix="/api/agents", tags=["agents"])


@router.post("/import", responses=problems(
    DocumentsUnreadable, TooCostly, UnknownTools, UnknownSkills, UnknownPersona, AgentNameTaken, AgentNotReady,
    PlanLimitReached))
async def import_agents(
    body: configuration.AgentImport, caller: Editor, session: Session, readiness: AgentReadiness, hints: Hints
) -> schemas.ImportResult:
    """Create or update the agents of one or several documents by their names, all or nothing; new ones are inactive."""
    items = await transfer.import_documents(session, caller, body, readiness)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return schemas.ImportResult(items=items)


@router.get("/{agent_id}/export", response_class=Response,
            responses={200: {"content": {YAML: {"schema": AS_IMPORTED}}}, **problems(AgentNotFound)})
async def export_agent(agent_id: AgentId, caller: CurrentCaller, session: Session) -> Response:
    """Return the agent as a YAML document that import takes; it holds no secret and no status."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    text = await transfer.export_agent(session, agent)
    return Response(text, media_type=YAML, headers={
        "Content-Disposition": f'attachment; filename="agent-{agent.id}.yaml"', "ETag": etag(agent.version)})


@router.get("/{agent_id}/versions", responses=problems(AgentNotFound))
async def list_agent_versions(
    agent_id: AgentId, caller: CurrentCaller, session: Session,
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> schemas.AgentVersions:
    """List the agent's saved versions, newest first."""
    return await transfer.list_versions(session, caller.workspace_id, agent_id, skip=skip, limit=limit)


@router.get("/{agent_id}/versions/{version}", responses=problems(AgentNotFound, VersionNotFound))
async def get_agent_version(
    agent_id: AgentId, version: schemas.VersionNumber, caller: CurrentCaller, session: Session
) -> schemas.AgentVersionOut:
    """Return one saved version with its definition."""
    return await transfer.get_version(session, caller.workspace_id, agent_id, version)


@router.get("/{agent_id}/versions/{version}/diff", responses=problems(AgentNotFound, VersionNotFound))
async def compare_agent_versions(
    agent_id: AgentId, version: schemas.VersionNumber, against: Annotated[schemas.VersionNumber, Query()],
    caller: CurrentCaller, session: Session,
) -> schemas.AgentVersionDiff:
    """Say what changed from version `against` to this one, setting by setting; lists count as wholes."""
    return await transfer.compare(session, caller.workspace_id, agent_id, against, version)


@router.post("/{agent_id}/versions/{version}/restore", responses=problems(
    AgentNotFound, VersionNotFound, AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady))
async def restore_agent_version(
    agent_id: AgentId, version: schemas.VersionNumber, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response,
) -> Agent:
    """Make the agent what it was at a version, as a new version; its status stays."""
    agent = await transfer.restore_version(session, caller, agent_id, version, readiness)
    service.announce(session, agent, bus)
    response.headers["ETag"] = etag(agent.version)
    return await service.present_one(session, agent, readiness.tools)
