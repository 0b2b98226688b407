"""Routes: the parts of an agent that can be saved by themselves: model, persona, skills."""

from typing import Annotated

from fastapi import APIRouter, Header, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import part_schemas, parts, schemas, service
from automatos.agents.activation import announce
from automatos.agents.deps import AgentReadiness
from automatos.agents.errors import (
    AgentNotFound,
    AgentNotReady,
    PersonaNotFound,
    SkillNotAssigned,
    UnknownSkills,
)
from automatos.agents.models import Agent
from automatos.durable.deps import BusDep
from automatos.durable.types import EventBus
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import CurrentCaller, Editor, Session

router = APIRouter(prefix="/api/agents/{agent_id}", tags=["agents"])
second_address = APIRouter(prefix="/api/models/agents/{agent_id}", tags=["agents"])
"""An agent's model settings where they were published a second time: the same functions as at the first."""
IfMatch = Annotated[str | None, Header(max_length=1000)]


@router.get("/model-config", responses=problems(AgentNotFound))
async def get_model_config(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response
) -> part_schemas.AgentModelConfig:
    """Return which model the agent asks and how; `/api/models/agents/{agent_id}/config` answers the same."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return parts.show_model(agent)


@router.put("/model-config", responses=problems(AgentNotFound, AgentNotReady, StaleEdit))
async def put_model_config(
    *, agent_id: schemas.AgentId, body: part_schemas.ModelChange, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response, if_match: IfMatch = None,
) -> part_schemas.AgentModelConfig:
    """Replace the agent's model settings; with `If-Match`, only if nobody else saved since."""
    agent = await parts.change_model(session, caller, agent_id, body.llm_config, readiness, read_versions(if_match))
    _tell(session, agent, bus, response)
    return parts.show_model(agent)


@router.get("/persona", responses=problems(AgentNotFound))
async def get_agent_persona(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response
) -> part_schemas.AgentPersona:
    """Return the agent's voice: what is stored, and the text that counts."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return await parts.show_persona(session, agent)


@router.put("/persona", responses=problems(AgentNotFound, PersonaNotFound, AgentNotReady, StaleEdit))
async def put_agent_persona(
    *, agent_id: schemas.AgentId, body: part_schemas.PersonaChange, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response, if_match: IfMatch = None,
) -> part_schemas.AgentPersona:
    """Set the agent's voice: a persona of the library, its own text, or neither; all three fields are replaced."""
    agent = await parts.change_persona(session, caller, agent_id, body, readiness, read_versions(if_match))
    _tell(session, agent, bus, response)
    return await parts.show_persona(session, agent)


@router.get("/skills", responses=problems(AgentNotFound))
async def list_agent_skills(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response
) -> part_schemas.AgentSkills:
    """List the agent's skills in the order of its prompt."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return await parts.show_skills(session, agent)


@router.post("/skills", responses=problems(AgentNotFound, UnknownSkills, AgentNotReady, StaleEdit))
async def add_agent_skills(
    *, agent_id: schemas.AgentId, body: part_schemas.SkillChange, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response, if_match: IfMatch = None,
) -> part_schemas.AgentSkills:
    """Give the agent more skills, or with `replace` these instead of those it has; each once."""
    agent = await parts.add_skills(session, caller, agent_id, body, readiness, read_versions(if_match))
    _tell(session, agent, bus, response)
    return await parts.show_skills(session, agent)


@router.delete("/skills/{skill_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(AgentNotFound, SkillNotAssigned))
async def remove_agent_skill(
    agent_id: schemas.AgentId, skill_id: schemas.AgentId, caller: Editor, session: Session, readiness: AgentReadiness,
    bus: BusDep,
) -> None:
    """Take a skill from the agent; the skill itself stays."""
    agent = await parts.remove_skill(session, caller, agent_id, skill_id, readiness)
    announce(session, agent, bus)


def _tell(session: AsyncSession, agent: Agent, bus: EventBus, response: Response) -> None:
    """Name the saved version in the response, and tell readers and workers once it is committed."""
    response.headers["ETag"] = etag(agent.version)
    announce(session, agent, bus)


second_address.get("/config", response_model=part_schemas.AgentModelConfig, name="get_agent_model_config",
                   responses=problems(AgentNotFound))(get_model_config)
second_address.put("/config", response_model=part_schemas.AgentModelConfig, name="put_agent_model_config",
                   responses=problems(AgentNotFound, AgentNotReady, StaleEdit))(put_model_config)
