"""Routes: the agents of the caller's workspace, and the parts of one that can be saved by themselves.

Agents as documents have a file of their own; what changes a status, and what may, is in `lifecycle`.
"""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import configuration, documents_router, parts, schemas, service
from automatos.agents.activation import announce
from automatos.agents.deps import AgentReadiness
from automatos.agents.errors import (
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    CursorUnreadable,
    PersonaNotFound,
    SkillNotAssigned,
    UnknownPersona,
    UnknownSkills,
    UnknownTools,
)
from automatos.agents.models import Agent
from automatos.agents.types import (
    HINT_TOPIC,
    AgentOrder,
    AgentStatus,
    AgentType,
    Category,
    PriorityLevel,
    category_of,
    type_descriptions,
    type_of,
)
from automatos.durable.deps import BusDep, Hints
from automatos.durable.types import EventBus
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import AllWorkspacesReader, CurrentCaller, Editor, ReadingSession, Session
from automatos.workspaces.service import PlanLimitReached

PREFIX = "/api/agents"
agents = APIRouter(prefix=PREFIX, tags=["agents"])
agent_parts = APIRouter(prefix="/api/agents/{agent_id}", tags=["agents"])
second_address = APIRouter(prefix="/api/models/agents/{agent_id}", tags=["agents"])
"""An agent's model settings where they were published a second time: the same functions as at the first."""
IfMatch = Annotated[str | None, Header(max_length=1000)]


@agents.get("/types")
async def list_agent_types(caller: CurrentCaller) -> schemas.AgentTypes:
    """List the agent types, the categories, and how they name each other."""
    del caller
    types = list(AgentType)
    return schemas.AgentTypes(
        data=types, descriptions=type_descriptions(), type_categories={kind: category_of(kind) for kind in types},
        categories=[schemas.CategoryChoice(name=name, agent_type=type_of(name)) for name in Category], total=len(types),
    )


@agents.get("/stats")
async def get_agent_stats(caller: AllWorkspacesReader, session: ReadingSession) -> schemas.AgentStats:
    """Return the workspace's agents in numbers: how many of which kind, what they did, used and have to do.

    System admins may name `__all__` as the workspace.
    """
    return await service.count_agents(session, caller)


@agents.get("", responses=problems(CursorUnreadable))
async def list_agents(
    *, caller: AllWorkspacesReader, session: ReadingSession, readiness: AgentReadiness,
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    status: AgentStatus | None = None, agent_type: AgentType | None = None,
    priority_level: PriorityLevel | None = None, category: Category | None = None,
    tag: Annotated[schemas.TagText | None, Query()] = None,
    search: Annotated[schemas.SearchText | None, Query()] = None,
    sort: AgentOrder | None = None, order: schemas.Direction = "asc",
    cursor: Annotated[schemas.CursorText | None, Query()] = None,
) -> schemas.Agents:
    """List the workspace's agents, oldest first unless `sort` says otherwise; `search` looks in names and descriptions.

    Archived ones are listed with `status=archived` only.
    Page with `skip`, or without gaps and repeats with the `next_cursor` of the page before. System admins may name
    `__all__` as the workspace.
    """
    wanted = service.AgentFilter(status, agent_type, priority_level, category, tag, search)
    page = service.Page(sort, order == "desc", skip, limit, cursor)
    found = await service.list_agents(session, caller.reach, wanted, page)
    items = await service.present(session, found.items, readiness.tools)
    return schemas.Agents(items=items, total=found.total, skip=skip, limit=limit, next_cursor=found.next_cursor)


@agents.post("", status_code=status.HTTP_201_CREATED,
             responses=problems(
                 AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady, PlanLimitReached))
async def create_agent(
    body: schemas.AgentCreate, caller: Editor, session: Session, readiness: AgentReadiness, hints: Hints,
    response: Response,
) -> schemas.Agent:
    """Add an agent with its skills, persona, model and tools in one step; inactive unless `activate` is true."""
    agent = await service.create_agent(session, caller, body, readiness)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    response.headers["Location"] = f"{PREFIX}/{agent.id}"
    response.headers["ETag"] = etag(agent.version)
    return await service.present_one(session, agent, readiness.tools)


@agents.get("/{agent_id}", responses=problems(AgentNotFound))
async def get_agent(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, readiness: AgentReadiness, response: Response
) -> schemas.Agent:
    """Return one agent; its ETag is its version."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return await service.present_one(session, agent, readiness.tools)


@agent_parts.get("/model-config", responses=problems(AgentNotFound))
async def get_model_config(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response
) -> schemas.AgentModelConfig:
    """Return which model the agent asks and how; `/api/models/agents/{agent_id}/config` answers the same."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return parts.show_model(agent)


@agent_parts.put("/model-config", responses=problems(AgentNotFound, AgentNotReady, StaleEdit))
async def put_model_config(
    *, agent_id: schemas.AgentId, body: configuration.ModelChange, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response, if_match: IfMatch = None,
) -> schemas.AgentModelConfig:
    """Replace the agent's model settings; with `If-Match`, only if nobody else saved since."""
    agent = await parts.change_model(session, caller, agent_id, body.llm_config, readiness, read_versions(if_match))
    _tell(session, agent, bus, response)
    return parts.show_model(agent)


@agent_parts.get("/persona", responses=problems(AgentNotFound))
async def get_agent_persona(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response
) -> schemas.AgentPersona:
    """Return the agent's voice: what is stored, and the text that counts."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return await parts.show_persona(session, agent)


@agent_parts.put("/persona", responses=problems(AgentNotFound, PersonaNotFound, AgentNotReady, StaleEdit))
async def put_agent_persona(
    *, agent_id: schemas.AgentId, body: configuration.PersonaChange, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response, if_match: IfMatch = None,
) -> schemas.AgentPersona:
    """Set the agent's voice: a persona of the library, its own text, or neither; all three fields are replaced."""
    agent = await parts.change_persona(session, caller, agent_id, body, readiness, read_versions(if_match))
    _tell(session, agent, bus, response)
    return await parts.show_persona(session, agent)


@agent_parts.get("/skills", responses=problems(AgentNotFound))
async def list_agent_skills(
    agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response
) -> schemas.AgentSkills:
    """List the agent's skills in the order of its prompt."""
    agent = await service.get_agent(session, caller.workspace_id, agent_id)
    response.headers["ETag"] = etag(agent.version)
    return await parts.show_skills(session, agent)


@agent_parts.post("/skills", responses=problems(AgentNotFound, UnknownSkills, AgentNotReady, StaleEdit))
async def add_agent_skills(
    *, agent_id: schemas.AgentId, body: configuration.SkillChange, caller: Editor, session: Session,
    readiness: AgentReadiness, bus: BusDep, response: Response, if_match: IfMatch = None,
) -> schemas.AgentSkills:
    """Give the agent more skills, or with `replace` these instead of those it has; each once."""
    agent = await parts.add_skills(session, caller, agent_id, body, readiness, read_versions(if_match))
    _tell(session, agent, bus, response)
    return await parts.show_skills(session, agent)


@agent_parts.delete("/skills/{skill_id}", status_code=status.HTTP_204_NO_CONTENT,
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


second_address.get("/config", response_model=schemas.AgentModelConfig, name="get_agent_model_config",
                   responses=problems(AgentNotFound))(get_model_config)
second_address.put("/config", response_model=schemas.AgentModelConfig, name="put_agent_model_config",
                   responses=problems(AgentNotFound, AgentNotReady, StaleEdit))(put_model_config)

router = APIRouter()
for part in (agents, documents_router.router, agent_parts):
    router.include_router(part)
