"""Routes: agents of the caller's workspace."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from automatos.agents import schemas, service
from automatos.agents.deps import AgentDependents, AgentReadiness
from automatos.agents.errors import (
    AgentInUse,
    AgentNameTaken,
    AgentNotFound,
    AgentNotReady,
    StatusChangeRefused,
    UnknownTools,
)
from automatos.agents.models import Agent
from automatos.agents.types import (
    HINT_TOPIC,
    AgentStatus,
    AgentType,
    Category,
    PriorityLevel,
    category_of,
    type_descriptions,
    type_of,
)
from automatos.durable.deps import Hints
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.workspaces.deps import AllWorkspacesReader, CurrentCaller, Editor, ReadingSession, Session

router = APIRouter(prefix="/api/agents", tags=["agents"])
IfMatch = Annotated[str | None, Header(max_length=1000)]


@router.get("/types", response_model=schemas.AgentTypes)
async def list_agent_types(caller: CurrentCaller) -> schemas.AgentTypes:
    """List the agent types, the categories, and how they name each other."""
    del caller
    types = list(AgentType)
    return schemas.AgentTypes(
        data=types, descriptions=type_descriptions(), type_categories={kind: category_of(kind) for kind in types},
        categories=[schemas.CategoryChoice(name=name, agent_type=type_of(name)) for name in Category], total=len(types),
    )


@router.get("", response_model=schemas.Agents)
async def list_agents(
    *, caller: AllWorkspacesReader, session: ReadingSession,
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0, limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    status: AgentStatus | None = None, agent_type: AgentType | None = None,
    priority_level: PriorityLevel | None = None, search: Annotated[schemas.SearchText | None, Query()] = None,
) -> dict[str, object]:
    """List the workspace's agents, oldest first; `search` looks in names and descriptions.

    System admins may name `__all__` as the workspace.
    """
    wanted = service.AgentFilter(status, agent_type, priority_level, search)
    items, total = await service.list_agents(session, caller.reach, wanted, skip=skip, limit=limit)
    return {"items": items, "total": total, "skip": skip, "limit": limit}


@router.post("", response_model=schemas.Agent, status_code=status.HTTP_201_CREATED,
             responses=problems(AgentNameTaken, UnknownTools))
async def create_agent(
    body: schemas.AgentCreate, caller: Editor, session: Session, hints: Hints, response: Response
) -> Agent:
    """Add an agent; it starts inactive."""
    agent = await service.create_agent(session, caller, body)
    response.headers["Location"] = f"{router.prefix}/{agent.id}"
    return _tagged(agent, response, hints)


@router.get("/{agent_id}", response_model=schemas.Agent, responses=problems(AgentNotFound))
async def get_agent(agent_id: schemas.AgentId, caller: CurrentCaller, session: Session, response: Response) -> Agent:
    """Return one agent; its ETag is its version."""
    return _tagged(await service.get_agent(session, caller.workspace_id, agent_id), response)


@router.put("/{agent_id}", response_model=schemas.Agent,
            responses=problems(
                AgentNotFound, AgentNameTaken, UnknownTools, StatusChangeRefused, AgentNotReady, StaleEdit))
async def update_agent(
    *, agent_id: schemas.AgentId, body: schemas.AgentUpdate, caller: Editor, session: Session,
    readiness: AgentReadiness, hints: Hints, response: Response, if_match: IfMatch = None,
) -> Agent:
    """Change an agent; with `If-Match`, only if nobody else saved since."""
    agent = await service.update_agent(session, caller, agent_id, body, readiness, expected=read_versions(if_match))
    return _tagged(agent, response, hints)


@router.delete("/{agent_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(AgentNotFound, AgentInUse))
async def delete_agent(
    agent_id: schemas.AgentId, caller: Editor, session: Session, dependents: AgentDependents, hints: Hints
) -> None:
    """Remove an agent that no recipe and no running execution uses."""
    await service.delete_agent(session, caller, agent_id, dependents)
    hints.changed(caller.workspace_id, HINT_TOPIC)


@router.post("/{agent_id}/activate", response_model=schemas.Agent,
             responses=problems(AgentNotFound, StatusChangeRefused, AgentNotReady))
async def activate_agent(
    *, agent_id: schemas.AgentId, caller: Editor, session: Session, readiness: AgentReadiness, hints: Hints,
    response: Response,
) -> Agent:
    """Make an agent take work, once all it needs is there."""
    return _tagged(await service.activate(session, caller, agent_id, readiness), response, hints)


@router.post("/{agent_id}/deactivate", response_model=schemas.Agent,
             responses=problems(AgentNotFound, StatusChangeRefused))
async def deactivate_agent(
    *, agent_id: schemas.AgentId, caller: Editor, session: Session, readiness: AgentReadiness, hints: Hints,
    response: Response,
) -> Agent:
    """Make an agent take no more work."""
    return _tagged(await service.deactivate(session, caller, agent_id, readiness), response, hints)


def _tagged(agent: Agent, response: Response, hints: Hints | None = None) -> Agent:
    """Name the agent's version in the response, and hint that the list changed when it was written."""
    response.headers["ETag"] = etag(agent.version)
    if hints is not None:
        hints.changed(agent.workspace_id, HINT_TOPIC)
    return agent
