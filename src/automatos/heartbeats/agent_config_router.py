"""Routes: how an agent works, its heartbeat beside its settings and resource limits, as one thing."""

from typing import Annotated

from fastapi import APIRouter, Header, Response

from automatos.agents import service as agents
from automatos.agents.deps import AgentReadiness
from automatos.agents.errors import AgentNotFound, AgentNotReady, UnknownTools
from automatos.durable.deps import BusDep, Hints
from automatos.heartbeats import schemas, service
from automatos.heartbeats.types import HINT_TOPIC
from automatos.kernel.clock import now
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import AppDatabase, CurrentCaller, Editor, Session

router = APIRouter(prefix="/api/agents/{agent_id}", tags=["agents"])
IfMatch = Annotated[str | None, Header(max_length=1000)]


@router.get("/config", responses=problems(AgentNotFound))
async def get_agent_configuration(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, database: AppDatabase,
    readiness: AgentReadiness, response: Response,
) -> schemas.AgentConfigurationShown:
    """Return how the agent works, every setting with its value, and its heartbeat."""
    agent = await agents.get_agent(session, caller.workspace_id, agent_id)
    shown = await agents.present_one(session, agent, readiness.tools)
    heartbeat = await service.get_config(session, database, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return schemas.AgentConfigurationShown.model_validate({**dict(shown.configuration), "heartbeat": heartbeat})


@router.put("/config", responses=problems(AgentNotFound, UnknownTools, AgentNotReady, StaleEdit))
async def put_agent_configuration(
    *, agent_id: schemas.AgentId, body: schemas.AgentConfigurationChange, caller: Editor, session: Session,
    database: AppDatabase, readiness: AgentReadiness, bus: BusDep, hints: Hints, response: Response,
    if_match: IfMatch = None,
) -> agents.AgentOut:
    """Change the settings that are named, resource limits and the heartbeat's fields one by one; the others stay.

    Both are saved, or neither. The heartbeat can also be read and saved at `/api/heartbeat/agents/{agent_id}/config`.
    """
    agent = await agents.change_configuration(
        session, caller, agent_id, body.own_part(), readiness, read_versions(if_match))
    if body.heartbeat is not None and await service.would_change(
            session, database, caller.workspace_id, agent_id, body.heartbeat):
        await service.configure(session, database, caller, agent_id, body.heartbeat, at=now())
        hints.changed(caller.workspace_id, HINT_TOPIC)
    agents.announce(session, agent, bus)
    response.headers["ETag"] = etag(agent.version)
    return await agents.present_one(session, agent, readiness.tools)
