"""Verbs of personas: read the library, and write the voices of one's own workspace."""

import re
import secrets
import unicodedata
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.errors import StaleEdit
from automatos.personas import queries
from automatos.personas.errors import PersonaIsGlobal, PersonaNotFound, UnknownAgentCategory, UnknownAgentType
from automatos.personas.models import Persona
from automatos.personas.queries import PersonaFilter
from automatos.personas.schemas import Persona as PersonaDocument
from automatos.personas.schemas import PersonaCreate, PersonaUpdate
from automatos.personas.types import (
    AgentsOfPersonas,
    PersonaScope,
    agent_categories,
    agent_types,
    known_category,
    unfitting_categories,
)
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

MAX_SLUG = 100
_OTHER = re.compile(r"[^a-z0-9]+")


def filter_for(
    *, category: str | None = None, agent_type: str | None = None, marketplace_category: str | None = None,
    scope: PersonaScope | None = None, search: str | None = None,
) -> PersonaFilter:
    """Return which personas to list; raises UnknownAgentType and UnknownAgentCategory."""
    if agent_type is not None and agent_type not in agent_types():
        raise UnknownAgentType(agent_type, agent_types())
    if marketplace_category is not None and marketplace_category not in agent_categories():
        raise UnknownAgentCategory(marketplace_category, agent_categories())
    return PersonaFilter(category, scope, search,
                         unfitting_categories(agent_type=agent_type, shown_as=marketplace_category))


async def list_personas(
    session: AsyncSession, workspace_id: UUID, wanted: PersonaFilter, *, skip: int, limit: int
) -> tuple[Sequence[Persona], int, Sequence[str]]:
    """Return one page of the library, how many personas fit, and the categories there are to choose from."""
    rows, total = await queries.list_personas(session, workspace_id, wanted, skip, limit)
    return rows, total, await queries.list_categories(session, workspace_id, wanted)


async def get_persona(session: AsyncSession, workspace_id: UUID, persona_id: UUID) -> Persona:
    """Return a global persona or one of the workspace; raises PersonaNotFound."""
    persona = await queries.find_persona(session, workspace_id, persona_id)
    if persona is None:
        raise PersonaNotFound(persona_id)
    return persona


async def create_persona(session: AsyncSession, caller: Caller, body: PersonaCreate) -> Persona:
    """Add a persona to the caller's workspace; its slug is its name in plain letters, or with a tail."""
    slug = slug_of(body.name)
    category = await _as_written(session, caller.workspace_id, body.category)
    values = body.model_dump() | {"category": category, "created_by": caller.actor}
    persona = await queries.insert_persona(session, caller.workspace_id, values | {"slug": slug})
    while persona is None:
        tailed = f"{slug}-{secrets.token_hex(4)}"
        persona = await queries.insert_persona(session, caller.workspace_id, values | {"slug": tailed})
    await _note(session, caller, "persona.created", persona)
    return persona


async def update_persona(
    session: AsyncSession, caller: Caller, persona_id: UUID, body: PersonaUpdate, agents_of: AgentsOfPersonas,
    *, expected: frozenset[int] | None = None,
) -> Persona:
    """Change what the body names differently and return the persona; running work keeps the text it began with.

    `expected` holds the versions the client believes to be current; None means whichever is.

    Raises:
        PersonaNotFound: the workspace sees no such persona.
        PersonaIsGlobal: it came with the product.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    persona = await _own(session, caller.workspace_id, persona_id)
    if expected is not None and persona.version not in expected:
        count = await agents_of(session, caller.workspace_id, [persona_id])
        current = PersonaDocument.of(persona, count.get(persona_id, 0)).model_dump(mode="json")
        raise StaleEdit(
            f"{persona.name!r} is at version {persona.version} now. Load it again, redo your change and save.",
            current=current,
        )
    given = body.changes()
    if "category" in given:
        given["category"] = await _as_written(session, caller.workspace_id, given["category"], besides=persona_id)
    changes = {name: value for name, value in given.items() if not _is_same(getattr(persona, name), value)}
    if not changes:
        return persona
    changed = await queries.update_persona(session, caller.workspace_id, persona_id, changes)
    if changed is None:
        raise PersonaNotFound(persona_id)
    await _note(session, caller, "persona.updated", changed, fields=sorted(changes))
    return changed


async def delete_persona(
    session: AsyncSession, caller: Caller, persona_id: UUID, agents_of: AgentsOfPersonas
) -> None:
    """Remove a persona of the workspace; agents that spoke with it go on without one, and the audit log says how many.

    Raises PersonaNotFound and PersonaIsGlobal.
    """
    persona = await _own(session, caller.workspace_id, persona_id)
    count = await agents_of(session, caller.workspace_id, [persona_id])
    await queries.delete_persona(session, caller.workspace_id, persona_id)
    await _note(session, caller, "persona.deleted", persona, agents_left_without=count.get(persona_id, 0))


def slug_of(name: str) -> str:
    """Return a name in a to z, 0 to 9 and hyphens, 100 at most; accents are dropped."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _OTHER.sub("-", plain).strip("-")[:MAX_SLUG].rstrip("-") or "persona"


async def _as_written(
    session: AsyncSession, workspace_id: UUID, category: str, *, besides: UUID | None = None
) -> str:
    """Return a category as the library writes it already, so that none is there twice in letters of another case."""
    found = await queries.find_category(session, workspace_id, category, besides=besides)
    return found or known_category(category) or category


async def _own(session: AsyncSession, workspace_id: UUID, persona_id: UUID) -> Persona:
    """Return a persona that the workspace may change, locked."""
    persona = await queries.find_own(session, workspace_id, persona_id)
    if persona is None:
        raise PersonaIsGlobal((await get_persona(session, workspace_id, persona_id)).name)
    return persona


def _is_same(stored: object, given: object) -> bool:
    """Whether a save changes nothing; a temperature is stored with two places."""
    return round(given, 2) == float(str(stored)) if isinstance(given, float) and stored is not None else stored == given


async def _note(session: AsyncSession, caller: Caller, action: str, persona: Persona, **detail: object) -> None:
    await write_audit(session, caller, action, target_type="persona", target_id=persona.id,
                      detail={"name": persona.name, "slug": persona.slug, **detail})
