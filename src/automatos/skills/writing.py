"""Making, changing and removing skills: by hand and by upload."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.confined import USUAL, confined_for
from automatos.kernel.errors import StaleEdit
from automatos.skills import front_matter, schemas, storing
from automatos.skills.archive import Archive, problems_beside
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
from automatos.skills.package import MAIN_FILE, Checked, Chosen, Package, check_package, check_packages, choose, is_main
from automatos.skills.queries import records
from automatos.skills.reading import core_of, get_skill
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
    problems: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


async def create_skill(session: AsyncSession, caller: Caller, body: schemas.SkillCreate) -> Skill:
    """Add a skill written by hand to the caller's workspace.

    Raises:
        SkillInvalid: it is not a skill; names every fault.
        SkillNameTaken: the workspace has a skill of that name.
    """
    head = {"name": body.name, "description": body.description} | _kinds({}, body)
    content = front_matter.write(head, body.content)
    package = await _strict(
        caller.workspace_id, body.name, content, _files(body.files), body.tools_schema, frozenset())
    skill = await storing.add(session, caller.workspace_id, package, Origin(SkillOrigin.MANUAL, caller.actor))
    if skill is None:
        raise SkillNameTaken([package.name])
    await _note(session, caller, "skill.created", skill)
    return skill


async def import_files(session: AsyncSession, caller: Caller, archive: Archive) -> Imported:
    """Store every skill of an upload that can be used; one uploaded before gets a new version where it differs.

    Raises:
        ArchiveRefused: there is no SKILL.md in it.
        SkillInvalid: none of its skills can be used; names every fault of each.
        SkillNameTaken: skills of these names are there from elsewhere; nothing is stored.
    """
    checked = await confined_for(caller.workspace_id, USUAL, check_packages, archive.files, archive.left_out)
    chosen = _chosen(archive, checked)
    known = await records.find_own(session, caller.workspace_id, [one.name for one in chosen.packages], lock=True)
    foreign = [name for name, skill in known.items() if skill.source != SkillOrigin.UPLOAD]
    if foreign:
        raise SkillNameTaken(foreign)
    origin, done = Origin(SkillOrigin.UPLOAD, caller.actor), Imported(problems=chosen.problems)
    for package in chosen.packages:
        await _put(session, caller, package, known.get(package.name), origin, done)
    await write_audit(session, caller, "skills.imported", target_type="skill", detail={
        "added": done.added, "updated": done.updated})
    return done


def _chosen(archive: Archive, checked: Sequence[Checked]) -> Chosen:
    if not checked:
        inside = next((f" {path!r} in it {why}." for path, why in archive.left_out.items()), "")
        raise ArchiveRefused(
            f"There is no SKILL.md in the archive. Each folder with a SKILL.md is one skill.{inside}")
    chosen = choose(checked)
    chosen.problems.update(problems_beside(archive.left_out, {one.folder for one in checked}))
    if not chosen.packages:
        raise SkillInvalid(chosen.problems)
    return chosen


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


async def update_skill(
    session: AsyncSession, caller: Caller, skill_id: int, body: schemas.SkillUpdate, *,
    expected: frozenset[int] | None = None,
) -> Skill:
    """Change a skill of the caller's workspace; what an agent would read makes a new version.

    `expected` holds the revisions the client believes to be current; None means whichever is.

    Raises:
        SkillNotFound, SkillInvalid: as their names say.
        StaleEdit: somebody else saved first; carries what is stored.
        SkillReadOnly: it came with the product.
        SkillKeptBySource: it is from git and more than its switch was to change.
    """
    skill = await _own(session, caller, skill_id)
    if expected is not None and skill.revision not in expected:
        raise await _stale(session, skill)
    given = {name for name in body.model_fields_set if getattr(body, name) is not None}
    if given & TEXTS:
        await _refuse_if_kept(session, skill)
        package = await _changed(session, caller, skill, body)
        if not storing.is_same(skill, package):
            skill = await storing.renew(session, skill, package, Origin(SkillOrigin(skill.source), caller.actor))
    if body.is_active is not None and body.is_active != skill.is_active:
        skill = await records.update_skill(session, skill.workspace_id, skill.id, {"is_active": body.is_active})
    await _note(session, caller, "skill.updated", skill, fields=sorted(given))
    return skill


async def _changed(
    session: AsyncSession, caller: Caller, skill: Skill, body: schemas.SkillUpdate
) -> Package:
    """Return a skill's current version with what the body names put in its place."""
    version = await storing.of_version(session, skill, skill.current_version)
    if version is None:
        raise SkillVersionNotFound(skill.name, skill.current_version)
    parts = front_matter.split(version.content)
    known = front_matter.read(parts.head or "").fields
    changes = _kinds(known.get("metadata"), body)
    if body.description is not None:
        changes["description"] = body.description
    stored = await records.read_files(session, skill.workspace_id, skill.id, skill.current_version)
    files = stored if body.files is None else _files(body.files)
    if body.tools_schema is not None and body.files is None:
        files.pop(TOOLS_FILE, None)
    elif body.tools_schema is None and body.files is not None and TOOLS_FILE in stored:
        files.setdefault(TOOLS_FILE, stored[TOOLS_FILE])
    content = front_matter.rewrite(version.content, changes, parts.body if body.content is None else body.content)
    excused = frozenset(cast("list[str]", version.skill_metadata.get("notes") or []))
    return await _strict(caller.workspace_id, skill.name, content, files, body.tools_schema, excused)


