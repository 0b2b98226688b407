"""Packages as rows: a skill, the version it is at, and that version's files."""

import asyncio
import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.confined import USUAL, confined_for
from automatos.kernel.tokens import estimate_tokens
from automatos.skills.models import Skill, SkillVersion
from automatos.skills.package import Checked, Package, check_package, kind_of
from automatos.skills.queries import records
from automatos.skills.types import SkillOrigin


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a package comes from and who brought it."""

    source: SkillOrigin
    author: str
    source_id: UUID | None = None
    git_url: str | None = None
    commit_sha: str | None = None


def is_same(skill: Skill, package: Package) -> bool:
    """Whether a stored skill is what a package holds, byte for byte."""
    return skill.skill_metadata.get("digest") == package.metadata["digest"]


async def add(session: AsyncSession, workspace_id: UUID | None, package: Package, origin: Origin) -> Skill | None:
    """Store a new skill at version 1; None when its name is taken."""
    skill = await records.insert_skill(session, workspace_id, {
        **_columns(package, origin), "source": origin.source, "source_id": origin.source_id, "name": package.name,
        "created_by": origin.author,
    })
    if skill is not None:
        await _store_version(session, workspace_id, skill.id, 1, package, origin)
    return skill


async def renew(session: AsyncSession, skill: Skill, package: Package, origin: Origin) -> Skill:
    """Store a package as the next version of a skill, and make it current."""
    version = await records.last_version(session, skill.workspace_id, skill.id) + 1
    await _store_version(session, skill.workspace_id, skill.id, version, package, origin)
    return await records.update_skill(
        session, skill.workspace_id, skill.id, {**_columns(package, origin), "current_version": version})


async def point_to(session: AsyncSession, skill: Skill, version: SkillVersion) -> Skill:
    """Make a stored version current again."""
    stored = await stored_package(session, skill, version)
    origin = Origin(SkillOrigin(skill.source), version.author, skill.source_id, skill.git_url, version.git_commit_sha)
    return await records.update_skill(session, skill.workspace_id, skill.id, {
        **_columns(stored, origin), "path": skill.path, "current_version": version.version,
    })


async def stored_package(session: AsyncSession, skill: Skill, version: SkillVersion) -> Package:
    """Return a stored version as the package it came as; what was noted of it then stays noted."""
    files = await records.read_files(session, skill.workspace_id, skill.id, version.version)
    main = {"SKILL.md": version.content.encode()}
    checked = await confined_for(skill.workspace_id, USUAL, check_package, "", {**main, **files}, None, skill.name)
    return replace(taken(checked), metadata=dict(version.skill_metadata))


async def packed(session: AsyncSession, skill: Skill) -> bytes:
    """Return a skill as a ZIP with one folder, its current SKILL.md as it was written."""
    version = await of_version(session, skill, skill.current_version)
    files = await records.read_files(session, skill.workspace_id, skill.id, skill.current_version)
    main = {"SKILL.md": version.content.encode()} if version else {}
    return await asyncio.to_thread(_zipped, skill.name, {**main, **files})


def _zipped(folder: str, files: Mapping[str, bytes]) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path, content in files.items():
            file.writestr(f"{folder}/{path}", content)
    return archive.getvalue()


def taken(checked: Checked) -> Package:
    """Return the package of a folder that was found to be one."""
    if checked.package is None:
        raise ValueError(f"not a skill: {checked.problems}")
    return checked.package


async def of_version(session: AsyncSession, skill: Skill, version: int) -> SkillVersion | None:
    """Return one state of a skill."""
    return await records.find_version(session, skill.workspace_id, skill.id, version)


def _columns(package: Package, origin: Origin) -> dict[str, object]:
    """Return what a skill's row repeats of its current version."""
    return {
        "description": package.description, "skill_type": package.skill_type, "category": package.category,
        "tags": package.tags, "path": package.folder, "git_url": origin.git_url, "git_commit_sha": origin.commit_sha,
        "skill_metadata": package.metadata, "tools_schema": package.tools, "core_tokens": package.core_tokens,
    }


async def _store_version(
    session: AsyncSession, workspace_id: UUID | None, skill_id: int, version: int, package: Package, origin: Origin
) -> None:
    await records.insert_version(session, {
        "skill_id": skill_id, "version": version, "workspace_id": workspace_id, "git_commit_sha": origin.commit_sha,
        "content": package.content, "description": package.description, "skill_metadata": package.metadata,
        "tools_schema": package.tools, "author": origin.author,
    }, _file_rows(workspace_id, skill_id, version, package))


def _file_rows(workspace_id: UUID | None, skill_id: int, version: int, package: Package) -> Sequence[dict[str, Any]]:
    return [
        {"skill_id": skill_id, "version": version, "workspace_id": workspace_id, "file_path": path,
         "file_type": kind_of(path), "content": content, "file_size_bytes": len(content),
         "estimated_tokens": estimate_tokens(text) if (text := as_text(content)) is not None else 0}
        for path, content in package.files.items()
    ]


def as_text(content: bytes) -> str | None:
    """Return a file as text, or None where it is not text that can be shown."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text else text
