"""The audit log: who changed a permission, a key, a credential, an agent or a definition, when and from where."""

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.workspaces import queries
from automatos.workspaces.models import AuditEntry
from automatos.workspaces.types import AuditFilter, AuditRecord, AuthMethod, Caller


async def write_audit(
    session: AsyncSession, actor: Caller | str, action: str, *, workspace_id: UUID | None = None,
    target_type: str = "", target_id: object = "", detail: Mapping[str, object] | None = None,
) -> None:
    """Append one entry to the audit log, in the caller's transaction: the change and its entry both exist or neither.

    `action` is `noun.verb_in_past_tense` (`member.removed`); `detail` holds names and old and new values, never a
    secret. `workspace_id` may be left out when `actor` is a caller; the transaction must be set to that workspace.
    """
    caller = actor if isinstance(actor, Caller) else None
    where = workspace_id or (caller.workspace_id if caller else None)
    if where is None:
        raise ValueError("an audit entry needs a workspace")
    await queries.insert_audit(
        session, workspace_id=where, actor=(caller.actor if caller else str(actor))[:320], action=action,
        target_type=target_type, target_id=str(target_id)[:100], detail=dict(detail or {}),
        request_id=caller.request_id if caller else "", client_address=caller.client_address if caller else "",
        user_id=caller.user.id if caller and caller.user else None, api_key_id=caller.api_key_id if caller else None,
        carrier=_carrier(caller) if caller else "server",
    )


def _carrier(caller: Caller) -> str:
    """Return how the caller came: by which part of the request, and by the operator's key as what it is."""
    return "platform_key" if caller.auth_method is AuthMethod.PLATFORM_KEY else caller.carrier.value


async def list_audit(
    session: AsyncSession, caller: Caller, *, before: int | None, limit: int, wanted: AuditFilter
) -> tuple[list[AuditEntry], int | None]:
    """Return a page of the log, the newest entry first, and where the next page starts, None after the last one.

    A caller who reads across all workspaces gets the entries of all of them; the session must be opened for that.
    """
    if caller.all_workspaces:
        entries = await queries.across_list_audit(session, before=before, limit=limit + 1, wanted=wanted)
    else:
        entries = await queries.list_audit(session, caller.workspace_id, before=before, limit=limit + 1, wanted=wanted)
    page = list(entries[:limit])
    return page, (page[-1].id if len(entries) > limit else None)


async def list_audit_of(
    session: AsyncSession, workspace_id: UUID, target_type: str, target_id: object, *, before: int | None, limit: int,
    without: str | None = None,
) -> list[AuditRecord]:
    """Return the entries about one thing of a workspace, the newest first, those before an entry if it is given.

    `without` names an action that is left out.
    """
    wanted = AuditFilter(target_type=target_type, target_id=str(target_id), without=without)
    entries = await queries.list_audit(session, workspace_id, before=before, limit=limit, wanted=wanted)
    return [AuditRecord(each.id, each.actor, each.action, dict(each.detail), each.created_at) for each in entries]
