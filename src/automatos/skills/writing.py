"""Making, changing and removing skills: by hand and by upload."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.skills import front_matter, schemas, storing
from automatos.skills.errors import (
    ArchiveRefused,
    SkillInUse,
    SkillInvalid,
    SkillKeptBySource,
    SkillNameTaken,
    SkillReadOnly,
    SkillVersionNotFound,
)
from automatos.skills.models import Skill
from automatos.skills.package import MAIN_FILES, Package, check_package, check_packages
from automatos.skills.queries import records
from automatos.skills.reading import get_skill
from automatos.skills.storing import Origin
from automatos.skills.tool_schema import FILE as TOOLS_FILE
from automatos.skills.types import SkillOrigin, SkillUsers
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

TEXTS = frozenset({"description", "content", "tags", "category", "skill_type", "files", "tools_schema"})


@dataclass
class Imported:
    """What an upload brought: the skills, and what was done with each, by name."""

    skills: list[Skill] = field(default_factory=list[Skill])
    added: list[str] = field(default_factory=list[str])
    updated: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])


async def create_skill(session: AsyncSession, caller: Caller, body: schemas.SkillCreate) -> Skill:
    """Add a skill written by hand to the caller's workspace.

    Raises:
        SkillInvalid: it is not a skill; names every fault.
        SkillNameTaken: the workspace has a skill of that name.
    """
    fields: dict[str, Any] = {"name": body.name, "description": body.description}
    package = await asyncio.to_thread(
        _written, _with_kind(fields, body), body.content, _files(body.files), body.tools_schema)
    skill = await storing.add(session, caller.workspace_id, package, Origin(SkillOrigin.MANUAL, caller.actor))
    if skill is None:
        raise SkillNameTaken([package.name])
    await _note(session, caller, "skill.created", skill)
    return skill


async def import_files(session: AsyncSession, caller: Caller, files: Mapping[str, bytes]) -> Imported:
    """Store every skill found in an upload, or none; one uploaded before gets a new version where it differs.

    Raises:
        ArchiveRefused: there is no SKILL.md in it.
        SkillInvalid: at least one is not a skill; names every fault of each.
        SkillNameTaken: skills of these names are there from elsewhere.
    """
    packages = await asyncio.to_thread(_packages, files)
    known = await records.find_own(session, caller.workspace_id, [one.name for one in packages], lock=True)
    foreign = [name for name, skill in known.items() if skill.source != SkillOrigin.UPLOAD]
    if foreign:
        raise SkillNameTaken(foreign)
    origin, done = Origin(SkillOrigin.UPLOAD, caller.actor), Imported()
    for package in packages:
        await _put(session, caller, package, known.get(package.name), origin, done)
    await write_audit(session, caller, "skills.imported", target_type="skill", detail={
        "added": done.added, "updated": done.updated})
    return done


def _packages(files: Mapping[str, bytes]) -> list[Package]:
    checked = check_packages(files)
    if not checked:
        raise ArchiveRefused("There is no SKILL.md in the archive. Each folder with a SKILL.md is one skill.")
    problems = {one.folder: one.problems for one in checked if one.problems}
    packages = [one.package for one in checked if one.package]
    names = [package.name for package in packages]
    for package in packages:
        if names.count(package.name) > 1:
            problems[package.folder] = [f"name: {package.name!r} is used by more than one folder."]
    if problems:
        raise SkillInvalid(problems)
    return packages


async def _put(
    session: AsyncSession, caller: Caller, package: Package, known: Skill | None, origin: Origin, done: Imported
) -> None:
    if known is None:
        skill, list_of = await storing.add(session, caller.workspace_id, package, origin), done.added
        if skill is None:  # made by somebody else since we looked
            raise SkillNameTaken([package.name])
    elif storing.is_same(known, package):
        skill, list_of = known, done.unchanged
    else:
        skill, list_of = await storing.renew(session, known, package, origin), done.updated
    done.skills.append(skill)
    list_of.append(package.name)


async def update_skill(session: AsyncSession, caller: Caller, skill_id: int, body: schemas.SkillUpdate) -> Skill:
    """Change a skill of the caller's workspace; what an agent would read makes a new version.

    Raises:
        SkillNotFound, SkillInvalid: as their names say.
        SkillReadOnly: it came with the product.
        SkillKeptBySource: it is from git and more than its switch was to change.
    """
    skill = await _own(session, caller, skill_id)
    given = {name for name in body.model_fields_set if getattr(body, name) is not None}
    if given & TEXTS:
        await _refuse_if_kept(session, skill)
        package = await _changed(session, skill, body)
        if not storing.is_same(skill, package):
            skill = await storing.renew(session, skill, package, Origin(SkillOrigin(skill.source), caller.actor))
    if body.is_active is not None and body.is_active != skill.is_active:
        skill = await records.update_skill(session, skill.workspace_id, skill.id, {"is_active": body.is_active})
    await _note(session, caller, "skill.updated", skill, fields=sorted(given))
    return skill


async def _changed(session: AsyncSession, skill: Skill, body: schemas.SkillUpdate) -> Package:
    """Return a skill's current version with what the body names put in its place."""
    version = await storing.of_version(session, skill, skill.current_version)
    if version is None:
        raise SkillVersionNotFound(skill.name, skill.current_version)
    head, text = front_matter.split(version.content)
    fields = front_matter.read(head)
    if body.description is not None:
        fields["description"] = body.description
    stored = await records.read_files(session, skill.workspace_id, skill.id, skill.current_version)
    files = stored if body.files is None else _files(body.files)
    if body.tools_schema is not None and body.files is None:
        files.pop(TOOLS_FILE, None)
    elif body.tools_schema is None and body.files is not None and TOOLS_FILE in stored:
        files.setdefault(TOOLS_FILE, stored[TOOLS_FILE])
    return await asyncio.to_thread(
        _written, _with_kind(fields, body), text if body.content is None else body.content, files, body.tools_schema)


