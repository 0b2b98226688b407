"""Members and their roles. Nobody gives away, or takes away, more than they hold."""

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.errors import (
    GrantTooHigh,
    ManagedElsewhere,
    MemberNotFound,
    OwnerProtected,
)
from automatos.workspaces.models import User, Workspace
from automatos.workspaces.plan import PlanLimit, PlanLimitReached, limit_of
from automatos.workspaces.types import Caller, Member, Role


async def list_members(session: AsyncSession, caller: Caller) -> list[Member]:
    """Return the members of the caller's workspace, those who joined first first."""
    return await queries.list_members(session, caller.workspace_id)


async def list_barred(session: AsyncSession, caller: Caller) -> list[User]:
    """Return whom an admin put out of the caller's workspace although their organisation counts them in."""
    workspace = await queries.get_workspace(session, caller.workspace_id)
    return list(await queries.list_people(session, workspace.barred_user_ids)) if workspace.barred_user_ids else []


async def change_role(session: AsyncSession, caller: Caller, user_id: int, role: Role) -> Member:
    """Give a member another role; from their next request on it is the one that counts.

    Keys they made that can do more than the new role are revoked.

    Raises:
        MemberNotFound: the workspace has no such member.
        GrantTooHigh: the new or the present role is above the caller's own.
        OwnerProtected: the member is an owner and not the caller, or the last one.
        ManagedElsewhere: the identity provider decides who is a member.
    """
    await lock_managed_here(session, caller)
    member = await _get_member(session, caller, user_id)
    if max(role, member.role) > caller.role:
        raise GrantTooHigh(max(role, member.role), caller.role)
    if role is member.role:
        return member
    if member.role is Role.OWNER:
        await _protect_owner(session, caller, user_id)
    await queries.put_member(session, caller.workspace_id, user_id, role)
    revoked = await queries.revoke_keys(
        session, caller.workspace_id, created_by=user_id, roles=[each.value for each in Role if each > role]
    )
    await write_audit(session, caller, "member.role_changed", target_type="user", target_id=user_id,
                      detail={"from": member.role, "to": role, "keys_revoked": revoked})
    return Member(user_id, member.email, member.name, role, member.joined_at)


async def remove_member(session: AsyncSession, caller: Caller, user_id: int) -> None:
    """End a membership, of somebody else or one's own, and revoke the keys they made here; it counts at once.

    Whom an organisation's admin puts out here stays out, whatever the identity provider says, until `readmit_member`.

    Raises:
        MemberNotFound: the workspace has no such member.
        GrantTooHigh: the caller is not an admin and it is not themselves, or the member's role is above theirs.
        OwnerProtected: the member is an owner and not the caller, or the last one.
    """
    workspace = await queries.lock_workspace(session, caller.workspace_id)
    member = await _get_member(session, caller, user_id)
    is_self = caller.user is not None and caller.user.id == user_id
    if not is_self and (caller.role < Role.ADMIN or member.role > caller.role):
        raise GrantTooHigh(member.role, caller.role)
    if member.role is Role.OWNER:
        await _protect_owner(session, caller, user_id)
    await queries.delete_member(session, caller.workspace_id, user_id)
    if workspace.external_org_id is not None and not is_self:
        await _bar(session, workspace, {*workspace.barred_user_ids, user_id})
    revoked = await queries.revoke_keys(session, caller.workspace_id, created_by=user_id)
    await write_audit(session, caller, "member.removed", target_type="user", target_id=user_id,
                      detail={"role": member.role, "keys_revoked": revoked})


async def readmit_member(session: AsyncSession, caller: Caller, user_id: int) -> None:
    """Let somebody in again who was put out of an organisation's workspace; their next token makes them a member.

    Raises:
        MemberNotFound: they were not put out.
    """
    workspace = await queries.lock_workspace(session, caller.workspace_id)
    if user_id not in workspace.barred_user_ids:
        raise MemberNotFound
    await _bar(session, workspace, set(workspace.barred_user_ids) - {user_id})
    await write_audit(session, caller, "member.readmitted", target_type="user", target_id=user_id)


async def _bar(session: AsyncSession, workspace: Workspace, user_ids: set[int]) -> None:
    await queries.update_workspace(session, workspace.id, {"barred_user_ids": sorted(user_ids)})


async def lock_managed_here(session: AsyncSession, caller: Caller) -> Workspace:
    """Return the caller's workspace, locked for changes of its members; refuse if those come from elsewhere."""
    workspace = await queries.lock_workspace(session, caller.workspace_id)
    if workspace.external_org_id is not None:
        raise ManagedElsewhere
    return workspace


async def require_room(session: AsyncSession, workspace: Workspace, *, open_invitations: int) -> None:
    """Refuse when the members and the open invitations fill the workspace; it must be locked."""
    limit = limit_of(workspace.plan_limits, PlanLimit.MEMBERS)
    there = await queries.count_members(session, workspace.id) + open_invitations
    if limit is not None and there >= limit:
        raise PlanLimitReached(PlanLimit.MEMBERS, limit, there)


async def _get_member(session: AsyncSession, caller: Caller, user_id: int) -> Member:
    found = await queries.list_members(session, caller.workspace_id, user_id)
    if not found:
        raise MemberNotFound
    return found[0]


async def _protect_owner(session: AsyncSession, caller: Caller, user_id: int) -> None:
    is_self = caller.user is not None and caller.user.id == user_id
    if not is_self or await queries.count_members(session, caller.workspace_id, Role.OWNER) < 2:
        raise OwnerProtected
