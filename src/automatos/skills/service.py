"""Verbs of skills: find, read, write, check and recommend them, and what runs need of them."""

import asyncio
from collections.abc import Mapping
from types import MappingProxyType
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.confined import USUAL, confined_for
from automatos.kernel.db import Database
from automatos.skills import front_matter, schemas
from automatos.skills.package import Checked, check_packages
from automatos.skills.patterns import get_pattern, words_of, words_of_patterns
from automatos.skills.queries import records
from automatos.skills.queries.records import SkillFilter
from automatos.skills.reading import Page, describe, get_skill, list_skills
from automatos.skills.recommend import rank
from automatos.skills.storing import as_text
from automatos.skills.tool_schema import tool_name
from automatos.skills.types import Fitness, SkillUsers
from automatos.skills.writing import (
    Imported,
    create_skill,
    delete_skill,
    import_files,
    restore_version,
    update_skill,
)
from automatos.workspaces.types import Caller

__all__ = [
    "ZIP_TYPES", "Imported", "Page", "SkillFilter", "as_text", "check", "create_skill", "delete_skill", "describe",
    "get_pattern", "get_skill", "import_files", "list_skills", "load_core", "load_files", "read_file", "recommend",
    "restore_version", "split_tags", "tool_name", "update_skill", "words_of", "words_of_patterns",
]

ZIP_TYPES = frozenset({
    "application/zip", "application/x-zip", "application/x-zip-compressed", "application/octet-stream"})


def split_tags(text: str | None) -> tuple[str, ...]:
    """Return the tags in a text with commas, as they are stored."""
    return tuple(tag.strip().lower() for tag in (text or "").split(",") if tag.strip())


async def check(caller: Caller, body: schemas.SkillValidate) -> schemas.SkillVerdict:
    """Return the verdict on every skill among some files, with all that differs; nothing is stored."""
    files = {file.path: file.content.encode() for file in body.files}
    checked = await confined_for(caller.workspace_id, USUAL, check_packages, files)
    checked = checked or [Checked("", None, ["There is no SKILL.md among the files."])]
    items = [_verdict(one, files) for one in checked]
    return schemas.SkillVerdict(
        is_valid=all(one.verdict is Fitness.CONFORMS for one in checked),
        is_usable=all(one.verdict is not Fitness.UNUSABLE for one in checked), items=items, total=len(items))


def _verdict(checked: Checked, files: Mapping[str, bytes]) -> schemas.SkillCheck:
    package = checked.package
    inside = sorted(package.files) if package else sorted(path for path in files if path.startswith(checked.folder))
    return schemas.SkillCheck(
        path=checked.folder, name=package.name if package else "", description=package.description if package else "",
        core_tokens=package.core_tokens if package else 0, files=inside,
        tools=[str(tool["name"]) for tool in package.tools] if package else [], verdict=checked.verdict,
        problems=[*checked.problems, *checked.notes], notes=checked.notes,
    )


async def recommend(
    session: AsyncSession, workspace_id: UUID, users: SkillUsers, body: schemas.SkillRecommend
) -> schemas.SkillSuggestions:
    """Return the active skills that fit some work best, each with the words that say so."""
    skills = await records.list_active(session, workspace_id)
    fits = await asyncio.to_thread(rank, skills, body.task_description, body.task_type, body.limit)
    shown = await describe(session, workspace_id, users, [fit.skill for fit in fits])
    items = [
        schemas.SkillSuggestion(skill=skill, score=fit.score, matched=list(fit.matched),
                                reason=f"It matches {', '.join(fit.matched)}.")
        for skill, fit in zip(shown, fits, strict=True)
    ]
    return schemas.SkillSuggestions(items=items, total=len(items))


async def load_core(
    database: Database, workspace_id: UUID, skill_id: int, version: int
) -> tuple[str, list[tuple[str, int]]]:
    """Return the instructions of a version, and the paths and sizes of its files, on the recording path.

    Raises:
        LookupError: the workspace sees no such version.
    """
    async with database.recording(workspace_id) as connection:
        content = await records.core_for_run(connection, skill_id, version)
        if content is None:
            raise LookupError(f"skill {skill_id} has no version {version}")
        files = await records.files_for_run(connection, skill_id, version)
    return front_matter.body_of(content), [(row["file_path"], row["file_size_bytes"]) for row in files]


async def read_file(database: Database, workspace_id: UUID, skill_id: int, version: int, path: str) -> bytes | None:
    """Return one file of a version, on the recording path; None when it has no such file."""
    async with database.recording(workspace_id) as connection:
        return await records.file_for_run(connection, skill_id, version, path)


async def load_files(database: Database, workspace_id: UUID, skill_id: int, version: int) -> Mapping[str, bytes]:
    """Return every file of a version by path, on the recording path."""
    async with database.recording(workspace_id) as connection:
        rows = await records.all_files_for_run(connection, skill_id, version)
    return MappingProxyType({row["file_path"]: row["content"] for row in rows})