async def delete_skill(
    session: AsyncSession, caller: Caller, skill_id: int, users: SkillUsers, *, force: bool
) -> None:
    """Remove a skill of the caller's workspace.

    Raises:
        SkillNotFound, SkillReadOnly, SkillKeptBySource: as their names say.
        SkillInUse: agents have it and `force` is not set; names them.
    """
    skill = await _own(session, caller, skill_id)
    await _refuse_if_kept(session, skill)
    await refuse_if_used(session, caller, [skill], users, force=force)
    await records.delete_skills(session, caller.workspace_id, [skill.id])
    await _note(session, caller, "skill.deleted", skill)


async def refuse_if_used(
    session: AsyncSession, caller: Caller, skills: Sequence[Skill], users: SkillUsers, *, force: bool
) -> None:
    """Raise SkillInUse when agents have one of the skills, unless `force` is set."""
    if force:
        return
    found = await users(session, caller.workspace_id, [skill.id for skill in skills])
    if used := {skill.name: found[skill.id] for skill in skills if found.get(skill.id)}:
        raise SkillInUse(used)


async def restore_version(session: AsyncSession, caller: Caller, skill_id: int, number: int) -> Skill:
    """Make an earlier state of a skill its newest version; restoring the current one changes nothing.

    Raises:
        SkillNotFound, SkillVersionNotFound, SkillReadOnly, SkillKeptBySource: as their names say.
    """
    skill = await _own(session, caller, skill_id)
    await _refuse_if_kept(session, skill)
    version = await storing.of_version(session, skill, number)
    if version is None:
        raise SkillVersionNotFound(skill.name, number)
    package = await storing.stored_package(session, skill, version)
    if not storing.is_same(skill, package):
        skill = await storing.renew(session, skill, package, Origin(SkillOrigin(skill.source), caller.actor))
        await _note(session, caller, "skill.restored", skill, version=number)
    return skill


def _with_kind(fields: dict[str, Any], body: schemas.SkillCreate | schemas.SkillUpdate) -> dict[str, Any]:
    """Put tags, category and kind where a SKILL.md keeps them: in its free metadata."""
    extra: dict[str, str] = dict(fields.get("metadata", {}))
    if body.category is not None:
        extra["category"] = body.category.value
    if body.skill_type is not None:
        extra["skill-type"] = body.skill_type.value
    if body.tags is not None:
        extra["tags"] = ", ".join(body.tags)
    return {**fields, "metadata": {name: value for name, value in extra.items() if value}}


def _files(given: Sequence[schemas.SkillFileWrite]) -> dict[str, bytes]:
    paths = [file.path for file in given]
    faults = [f"files: the path {path!r} is given twice." for path in sorted({p for p in paths if paths.count(p) > 1})]
    faults += [f"files: {path!r} is written from the other fields." for path in MAIN_FILES if path in paths]
    if faults:
        raise SkillInvalid({"": faults})
    return {file.path: file.content.encode() for file in given}


def _written(
    fields: dict[str, Any], text: str, files: Mapping[str, bytes], tools: Sequence[schemas.SkillToolWrite] | None
) -> Package:
    """Return the package that fields, text, files and tools make; raises SkillInvalid with every fault.

    Takes up to a second for the largest, so it is called in a thread.
    """
    whole = dict(files)
    if tools:
        if TOOLS_FILE in whole:
            raise SkillInvalid({"": [f"tools_schema and the file {TOOLS_FILE} say the same; give one of them."]})
        whole[TOOLS_FILE] = orjson.dumps([tool.model_dump(mode="json") for tool in tools], option=orjson.OPT_INDENT_2)
    whole["SKILL.md"] = front_matter.write(fields, text).encode()
    checked = check_package(str(fields["name"]), whole)
    if checked.package is None:
        raise SkillInvalid({"": checked.problems})
    return checked.package


async def _own(session: AsyncSession, caller: Caller, skill_id: int) -> Skill:
    """Return a skill that may be changed, locked; the product's are seen, but cannot be locked either."""
    skill = await get_skill(session, caller.workspace_id, skill_id)
    if skill.workspace_id is None:
        raise SkillReadOnly(skill.name)
    return await get_skill(session, caller.workspace_id, skill_id, lock=True)


async def _refuse_if_kept(session: AsyncSession, skill: Skill) -> None:
    if skill.source_id is not None and skill.workspace_id is not None:
        names = await records.source_names(session, skill.workspace_id, [skill.source_id])
        raise SkillKeptBySource(skill.name, names.get(skill.source_id, "its source"))


async def _note(session: AsyncSession, caller: Caller, action: str, skill: Skill, **detail: object) -> None:
    await write_audit(session, caller, action, target_type="skill", target_id=skill.id,
                      detail={"name": skill.name, "version": skill.current_version} | detail)
