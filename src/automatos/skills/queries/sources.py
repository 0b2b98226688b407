"""SQL of sources and patterns."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import JSON, ColumnElement, cast, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.skills.models import Pattern, SkillSource
from automatos.skills.types import SourceStatus

NAME_INDEX = "uq_skill_sources_name"


async def list_sources(session: AsyncSession, workspace_id: UUID, status: str | None) -> Sequence[SkillSource]:
    """Return the workspace's sources, by name."""
    statement = select(SkillSource).where(SkillSource.workspace_id == workspace_id)
    if status:
        statement = statement.where(SkillSource.status == status)
    return (await session.scalars(statement.order_by(SkillSource.source_name, SkillSource.id))).all()


async def find_source(
    session: AsyncSession, workspace_id: UUID, source_id: UUID, *, lock: bool = False
) -> SkillSource | None:
    """Return a source; `lock` keeps others from changing it until the transaction ends."""
    statement = select(SkillSource).where(SkillSource.workspace_id == workspace_id, SkillSource.id == source_id)
    return await session.scalar(statement.with_for_update() if lock else statement)


async def is_name_taken(session: AsyncSession, workspace_id: UUID, name: str) -> bool:
    """Whether the workspace has a source of that name."""
    found = await session.scalar(
        select(SkillSource.id).where(SkillSource.workspace_id == workspace_id, SkillSource.source_name == name))
    return found is not None


async def insert_source(
    session: AsyncSession, workspace_id: UUID, values: Mapping[str, object]
) -> SkillSource | None:
    """Add a source; None when its name is taken."""
    return await session.scalar(
        insert(SkillSource).values(workspace_id=workspace_id, **values).on_conflict_do_nothing().returning(SkillSource))


async def update_source(
    session: AsyncSession, workspace_id: UUID, source_id: UUID, values: Mapping[str, object]
) -> SkillSource | None:
    """Change a source and return it; None when its new name is taken."""
    statement = (
        update(SkillSource).where(SkillSource.workspace_id == workspace_id, SkillSource.id == source_id)
        .values(**values).returning(SkillSource).execution_options(populate_existing=True)
    )
    try:
        async with session.begin_nested():
            return await session.scalar(statement)
    except IntegrityError as error:
        if NAME_INDEX in str(error.orig):
            return None
        raise


async def delete_source(session: AsyncSession, workspace_id: UUID, source_id: UUID) -> None:
    """Remove a source with its skills."""
    await session.execute(
        delete(SkillSource).where(SkillSource.workspace_id == workspace_id, SkillSource.id == source_id))


async def due_sources(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    """Return the sources of every workspace that keep themselves in step and have waited long enough."""
    rows = await connection.fetch(
        "SELECT id, workspace_id FROM skill_sources WHERE auto_update AND status <> $1 "
        "AND pinned_commit IS NULL AND coalesce(last_sync_at, created_at) "
        "<= now() - make_interval(hours => update_frequency_hours) ORDER BY last_sync_at NULLS FIRST LIMIT 20",
        SourceStatus.INACTIVE)
    return [dict(row) for row in rows]


async def list_patterns(
    session: AsyncSession, workspace_id: UUID, pattern_type: str | None
) -> Sequence[Pattern]:
    """Return the patterns that a workspace sees, by name."""
    statement = select(Pattern).where(*_seen(workspace_id))
    if pattern_type:
        statement = statement.where(Pattern.pattern_type == pattern_type)
    return (await session.scalars(statement.order_by(func.lower(Pattern.name), Pattern.id))).all()


async def find_pattern(session: AsyncSession, workspace_id: UUID, slug: str) -> Pattern | None:
    """Return one pattern that a workspace sees, its own before one of the product."""
    return await session.scalar(
        select(Pattern).where(*_seen(workspace_id), Pattern.slug == slug)
        .order_by(Pattern.workspace_id.is_(None)).limit(1))


async def find_patterns(session: AsyncSession, workspace_id: UUID, slugs: Collection[str]) -> Sequence[Pattern]:
    """Return the patterns of these slugs that a workspace sees, one each, its own before one of the product."""
    rows = await session.scalars(
        select(Pattern).where(*_seen(workspace_id), Pattern.slug.in_(slugs))
        .order_by(Pattern.slug, Pattern.workspace_id.is_(None)).ext(distinct_on(Pattern.slug)))
    return rows.all()


def _seen(workspace_id: UUID) -> list[ColumnElement[bool]]:
    return [Pattern.is_active.is_(True), or_(Pattern.workspace_id.is_(None), Pattern.workspace_id == workspace_id)]


async def find_own_pattern(session: AsyncSession, workspace_id: UUID, slug: str) -> Pattern | None:
    """Return a pattern of the workspace itself, locked until the transaction ends."""
    return await session.scalar(
        select(Pattern).where(Pattern.workspace_id == workspace_id, Pattern.slug == slug).with_for_update())


async def insert_pattern(session: AsyncSession, workspace_id: UUID, values: Mapping[str, object]) -> Pattern:
    """Add a pattern to the workspace."""
    found = await session.scalars(insert(Pattern).values(workspace_id=workspace_id, **values).returning(Pattern))
    return found.one()


async def update_pattern(
    session: AsyncSession, workspace_id: UUID, pattern_id: int, values: Mapping[str, object]
) -> Pattern:
    """Change a pattern of the workspace and raise its version."""
    statement = update(Pattern).where(Pattern.workspace_id == workspace_id, Pattern.id == pattern_id)
    changed = statement.values(**values, version=Pattern.version + 1, updated_at=func.now()).returning(Pattern)
    return (await session.scalars(changed.execution_options(populate_existing=True))).one()


async def delete_pattern(session: AsyncSession, workspace_id: UUID, pattern_id: int) -> None:
    """Remove a pattern of the workspace."""
    await session.execute(delete(Pattern).where(Pattern.workspace_id == workspace_id, Pattern.id == pattern_id))


async def put_patterns(session: AsyncSession, rows: Sequence[Mapping[str, object]]) -> None:
    """Add the product's patterns, or make those there are as these say."""
    statement = insert(Pattern).values([{**row, "workspace_id": None} for row in rows])
    told = {name: statement.excluded[name] for name in ("name", "description", "pattern_type", "pattern_data")}
    await session.execute(statement.on_conflict_do_update(
        index_elements=["workspace_id", "slug"],
        set_={**told, "version": Pattern.version + 1, "updated_at": func.now()},
        where=or_(*(_comparable(getattr(Pattern, name)).is_distinct_from(_comparable(told[name])) for name in told))))


def _comparable(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column as PostgreSQL compares it; JSON that keeps the order of its author has no equality."""
    return cast(column, JSONB) if isinstance(column.type, JSON) else column
