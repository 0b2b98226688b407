"""SQL of skills, their versions and files; a workspace sees its own and those that came with the product."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import ColumnElement, Select, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.skills.models import Skill, SkillFile, SkillSource, SkillVersion


@dataclass(frozen=True, slots=True)
class SkillFilter:
    """Which skills to list; None and nothing mean any."""

    category: str | None = None
    source: str | None = None
    source_id: UUID | None = None
    search: str | None = None
    tags: tuple[str, ...] = ()
    is_active: bool | None = None


def _seen(workspace_id: UUID) -> ColumnElement[bool]:
    return or_(Skill.workspace_id == workspace_id, Skill.workspace_id.is_(None))


def _owned(workspace_id: UUID | None) -> ColumnElement[bool]:
    return Skill.workspace_id.is_(None) if workspace_id is None else Skill.workspace_id == workspace_id


async def list_skills(
    session: AsyncSession, workspace_id: UUID, wanted: SkillFilter, *, limit: int, offset: int
) -> tuple[Sequence[Skill], int]:
    """Return one page of the skills that fit, by name, and how many fit in all."""
    chosen = _chosen(select(Skill).where(_seen(workspace_id)), wanted)
    total = await session.scalar(select(func.count()).select_from(chosen.subquery()))
    rows = await session.scalars(chosen.order_by(Skill.name, Skill.id).limit(limit).offset(offset))
    return rows.all(), total or 0


def _chosen(statement: Select[Skill], wanted: SkillFilter) -> Select[Skill]:
    equal = {Skill.category: wanted.category, Skill.source: wanted.source, Skill.source_id: wanted.source_id,
             Skill.is_active: wanted.is_active}
    for column, value in equal.items():
        if value is not None:
            statement = statement.where(column == value)
    if wanted.search:
        pattern = "%" + wanted.search.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        statement = statement.where(or_(Skill.name.ilike(pattern), Skill.description.ilike(pattern)))
    if wanted.tags:
        statement = statement.where(or_(*(Skill.tags.contains([tag]) for tag in wanted.tags)))
    return statement


async def list_active(session: AsyncSession, workspace_id: UUID) -> Sequence[Skill]:
    """Return every skill that is switched on."""
    rows = await session.scalars(select(Skill).where(_seen(workspace_id), Skill.is_active).order_by(Skill.id))
    return rows.all()


async def find_skill(session: AsyncSession, workspace_id: UUID, skill_id: int, *, lock: bool = False) -> Skill | None:
    """Return a skill; `lock` keeps others from changing it until the transaction ends."""
    statement = select(Skill).where(_seen(workspace_id), Skill.id == skill_id)
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return await session.scalar(statement)


async def find_own(
    session: AsyncSession, workspace_id: UUID | None, names: Iterable[str], *, lock: bool = False
) -> Mapping[str, Skill]:
    """Return a workspace's own skills of these names; without a workspace, the product's."""
    statement = select(Skill).where(_owned(workspace_id), Skill.name.in_(list(names))).order_by(Skill.id)
    rows = await session.scalars(statement.with_for_update() if lock else statement)
    return {row.name: row for row in rows}


async def list_of_source(session: AsyncSession, workspace_id: UUID, source_id: UUID) -> Sequence[Skill]:
    """Return the skills of a source, by name, locked until the transaction ends."""
    rows = await session.scalars(
        select(Skill).where(Skill.workspace_id == workspace_id, Skill.source_id == source_id)
        .order_by(Skill.name).with_for_update())
    return rows.all()


async def source_names(session: AsyncSession, workspace_id: UUID, source_ids: Iterable[UUID]) -> Mapping[UUID, str]:
    """Return the names of sources by their ids."""
    rows = await session.execute(
        select(SkillSource.id, SkillSource.source_name)
        .where(SkillSource.workspace_id == workspace_id, SkillSource.id.in_(list(source_ids))))
    return {row.id: row.source_name for row in rows}


async def insert_skill(session: AsyncSession, workspace_id: UUID | None, values: Mapping[str, object]) -> Skill | None:
    """Add a skill; None when its name is taken."""
    return await session.scalar(
        insert(Skill).values(workspace_id=workspace_id, **values).on_conflict_do_nothing().returning(Skill))


async def update_skill(
    session: AsyncSession, workspace_id: UUID | None, skill_id: int, values: Mapping[str, object]
) -> Skill:
    """Change a skill and return it."""
    statement = (
        update(Skill).where(_owned(workspace_id), Skill.id == skill_id)
        .values(**values, updated_at=func.now(), revision=Skill.revision + 1)
        .returning(Skill).execution_options(populate_existing=True)
    )
    return (await session.scalars(statement)).one()


async def delete_skills(session: AsyncSession, workspace_id: UUID, skill_ids: Iterable[int]) -> None:
    """Remove skills with their versions and files; agents lose them."""
    await session.execute(
        delete(Skill).where(Skill.workspace_id == workspace_id, Skill.id.in_(list(skill_ids))))


async def insert_version(
    session: AsyncSession, version: Mapping[str, object], files: Sequence[Mapping[str, object]]
) -> None:
    """Store a state of a skill with its files."""
    await session.execute(insert(SkillVersion).values(**version))
    if files:
        await session.execute(insert(SkillFile), list(files))


async def last_version(session: AsyncSession, workspace_id: UUID | None, skill_id: int) -> int:
    """Return the highest number a version of a skill has; 0 when there is none."""
    where = SkillVersion.workspace_id.is_(None) if workspace_id is None else SkillVersion.workspace_id == workspace_id
    found = await session.scalar(select(func.max(SkillVersion.version)).where(where, SkillVersion.skill_id == skill_id))
    return found or 0


async def list_versions(session: AsyncSession, workspace_id: UUID | None, skill_id: int) -> Sequence[SkillVersion]:
    """Return the states of a skill, newest first, up to 200."""
    where = SkillVersion.workspace_id.is_(None) if workspace_id is None else SkillVersion.workspace_id == workspace_id
    rows = await session.scalars(
        select(SkillVersion).where(where, SkillVersion.skill_id == skill_id)
        .order_by(SkillVersion.version.desc()).limit(200))
    return rows.all()


async def find_version(
    session: AsyncSession, workspace_id: UUID | None, skill_id: int, version: int
) -> SkillVersion | None:
    """Return one state of a skill."""
    where = SkillVersion.workspace_id.is_(None) if workspace_id is None else SkillVersion.workspace_id == workspace_id
    return await session.scalar(
        select(SkillVersion).where(where, SkillVersion.skill_id == skill_id, SkillVersion.version == version))


async def list_files(
    session: AsyncSession, workspace_id: UUID | None, skill_id: int, version: int
) -> list[dict[str, Any]]:
    """Return the files of a version by path, without what is in them."""
    where = SkillFile.workspace_id.is_(None) if workspace_id is None else SkillFile.workspace_id == workspace_id
    rows = await session.execute(
        select(SkillFile.file_path.label("path"), SkillFile.file_type.label("kind"),
               SkillFile.file_size_bytes.label("size_bytes"), SkillFile.estimated_tokens)
        .where(where, SkillFile.skill_id == skill_id, SkillFile.version == version).order_by(SkillFile.file_path))
    return [dict(row) for row in rows.mappings()]


async def read_files(
    session: AsyncSession, workspace_id: UUID | None, skill_id: int, version: int, path: str | None = None
) -> dict[str, bytes]:
    """Return what is in the files of a version, or in the one of that path."""
    where = SkillFile.workspace_id.is_(None) if workspace_id is None else SkillFile.workspace_id == workspace_id
    statement = select(SkillFile.file_path, SkillFile.content).where(
        where, SkillFile.skill_id == skill_id, SkillFile.version == version)
    rows = await session.execute(statement if path is None else statement.where(SkillFile.file_path == path))
    return {row.file_path: row.content for row in rows}


# Below: what runs read, on the recording path. Row-level security shows the workspace's rows and the product's.


async def core_for_run(connection: asyncpg.Connection, skill_id: int, version: int) -> str | None:
    """Return the SKILL.md of a version."""
    return await connection.fetchval(
        "SELECT content FROM skill_versions WHERE skill_id = $1 AND version = $2", skill_id, version)


async def files_for_run(connection: asyncpg.Connection, skill_id: int, version: int) -> list[asyncpg.Record]:
    """Return the paths and sizes of the files of a version."""
    return await connection.fetch(
        "SELECT file_path, file_size_bytes FROM skill_files WHERE skill_id = $1 AND version = $2 ORDER BY file_path",
        skill_id, version)


async def file_for_run(connection: asyncpg.Connection, skill_id: int, version: int, path: str) -> bytes | None:
    """Return what is in one file of a version."""
    return await connection.fetchval(
        "SELECT content FROM skill_files WHERE skill_id = $1 AND version = $2 AND file_path = $3",
        skill_id, version, path)


async def all_files_for_run(connection: asyncpg.Connection, skill_id: int, version: int) -> list[asyncpg.Record]:
    """Return every file of a version whole."""
    return await connection.fetch(
        "SELECT file_path, content FROM skill_files WHERE skill_id = $1 AND version = $2", skill_id, version)
