"""Routes: the library of voices, and the workspace's own."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Header, Query, Response, status
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.durable.deps import Hints
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.personas import schemas, service
from automatos.personas.deps import AgentCounts
from automatos.personas.errors import PersonaIsGlobal, PersonaNotFound, UnknownAgentCategory, UnknownAgentType
from automatos.personas.models import Persona
from automatos.personas.types import HINT_TOPIC, AgentsOfPersonas, PersonaScope
from automatos.workspaces.deps import CurrentCaller, Editor, Session

AGENTS_TOPIC = "agents"

router = APIRouter(prefix="/api", tags=["personas"])
IfMatch = Annotated[str | None, Header(max_length=1000)]


@router.get("/personas", response_model=schemas.Personas, responses=problems(UnknownAgentType, UnknownAgentCategory))
async def list_personas(
    *, caller: CurrentCaller, session: Session, agents_of: AgentCounts,
    category: Annotated[schemas.QueryText | None, Query()] = None,
    agent_type: Annotated[schemas.QueryText | None, Query()] = None,
    marketplace_category: Annotated[schemas.QueryText | None, Query()] = None,
    scope: Literal["all", "global", "workspace"] = "all", search: Annotated[schemas.QueryText | None, Query()] = None,
    skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0, limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> schemas.Personas:
    """List the library with whole prompts: global personas and the workspace's own, by category and name.

    `agent_type` leaves out categories that are for other types of agents; `custom` sees all. `marketplace_category`
    does so for agents that are shown under that category; `Custom` sees all.
    """
    wanted = service.filter_for(category=category, agent_type=agent_type, search=search,
                                marketplace_category=marketplace_category,
                                scope=None if scope == "all" else PersonaScope(scope))
    rows, total, categories = await service.list_personas(
        session, caller.workspace_id, wanted, skip=skip, limit=limit)
    counts = await agents_of(session, caller.workspace_id, [row.id for row in rows])
    return schemas.Personas(items=[schemas.Persona.of(row, counts.get(row.id, 0)) for row in rows], total=total,
                            skip=skip, limit=limit, categories=list(categories))


@router.get("/personas/{persona_id}", response_model=schemas.Persona, responses=problems(PersonaNotFound))
async def get_persona(
    persona_id: UUID, caller: CurrentCaller, session: Session, agents_of: AgentCounts, response: Response
) -> schemas.Persona:
    """Return one persona; its ETag is its version."""
    persona = await service.get_persona(session, caller.workspace_id, persona_id)
    return await _shown(persona, caller.workspace_id, session, agents_of, response)


@router.get("/workspaces/{workspace_id}/personas/{persona_id}", response_model=schemas.Persona,
            responses=problems(PersonaNotFound))
async def get_workspace_persona(
    workspace_id: UUID, persona_id: UUID, caller: CurrentCaller, session: Session, agents_of: AgentCounts,
    response: Response,
) -> schemas.Persona:
    """Return one persona that a workspace may use; its ETag is its version."""
    del workspace_id  # it is the caller's
    return await get_persona(persona_id, caller, session, agents_of, response)


@router.post("/workspaces/{workspace_id}/personas", response_model=schemas.Persona,
             status_code=status.HTTP_201_CREATED)
async def create_persona(
    *, workspace_id: UUID, body: schemas.PersonaCreate, caller: Editor, session: Session, agents_of: AgentCounts,
    hints: Hints, response: Response,
) -> schemas.Persona:
    """Add a persona to the workspace."""
    persona = await service.create_persona(session, caller, body)
    hints.changed(workspace_id, HINT_TOPIC)
    response.headers["Location"] = f"/api/personas/{persona.id}"
    return await _shown(persona, workspace_id, session, agents_of, response)


@router.put("/workspaces/{workspace_id}/personas/{persona_id}", response_model=schemas.Persona,
            responses=problems(PersonaNotFound, PersonaIsGlobal, StaleEdit))
async def update_persona(
    *, workspace_id: UUID, persona_id: UUID, body: schemas.PersonaUpdate, caller: Editor, session: Session,
    agents_of: AgentCounts, hints: Hints, response: Response, if_match: IfMatch = None,
) -> schemas.Persona:
    """Change a persona of the workspace; with `If-Match`, only if nobody else saved since. The slug stays."""
    expected = read_versions(if_match)
    persona = await service.update_persona(session, caller, persona_id, body, agents_of, expected=expected)
    hints.changed(workspace_id, HINT_TOPIC)
    return await _shown(persona, workspace_id, session, agents_of, response)


@router.delete("/workspaces/{workspace_id}/personas/{persona_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(PersonaNotFound, PersonaIsGlobal))
async def delete_persona(
    *, workspace_id: UUID, persona_id: UUID, caller: Editor, session: Session, agents_of: AgentCounts, hints: Hints
) -> None:
    """Remove a persona of the workspace. The agents that speak with it (`agents_count`) are left without one."""
    await service.delete_persona(session, caller, persona_id, agents_of)
    hints.changed(workspace_id, HINT_TOPIC)
    hints.changed(workspace_id, AGENTS_TOPIC)


async def _shown(
    persona: Persona, workspace_id: UUID, session: AsyncSession, agents_of: AgentsOfPersonas, response: Response
) -> schemas.Persona:
    """Return a persona with its figures, its version in the response's ETag."""
    response.headers["ETag"] = etag(persona.version)
    counts = await agents_of(session, workspace_id, [persona.id])
    return schemas.Persona.of(persona, counts.get(persona.id, 0))
