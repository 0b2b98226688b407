"""Keeping skills as their repositories have them: add, sync, pin, roll back.

Repositories are read with no transaction open; what was read is then stored in one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.errors import CredentialNotFound, CredentialUnfit, CredentialUnreadable
from automatos.kernel.clock import now
from automatos.kernel.confined import USUAL, TooCostly, confined_for
from automatos.kernel.db import Database
from automatos.kernel.errors import Problem
from automatos.skills import schemas, storing
from automatos.skills.errors import (
    CommitNotSynced,
    GitRefused,
    GitUnreachable,
    SkillInvalid,
    SourceInactive,
    SourceNameTaken,
)
from automatos.skills.git.address import name_of
from automatos.skills.git.fetch import Snapshot
from automatos.skills.models import Skill, SkillSource
from automatos.skills.package import Checked, Chosen, Package, check_packages, choose
from automatos.skills.queries import records
from automatos.skills.queries import sources as queries
from automatos.skills.reading import describe as describe_skills
from automatos.skills.remote import Remote, Repository
from automatos.skills.sources import get_source, note
from automatos.skills.storing import Origin
from automatos.skills.types import SkillOrigin, SkillUsers, SourceStatus, SyncStatus
from automatos.workspaces.types import Caller

KEPT_COMMITS, MAX_NOTES = 50, 50
CREDENTIAL_PROBLEMS = (CredentialNotFound, CredentialUnfit, CredentialUnreadable)
Actor = Caller | str


@dataclass
class Synced:
    """What a sync, a pin or a rollback changed, skills by name; `problems` are folders that could not be taken."""

    source: SkillSource
    old_commit: str | None
    commit_sha: str
    added: list[str] = field(default_factory=list[str])
    updated: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    unchanged: list[str] = field(default_factory=list[str])
    problems: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    notes: list[str] = field(default_factory=list[str])


async def add_git_source(
    database: Database, remote: Remote, caller: Caller, body: schemas.GitSourceCreate
) -> Synced:
    """Read a repository and store it as a source with its skills; nothing is stored unless there is at least one.

    What the address says of branch, commit and folder counts where the body does not say it.

    Raises:
        GitRefused, GitUnreachable: the repository cannot be read, or may not be.
        CredentialNotFound, CredentialUnfit, CredentialUnreadable: the credential cannot be used for it.
        SkillInvalid: it holds no usable skill; says why of each.
        SourceNameTaken: the workspace has a source of that name.
    """
    name = body.source_name or name_of(remote.git.check(body.git_url, body.branch, body.git_folder).url)
    async with database.session(caller.workspace_id) as session:
        if await queries.is_name_taken(session, caller.workspace_id, name):
            raise SourceNameTaken(name)
    wanted = Repository(body.git_url, body.branch, body.commit, body.git_folder, body.credential_id)
    snapshot = await remote.read(database, caller.workspace_id, wanted, actor=caller.actor)
    checked = await _checked(caller.workspace_id, snapshot)
    place = snapshot.place or remote.git.check(body.git_url, body.branch)
    async with database.session(caller.workspace_id) as session:
        source = await queries.insert_source(session, caller.workspace_id, {
            "source_name": name, "source_type": SkillOrigin.GIT, "git_url": str(place.url),
            "git_branch": snapshot.branch, "git_folder": place.folder, "pinned_commit": body.commit or place.commit,
            "auto_update": body.auto_update, "created_by": caller.actor, "credential_id": body.credential_id,
            "update_frequency_hours": body.update_frequency_hours,
        })
        if source is None:
            raise SourceNameTaken(name)
        done = await _take(session, source, snapshot, checked, caller.actor)
        await _note(session, caller, "skill_source.added", done)
    return done


async def sync(database: Database, remote: Remote, workspace_id: UUID, actor: Actor, source_id: UUID) -> Synced:
    """Read a source again, at its pinned commit if it has one, and take what changed.

    When it cannot be read, everything stays and the source's `last_sync_error` says why.

    Raises:
        SourceNotFound, SourceInactive: as their names say.
        GitRefused, GitUnreachable, SkillInvalid: as for a new source.
    """
    source = await _active(database, workspace_id, source_id)
    return await _sync_to(database, remote, source, actor, source.pinned_commit, "skill_source.synced")


async def pin(
    database: Database, remote: Remote, caller: Caller, source_id: UUID, commit: str | None
) -> Synced:
    """Make a source stay at a commit, which is fetched unless it is stored; None lets it follow its branch again.

    Raises:
        SourceNotFound, SourceInactive: as their names say.
        GitRefused, GitUnreachable, SkillInvalid: as for a new source; the source stays as it was.
    """
    source = await _active(database, caller.workspace_id, source_id)
    is_here = commit is None or commit == source.git_commit_sha
    if commit is not None and not is_here and _stored_at(source, commit) is None:
        return await _sync_to(database, remote, source, caller, commit, "skill_source.pinned", pins=True)
    async with database.session(caller.workspace_id) as session:
        source = await get_source(session, caller.workspace_id, source_id, lock=True)
        done = await (_stay(session, source, commit) if is_here else _restore(session, source, commit or ""))
        await _note(session, caller, "skill_source.pinned" if commit else "skill_source.unpinned", done)
    return done


async def roll_back(database: Database, caller: Caller, source_id: UUID, commit: str) -> Synced:
    """Restore the skills as they were at an earlier synced commit, without asking anybody, and stay there.

    Raises:
        SourceNotFound: as its name says.
        CommitNotSynced: that commit was never synced here.
    """
    async with database.session(caller.workspace_id) as session:
        source = await get_source(session, caller.workspace_id, source_id, lock=True)
        done = await _restore(session, source, commit)
        await _note(session, caller, "skill_source.rolled_back", done)
    return done


async def describe(database: Database, workspace_id: UUID, users: SkillUsers, done: Synced) -> schemas.SyncResult:
    """Return what was done as clients get it, with the source's skills as they are now."""
    async with database.session(workspace_id) as session:
        skills = await records.list_of_source(session, workspace_id, done.source.id)
        shown = await describe_skills(session, workspace_id, users, skills)
    source = schemas.SkillSource.model_validate(done.source)
    return schemas.SyncResult(
        source=source, source_id=source.id, source_name=source.source_name, skills_discovered=source.skills_discovered,
        old_commit=done.old_commit, commit_sha=done.commit_sha, added=done.added, updated=done.updated,
        removed=done.removed, unchanged=done.unchanged, skills=shown,
        problems=[schemas.SkillProblem(path=path, problems=found) for path, found in done.problems.items()],
        notes=done.notes,
    )


