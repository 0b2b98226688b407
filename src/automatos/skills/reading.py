"""Skills as people read them: lists, one with its files, its text at one of three levels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.tokens import estimate_tokens
from automatos.skills import front_matter, schemas
from automatos.skills.errors import (
    ResourcePathMissing,
    SkillFileNotFound,
    SkillFileNotText,
    SkillNotFound,
    SkillVersionNotFound,
)
from automatos.skills.models import Skill
from automatos.skills.queries import records
from automatos.skills.queries.records import SkillFilter
from automatos.skills.storing import as_text, of_version
from automatos.skills.types import Fitness, SkillLevel, SkillUsers


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the skills that fit, and how many fit in all."""

    items: Sequence[Skill]
    total: int


async def list_skills(
    session: AsyncSession, workspace_id: UUID, wanted: SkillFilter, *, limit: int, offset: int
) -> Page:
    """Return one page of the workspace's skills and the product's, by name."""
    return Page(*await records.list_skills(session, workspace_id, wanted, limit=limit, offset=offset))


async def get_skill(session: AsyncSession, workspace_id: UUID, skill_id: int, *, lock: bool = False) -> Skill:
    """Return a skill that the workspace sees; raises SkillNotFound."""
    skill = await records.find_skill(session, workspace_id, skill_id, lock=lock)
    if skill is None:
        raise SkillNotFound(skill_id)
    return skill


async def describe(
    session: AsyncSession, workspace_id: UUID, users: SkillUsers, skills: Sequence[Skill]
) -> list[schemas.Skill]:
    """Return skills as clients get them, each with its source's name and how many agents have it."""
    used = await users(session, workspace_id, [skill.id for skill in skills])
    sources = {skill.source_id for skill in skills if skill.source_id}
    names = await records.source_names(session, workspace_id, sources) if sources else {}
    return [
        schemas.Skill(
            **{name: getattr(skill, name) for name in SHOWN}, **_judged(skill.skill_metadata),
            source_name=names.get(skill.source_id) if skill.source_id else None,
            agents_count=len(used.get(skill.id, ())),
        )
        for skill in skills
    ]


SHOWN = tuple(name for name in schemas.Skill.model_fields if hasattr(Skill, name))


def _judged(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was found when a skill was taken: its verdict with the reasons, and who may call it up."""
    invocation: Mapping[str, Any] = metadata.get("invocation") or {}
    notes: list[str] = metadata.get("notes") or []
    left_out: Mapping[str, str] = metadata.get("left_out") or {}
    return {
        "verdict": Fitness.USABLE if notes else Fitness.CONFORMS, "notes": notes,
        "left_out": [schemas.LeftOutFile(path=path, reason=reason) for path, reason in left_out.items()],
        "disable_model_invocation": not invocation.get("by_model", True),
        "user_invocable": invocation.get("by_people", True), "argument_hint": invocation.get("argument_hint", ""),
    }


async def document(
    session: AsyncSession, workspace_id: UUID, users: SkillUsers, skill: Skill
) -> schemas.SkillDocument:
    """Return one skill with its files and the agents that have it."""
    shown = (await describe(session, workspace_id, users, [skill]))[0]
    agents = (await users(session, workspace_id, [skill.id])).get(skill.id, ())
    version = await of_version(session, skill, skill.current_version)
    return schemas.SkillDocument(
        **shown.model_dump(), files=await _files(session, skill),
        front_matter=front_matter.split(version.content).head if version else None,
        agents=[schemas.SkillAgent(id=user.agent_id, name=user.agent_name) for user in agents],
    )


async def load(
    session: AsyncSession, skill: Skill, level: SkillLevel, resource_path: str | None
) -> schemas.SkillContentOut:
    """Return a skill at one level: what it is called and for, its instructions, or one of its files.

    Raises:
        ResourcePathMissing: level 3 without a path.
        SkillFileNotFound, SkillFileNotText: as their names say.
    """
    files = await _files(session, skill)
    if level is SkillLevel.METADATA:
        content = f"name: {skill.name}\ndescription: {skill.description}"
    elif level is SkillLevel.CORE:
        content = await core_of(session, skill)
    else:
        content = await _resource(session, skill, resource_path, [file.path for file in files])
    return schemas.SkillContentOut(
        skill_id=skill.id, skill_name=skill.name, load_level=level, content=content,
        estimated_tokens=estimate_tokens(content), files_available=files,
    )


async def core_of(session: AsyncSession, skill: Skill) -> str:
    """Return the instructions of a skill as it is now."""
    version = await of_version(session, skill, skill.current_version)
    if version is None:
        raise SkillVersionNotFound(skill.name, skill.current_version)
    return front_matter.body_of(version.content)


async def _resource(session: AsyncSession, skill: Skill, path: str | None, known: Sequence[str]) -> str:
    if path is None:
        raise ResourcePathMissing(known)
    if path not in known:
        raise SkillFileNotFound(skill.name, path, known)
    found = await records.read_files(session, skill.workspace_id, skill.id, skill.current_version, path)
    text = as_text(found[path])
    if text is None:
        raise SkillFileNotText(skill.name, path, len(found[path]))
    return text


async def _files(session: AsyncSession, skill: Skill) -> list[schemas.SkillFileInfo]:
    rows = await records.list_files(session, skill.workspace_id, skill.id, skill.current_version)
    return [schemas.SkillFileInfo(**row) for row in rows]


async def versions(session: AsyncSession, skill: Skill) -> schemas.SkillVersionList:
    """Return the states a skill was in, newest first."""
    rows = await records.list_versions(session, skill.workspace_id, skill.id)
    items = [
        schemas.SkillVersionOut(
            version=row.version, description=row.description, git_commit_sha=row.git_commit_sha, author=row.author,
            created_at=row.created_at, is_current=row.version == skill.current_version,
        )
        for row in rows
    ]
    return schemas.SkillVersionList(items=items, total=len(items))