async def _stale(session: AsyncSession, skill: Skill) -> StaleEdit:
    current = {"id": skill.id, "name": skill.name, "description": skill.description, "tags": skill.tags,
               "category": skill.category, "skill_type": skill.skill_type, "is_active": skill.is_active,
               "content": await core_of(session, skill), "current_version": skill.current_version}
    return StaleEdit(f"{skill.name!r} was changed meanwhile. Load it again, redo your change and save.",
                     current=current)


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


def _kinds(metadata: Any, body: schemas.SkillCreate | schemas.SkillUpdate) -> dict[str, Any]:
    """Return the free metadata of a SKILL.md with tags, category and kind where it keeps them, if they are given."""
    extra: dict[str, Any] = dict(metadata) if isinstance(metadata, dict) else {}
    given = {
        "category": body.category.value if body.category is not None else None,
        "skill-type": body.skill_type.value if body.skill_type is not None else None,
        "tags": ", ".join(body.tags) if body.tags is not None else None,
    }
    changed = {name: value for name, value in given.items() if value is not None}
    if not changed:
        return {}
    return {"metadata": {name: value for name, value in (extra | changed).items() if value}}


def _files(given: Sequence[schemas.SkillFileWrite]) -> dict[str, bytes]:
    paths = [file.path for file in given]
    faults = [f"files: the path {path!r} is given twice." for path in sorted({p for p in paths if paths.count(p) > 1})]
    faults += [f"files: {path!r} is written from the other fields." for path in paths if is_main(path)]
    if faults:
        raise SkillInvalid({"": faults})
    return {file.path: file.content.encode() for file in given}


async def _strict(
    workspace_id: UUID, name: str, content: str, files: Mapping[str, bytes],
    tools: Sequence[schemas.SkillToolWrite] | None, excused: frozenset[str],
) -> Package:
    """Return the package that a SKILL.md, files and tools make, if it conforms to the format.

    What is written here is held to the format; `excused` are notes that a skill from elsewhere came with.

    Raises:
        SkillInvalid: names every fault.
    """
    whole = dict(files)
    if tools:
        if TOOLS_FILE in whole:
            raise SkillInvalid({"": [f"tools_schema and the file {TOOLS_FILE} say the same; give one of them."]})
        whole[TOOLS_FILE] = orjson.dumps([tool.model_dump(mode="json") for tool in tools], option=orjson.OPT_INDENT_2)
    whole[MAIN_FILE] = content.encode()
    checked = await confined_for(workspace_id, USUAL, check_package, "", whole, None, name)
    faults = [*checked.problems, *(note for note in checked.notes if note not in excused)]
    if checked.package is None or faults:
        raise SkillInvalid({"": faults})
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
