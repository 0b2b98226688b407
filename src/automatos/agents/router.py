"""Routes: the agents of the caller's workspace; their parts and documents have files of their own.

What changes a status, and what may, is in `lifecycle`.
"""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from automatos.agents import documents_router, parts_router, schemas, service, stats
from automatos.agents.deps import AgentReadiness
from automatos.agents.errors import (
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    CursorUnreadable,
    UnknownPersona,
    UnknownSkills,
    UnknownTools,
)
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
from automatos.durable.deps import Hints
from automatos.kernel.etags import etag
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import AllWorkspacesReader, CurrentCaller, Editor, ReadingSession, Session
from automatos.workspaces.service import PlanLimitReached

PREFIX = "/api/agents"
agents = APIRouter(prefix=PREFIX, tags=["agents"])


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
    return await stats.count_agents(session, caller)


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


router = APIRouter()
for part in (agents, documents_router.router, parts_router.router):
    router.include_router(part)
