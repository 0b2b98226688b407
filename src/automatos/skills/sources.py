"""Sources as rows: find, change and remove them; reading what they hold is `syncing`'s."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.errors import CredentialNotFound
from automatos.credentials.service import has_credential
from automatos.skills import schemas
from automatos.skills.errors import SourceNameTaken, SourceNotFound
from automatos.skills.git.address import check_branch, check_folder
from automatos.skills.models import SkillSource
from automatos.skills.queries import records
from automatos.skills.queries import sources as queries
from automatos.skills.types import SkillUsers, SourceStatus
from automatos.skills.writing import refuse_if_used
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller


async def list_sources(session: AsyncSession, workspace_id: UUID, status: SourceStatus | None) -> Sequence[SkillSource]:
    """Return the workspace's sources, by name."""
    return await queries.list_sources(session, workspace_id, status)


async def get_source(session: AsyncSession, workspace_id: UUID, source_id: UUID, *, lock: bool = False) -> SkillSource:
    """Return a source of the workspace; raises SourceNotFound."""
    source = await queries.find_source(session, workspace_id, source_id, lock=lock)
    if source is None:
        raise SourceNotFound(source_id)
    return source


async def update_source(
    session: AsyncSession, caller: Caller, source_id: UUID, body: schemas.SourceUpdate
) -> SkillSource:
    """Change a source's name, branch, updates or switch; what is not named, or null, stays.

    Raises:
        SourceNotFound, SourceNameTaken: as their names say.
        GitRefused: the branch's name is not one git would take, or the folder leads elsewhere.
        CredentialNotFound: the workspace has no such credential.
    """
    source = await get_source(session, caller.workspace_id, source_id, lock=True)
    values: dict[str, object] = body.model_dump(exclude_none=True, exclude={"is_active", "branch", "git_folder"})
    if "credential_id" in body.model_fields_set:
        await _check_credential(session, caller.workspace_id, body.credential_id)
        values["credential_id"] = body.credential_id
    if body.git_folder is not None:
        values["git_folder"] = check_folder(body.git_folder)
    if body.branch is not None:
        values["git_branch"] = check_branch(body.branch)
    if body.is_active is not None and body.is_active != (source.status != SourceStatus.INACTIVE):
        values["status"] = SourceStatus.ACTIVE if body.is_active else SourceStatus.INACTIVE
    changes = {name: value for name, value in values.items() if getattr(source, name) != value}
    if not changes:
        return source
    changed = await queries.update_source(session, caller.workspace_id, source_id, changes)
    if changed is None:
        raise SourceNameTaken(str(values["source_name"]))
    await note(session, caller, "skill_source.updated", changed, fields=sorted(changes))
    return changed


async def _check_credential(session: AsyncSession, workspace_id: UUID, credential_id: UUID | None) -> None:
    if credential_id is not None and not await has_credential(session, workspace_id, credential_id):
        raise CredentialNotFound


async def delete_source(
    session: AsyncSession, caller: Caller, source_id: UUID, users: SkillUsers, *, force: bool
) -> None:
    """Remove a source with all its skills.

    Raises:
        SourceNotFound: as its name says.
        SkillInUse: agents have skills of it and `force` is not set; names them.
    """
    source = await get_source(session, caller.workspace_id, source_id, lock=True)
    skills = await records.list_of_source(session, caller.workspace_id, source_id)
    await refuse_if_used(session, caller, skills, users, force=force)
    await queries.delete_source(session, caller.workspace_id, source_id)
    await note(session, caller, "skill_source.deleted", source, skills=[skill.name for skill in skills])


async def note(
    session: AsyncSession, actor: Caller | str, action: str, source: SkillSource, **detail: object
) -> None:
    """Write a change of a source to the audit log."""
    await write_audit(
        session, actor, action, workspace_id=source.workspace_id, target_type="skill_source", target_id=source.id,
        detail={"source_name": source.source_name, "git_url": source.git_url} | detail)
