"""SQL of the personas room; every function takes the workspace it works in, and sees global personas beside its own."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, delete, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.personas.models import Persona
from automatos.personas.types import PersonaScope, PersonaSource


@dataclass(frozen=True, slots=True)
class PersonaFilter:
    """Which personas to list; `without` names categories in lower case that are left out, None means any."""

    category: str | None = None
    scope: PersonaScope | None = None
    search: str | None = None
    without: Collection[str] = ()


async def list_personas(
    session: AsyncSession, workspace_id: UUID, wanted: PersonaFilter, skip: int, limit: int
) -> tuple[Sequence[Persona], int]:
    """Return one page of the personas that fit, by category and name, the workspace's own first; and how many fit."""
    fitting = [*_visible(workspace_id, wanted), *_chosen(wanted)]
    total = await session.scalar(select(func.count()).select_from(Persona).where(*fitting))
    order = (func.lower(Persona.category), Persona.workspace_id.is_(None), func.lower(Persona.name), Persona.id)
    rows = await session.scalars(select(Persona).where(*fitting).order_by(*order).offset(skip).limit(limit))
    return rows.all(), total or 0


async def list_categories(session: AsyncSession, workspace_id: UUID, wanted: PersonaFilter) -> Sequence[str]:
    """Return the categories in which there is a persona, whatever category and words were asked for.

    Each is there once, as a global persona writes it, or else the first of the workspace's that has it.
    """
    folded = func.lower(Persona.category)
    rows = await session.scalars(
        select(Persona.category).where(*_visible(workspace_id, wanted)).ext(distinct_on(folded))
        .order_by(folded, Persona.workspace_id.is_not(None), Persona.created_at, Persona.id))
    return rows.all()


async def find_category(
    session: AsyncSession, workspace_id: UUID, category: str, *, besides: UUID | None = None
) -> str | None:
    """Return a category as the library writes it, whatever the case of its letters; `besides` is not looked at."""
    fitting = [*_visible(workspace_id, PersonaFilter()), func.lower(Persona.category) == func.lower(category)]
    fitting += [Persona.id != besides] if besides else []
    return await session.scalar(
        select(Persona.category).where(*fitting)
        .order_by(Persona.workspace_id.is_not(None), Persona.created_at, Persona.id).limit(1))


def _visible(workspace_id: UUID, wanted: PersonaFilter) -> list[ColumnElement[bool]]:
    everybodys, own = Persona.workspace_id.is_(None), Persona.workspace_id == workspace_id
    reach = {PersonaScope.GLOBAL: everybodys, PersonaScope.WORKSPACE: own, None: or_(everybodys, own)}[wanted.scope]
    return [reach, func.lower(Persona.category).not_in(wanted.without)] if wanted.without else [reach]


def _chosen(wanted: PersonaFilter) -> list[ColumnElement[bool]]:
    chosen: list[ColumnElement[bool]] = []
    if wanted.category is not None:
        chosen.append(func.lower(Persona.category) == func.lower(wanted.category))
    if wanted.search:
        pattern = f"%{_escaped(wanted.search)}%"
        looked_at = (Persona.name, Persona.description, Persona.voice_description, Persona.slug)
        chosen.append(or_(false(), *(column.ilike(pattern, escape="\\") for column in looked_at)))
    return chosen


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def find_persona(session: AsyncSession, workspace_id: UUID, persona_id: UUID) -> Persona | None:
    """Return a global persona or one of the workspace."""
    return await session.scalar(
        select(Persona).where(Persona.id == persona_id, *_visible(workspace_id, PersonaFilter())))


async def find_own(session: AsyncSession, workspace_id: UUID, persona_id: UUID) -> Persona | None:
    """Return a persona of the workspace itself, locked until the transaction ends."""
    return await session.scalar(
        select(Persona).where(Persona.workspace_id == workspace_id, Persona.id == persona_id).with_for_update())


async def insert_persona(session: AsyncSession, workspace_id: UUID, values: Mapping[str, object]) -> Persona | None:
    """Add a persona to the workspace; None when its slug is taken."""
    statement = insert(Persona).values(
        workspace_id=workspace_id, scope=PersonaScope.WORKSPACE, source=PersonaSource.MANUAL, **values)
    return await session.scalar(statement.on_conflict_do_nothing().returning(Persona))


async def update_persona(
    session: AsyncSession, workspace_id: UUID, persona_id: UUID, values: Mapping[str, object]
) -> Persona | None:
    """Change a persona of the workspace and raise its version."""
    statement = update(Persona).where(Persona.workspace_id == workspace_id, Persona.id == persona_id)
    changed = statement.values(**values, version=Persona.version + 1, updated_at=func.now()).returning(Persona)
    return await session.scalar(changed.execution_options(populate_existing=True))


async def delete_persona(session: AsyncSession, workspace_id: UUID, persona_id: UUID) -> None:
    """Remove a persona of the workspace; agents that spoke with it are left without one."""
    await session.execute(delete(Persona).where(Persona.workspace_id == workspace_id, Persona.id == persona_id))


async def put_global(session: AsyncSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Make the global personas of these slugs as the rows say; those that are so already keep version and time."""
    statement = insert(Persona).values(
        [{**row, "workspace_id": None, "scope": PersonaScope.GLOBAL, "source": PersonaSource.SEED} for row in rows])
    names = [name for name in rows[0] if name != "slug"]
    fresh = {name: statement.excluded[name] for name in names}
    differs = or_(*(getattr(Persona, name).is_distinct_from(fresh[name]) for name in names))
    await session.execute(statement.on_conflict_do_update(
        index_elements=["workspace_id", "slug"], where=differs,
        set_={**fresh, "version": Persona.version + 1, "updated_at": func.now()},
    ))
