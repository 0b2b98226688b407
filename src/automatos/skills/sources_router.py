"""Routes: the git repositories that a workspace takes skills from."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response, status

from automatos.credentials.errors import CredentialUnfit
from automatos.durable.deps import Hints
from automatos.kernel.openapi import problems
from automatos.skills import errors, schemas, sources, syncing
from automatos.skills.deps import RemoteDep, SkillUsersDep
from automatos.skills.models import SkillSource
from automatos.skills.types import HINT_TOPIC, SourceStatus
from automatos.workspaces.deps import Admin, AppDatabase, CurrentCaller, Session

router = APIRouter(prefix="/sources")
NotThere = problems(errors.SourceNotFound)
GitProblems = (errors.GitRefused, errors.GitUnreachable, errors.SkillInvalid, CredentialUnfit)


@router.get("", response_model=schemas.SkillSourceList)
async def list_skill_sources(
    caller: CurrentCaller, session: Session, status: Annotated[SourceStatus | None, Query()] = None
) -> dict[str, object]:
    """List the workspace's sources, by name."""
    items = await sources.list_sources(session, caller.workspace_id, status)
    return {"items": items, "total": len(items)}


@router.post("/git", status_code=status.HTTP_201_CREATED, responses=problems(errors.SourceNameTaken, *GitProblems))
async def add_git_source(
    *, body: schemas.GitSourceCreate, caller: Admin, database: AppDatabase, remote: RemoteDep, users: SkillUsersDep,
    hints: Hints, response: Response,
) -> schemas.SyncResult:
    """Read a git repository over https and take every skill in it; one that cannot be read leaves nothing behind.

    The address may be one copied from a browser: branch, commit and folder are taken from it.
    """
    result = await syncing.add_git_source(database, remote, caller, body)
    response.headers["Location"] = f"/api/skills/sources/{result.source.id}"
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await syncing.describe(database, caller.workspace_id, users, result)


@router.get("/{source_id}", response_model=schemas.SkillSource, responses=NotThere)
async def get_skill_source(source_id: UUID, caller: CurrentCaller, session: Session) -> SkillSource:
    """Return one source."""
    return await sources.get_source(session, caller.workspace_id, source_id)


@router.put("/{source_id}", response_model=schemas.SkillSource,
            responses=problems(errors.SourceNotFound, errors.SourceNameTaken, errors.GitRefused))
async def update_skill_source(
    source_id: UUID, body: schemas.SourceUpdate, caller: Admin, session: Session, hints: Hints
) -> SkillSource:
    """Change a source's name, branch or updates; a new branch counts from the next sync."""
    source = await sources.update_source(session, caller, source_id, body)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return source


@router.delete("/{source_id}", status_code=status.HTTP_204_NO_CONTENT,
               responses=problems(errors.SourceNotFound, errors.SkillInUse))
async def delete_skill_source(
    *, source_id: UUID, caller: Admin, session: Session, users: SkillUsersDep, hints: Hints, force: bool = False
) -> None:
    """Remove a source and its skills; with `force` also those that agents use."""
    await sources.delete_source(session, caller, source_id, users, force=force)
    hints.changed(caller.workspace_id, HINT_TOPIC)


@router.post("/{source_id}/sync", responses=problems(errors.SourceNotFound, errors.SourceInactive, *GitProblems))
async def sync_skill_source(
    *, source_id: UUID, caller: Admin, database: AppDatabase, remote: RemoteDep, users: SkillUsersDep, hints: Hints
) -> schemas.SyncResult:
    """Read the repository again and take what changed; when that fails, everything stays and the source says why."""
    result = await syncing.sync(database, remote, caller.workspace_id, caller, source_id)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await syncing.describe(database, caller.workspace_id, users, result)


@router.post("/{source_id}/pin", responses=problems(errors.SourceNotFound, errors.SourceInactive, *GitProblems))
async def pin_skill_source(
    *, source_id: UUID, body: schemas.SourcePin, caller: Admin, database: AppDatabase, remote: RemoteDep,
    users: SkillUsersDep, hints: Hints,
) -> schemas.SyncResult:
    """Stay at one commit, which is fetched if it is not the current one; null follows the branch again."""
    result = await syncing.pin(database, remote, caller, source_id, body.commit_sha)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await syncing.describe(database, caller.workspace_id, users, result)


@router.post("/{source_id}/rollback", responses=problems(errors.SourceNotFound, errors.CommitNotSynced))
async def roll_skill_source_back(
    *, source_id: UUID, body: schemas.SourceRollback, caller: Admin, database: AppDatabase, users: SkillUsersDep,
    hints: Hints,
) -> schemas.SyncResult:
    """Restore the skills as they were at an earlier synced commit, from what is stored, and stay there."""
    result = await syncing.roll_back(database, caller, source_id, body.commit_sha)
    hints.changed(caller.workspace_id, HINT_TOPIC)
    return await syncing.describe(database, caller.workspace_id, users, result)
