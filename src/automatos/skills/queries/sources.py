"""SQL of sources and patterns."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.skills.models import Pattern, SkillSource

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
        "SELECT id, workspace_id FROM skill_sources WHERE auto_update AND status <> 'inactive' "
        "AND pinned_commit IS NULL AND coalesce(last_sync_at, created_at) "
        "<= now() - make_interval(hours => update_frequency_hours) ORDER BY last_sync_at NULLS FIRST LIMIT 20")
    return [dict(row) for row in rows]


async def list_patterns(session: AsyncSession, pattern_type: str | None) -> Sequence[Pattern]:
    """Return the patterns, by name."""
    statement = select(Pattern).where(Pattern.is_active)
    if pattern_type:
        statement = statement.where(Pattern.pattern_type == pattern_type)
    return (await session.scalars(statement.order_by(Pattern.name))).all()


async def find_pattern(session: AsyncSession, slug: str) -> Pattern | None:
    """Return one pattern."""
    return await session.scalar(select(Pattern).where(Pattern.slug == slug, Pattern.is_active))


async def put_patterns(session: AsyncSession, rows: Sequence[Mapping[str, object]]) -> None:
    """Add patterns, or make those there are as these say."""
    statement = insert(Pattern).values(list(rows))
    told = {name: statement.excluded[name] for name in ("name", "description", "pattern_type", "pattern_data")}
    await session.execute(statement.on_conflict_do_update(
        index_elements=[Pattern.slug], set_=told,
        where=func.row(*(getattr(Pattern, name) for name in told)).is_distinct_from(func.row(*told.values()))))