async def _active(database: Database, workspace_id: UUID, source_id: UUID) -> SkillSource:
    async with database.session(workspace_id) as session:
        source = await get_source(session, workspace_id, source_id)
    if source.status == SourceStatus.INACTIVE:
        raise SourceInactive(source.source_name)
    return source


async def _sync_to(
    database: Database, remote: Remote, source: SkillSource, actor: Actor, commit: str | None, action: str,
    *, pins: bool = False,
) -> Synced:
    workspace_id, source_id = source.workspace_id, source.id
    try:
        wanted = Repository(source.git_url or "", source.git_branch, commit, source.git_folder, source.credential_id)
        snapshot = await remote.read(database, workspace_id, wanted, actor=_name(actor))
        checked = await _checked(workspace_id, snapshot)
        async with database.session(workspace_id) as session:
            source = await get_source(session, workspace_id, source_id, lock=True)
            if pins:
                source.pinned_commit = commit
            done = await _take(session, source, snapshot, checked, _name(actor))
            await _note(session, actor, action, done)
    except (GitRefused, GitUnreachable, SkillInvalid, *CREDENTIAL_PROBLEMS) as problem:
        await _record_failure(database, workspace_id, source_id, problem)
        raise
    return done


async def _record_failure(database: Database, workspace_id: UUID, source_id: UUID, problem: Problem) -> None:
    """Say at the source why its sync failed; its skills stay as they are."""
    async with database.session(workspace_id) as session:
        await queries.update_source(session, workspace_id, source_id, {
            "status": SourceStatus.ERROR, "last_sync_at": now(), "last_sync_status": SyncStatus.ERROR,
            "last_sync_error": problem.detail[:2000],
        })


def _name(actor: Actor) -> str:
    return actor if isinstance(actor, str) else actor.actor


async def _checked(workspace_id: UUID, snapshot: Snapshot) -> list[Checked]:
    """Judge every folder with a SKILL.md; raises when there is none."""
    name = name_of(snapshot.place.url).rpartition("/")[2] if snapshot.place else ""
    try:
        checked = await confined_for(
            workspace_id, USUAL, check_packages, snapshot.files, snapshot.left_out, name)
    except TooCostly as error:
        raise GitRefused(f"The repository's skills take too much work to read. {error.detail}") from error
    if not checked:
        where = f"The folder {snapshot.place.folder!r} of the" if snapshot.place and snapshot.place.folder else "The"
        raise GitRefused(f"{where} repository holds no SKILL.md. Each folder with a SKILL.md is one skill.")
    return checked


async def _take(
    session: AsyncSession, source: SkillSource, snapshot: Snapshot, checked: Sequence[Checked], author: str
) -> Synced:
    """Make the source's skills what the snapshot holds; a folder that cannot be used keeps its last good state."""
    commit, chosen = snapshot.commit_sha, choose(checked)
    done = Synced(source, source.git_commit_sha, commit, problems=dict(chosen.problems))
    done.notes = [*snapshot.notes, *_notes_of(chosen)]
    origin = Origin(SkillOrigin.GIT, author, source.id, source.git_url, commit)
    kept = {skill.name: skill for skill in await records.list_of_source(session, source.workspace_id, source.id)}
    now_there: dict[str, Skill] = {}
    for package in chosen.packages:
        if skill := await _put(session, source, package, kept.get(package.name), origin, done):
            now_there[package.name] = skill
    if not now_there:
        raise SkillInvalid(done.problems)
    broken = {one.folder for one in checked if one.problems}
    for name, skill in kept.items():
        if name not in now_there and skill.path not in broken and skill.is_active:
            await records.update_skill(session, source.workspace_id, skill.id, {"is_active": False})
            done.removed.append(name)
    done.source = await _finish(session, source, commit, len(checked), now_there, done)
    return done


def _notes_of(chosen: Chosen) -> list[str]:
    """Return, for people, which skills were taken although they differ from the format, and what was left out."""
    differing = [package for package in chosen.packages if package.metadata["notes"]]
    missing = [f"{package.folder or '/'}/{path}: it was left out, because {why}."
               for package in differing for path, why in package.metadata["left_out"].items()]
    if not differing:
        return []
    count = f"{len(differing)} of {len(chosen.packages)} skills differ from the Agent Skills format; see their notes."
    return [count, *missing[:MAX_NOTES]]


async def _put(
    session: AsyncSession, source: SkillSource, package: Package, known: Skill | None, origin: Origin, done: Synced
) -> Skill | None:
    if known is None:
        skill = await storing.add(session, source.workspace_id, package, origin)
        if skill is None:
            done.problems[package.folder] = [f"name: the workspace has a skill {package.name!r} from elsewhere."]
        else:
            done.added.append(package.name)
        return skill
    values: dict[str, object] = {
        "git_commit_sha": origin.commit_sha, "path": package.folder, "is_active": _is_on(source, known)}
    if storing.is_same(known, package):
        done.unchanged.append(package.name)
    else:
        done.updated.append(package.name)
        await storing.renew(session, known, package, origin)
    return await records.update_skill(session, source.workspace_id, known.id, values)


def _is_on(source: SkillSource, skill: Skill) -> bool:
    """Whether a skill that is there again counts: people's switch holds, unless its folder was gone before."""
    return skill.is_active or skill.git_commit_sha != source.git_commit_sha


async def _finish(
    session: AsyncSession, source: SkillSource, commit: str, discovered: int, skills: Mapping[str, Skill], done: Synced
) -> SkillSource:
    told = "\n".join(f"{path or '/'}: {' '.join(found)}" for path, found in done.problems.items())
    entry: dict[str, object] = {
        "commit_sha": commit, "synced_at": now().isoformat(), "skills": len(skills),
        "versions": {str(skill.id): skill.current_version for skill in skills.values()},
    }
    earlier = [one for one in source.history if one["commit_sha"] != commit]
    changed = await queries.update_source(session, source.workspace_id, source.id, {
        "git_commit_sha": commit, "pinned_commit": source.pinned_commit, "skills_discovered": discovered,
        "status": SourceStatus.ACTIVE, "last_sync_at": now(), "last_sync_error": told[:2000] or None,
        "last_sync_status": SyncStatus.PARTIAL if done.problems else SyncStatus.SUCCESS, "last_sync_notes": done.notes,
        "history": [*earlier, entry][-KEPT_COMMITS:],
    })
    return changed or source


def _stored_at(source: SkillSource, commit: str) -> Mapping[str, int] | None:
    """Return the versions that a source's skills had at a commit, by skill id; None when it was never synced."""
    found = next((one["versions"] for one in source.history if one["commit_sha"] == commit), None)
    return cast("Mapping[str, int] | None", found)


async def _stay(session: AsyncSession, source: SkillSource, pinned: str | None) -> Synced:
    """Pin a source where it is, or unpin it; nothing else changes."""
    skills = await records.list_of_source(session, source.workspace_id, source.id)
    changed = await queries.update_source(session, source.workspace_id, source.id, {"pinned_commit": pinned})
    return Synced(changed or source, source.git_commit_sha, source.git_commit_sha or "",
                  unchanged=[skill.name for skill in skills])


async def _restore(session: AsyncSession, source: SkillSource, commit: str) -> Synced:
    versions = _stored_at(source, commit)
    if versions is None:
        raise CommitNotSynced(source.source_name, commit)
    done = Synced(source, source.git_commit_sha, commit)
    for skill in await records.list_of_source(session, source.workspace_id, source.id):
        wanted = versions.get(str(skill.id))
        if wanted is None:
            if skill.is_active:
                await records.update_skill(session, source.workspace_id, skill.id, {"is_active": False})
                done.removed.append(skill.name)
        elif skill.current_version == wanted and skill.is_active == _is_on(source, skill):
            await records.update_skill(session, source.workspace_id, skill.id, {"git_commit_sha": commit})
            done.unchanged.append(skill.name)
        else:
            await _restore_skill(session, source, skill, wanted, done)
    changed = await queries.update_source(
        session, source.workspace_id, source.id, {"git_commit_sha": commit, "pinned_commit": commit})
    done.source = changed or source
    return done


async def _restore_skill(
    session: AsyncSession, source: SkillSource, skill: Skill, wanted: int, done: Synced
) -> None:
    version = await storing.of_version(session, skill, wanted)
    if version is None:
        raise CommitNotSynced(skill.name, done.commit_sha)
    (done.updated if skill.is_active else done.added).append(skill.name)
    is_on = _is_on(source, skill)
    await storing.point_to(session, skill, version)
    await records.update_skill(session, skill.workspace_id, skill.id, {
        "git_commit_sha": done.commit_sha, "is_active": is_on})


async def _note(session: AsyncSession, actor: Actor, action: str, done: Synced) -> None:
    await note(session, actor, action, done.source, commit_sha=done.commit_sha, added=done.added,
               updated=done.updated, removed=done.removed)
