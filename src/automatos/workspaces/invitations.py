"""Invitations: an offer of a role to an email address, accepted by whoever holds the link and that address."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.kernel.secret import Secret
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.errors import (
    AlreadyMember,
    EmailTaken,
    GrantTooHigh,
    InvitationInvalid,
    InvitationPending,
    PersonRequired,
)
from automatos.workspaces.members import lock_managed_here, require_room
from automatos.workspaces.models import WorkspaceInvitation
from automatos.workspaces.passwords import Passwords
from automatos.workspaces.provision import make_personal_workspace
from automatos.workspaces.sessions import OpenedSession, open_session
from automatos.workspaces.tokens import digest, new_token
from automatos.workspaces.types import Caller, Role

LIFETIME = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """An invitation that was just made, with the token that is shown once and never stored."""

    invitation: WorkspaceInvitation
    token: Secret


async def invite(session: AsyncSession, caller: Caller, email: str, role: Role) -> SentInvitation:
    """Offer an email address a role in the caller's workspace for seven days.

    Raises:
        GrantTooHigh: the role is above the caller's own.
        AlreadyMember, InvitationPending: the address has what is offered.
        PlanLimitReached: members and open invitations fill the workspace.
        ManagedElsewhere: the identity provider decides who is a member.
    """
    if role > caller.role:
        raise GrantTooHigh(role, caller.role)
    workspace = await lock_managed_here(session, caller)
    if await queries.is_member_by_email(session, workspace.id, email):
        raise AlreadyMember
    await queries.revoke_expired_invitations(session, workspace.id, email)
    await require_room(session, workspace, open_invitations=await queries.count_invitations(session, workspace.id))
    token = new_token()
    invitation = await queries.insert_invitation(
        session, id=new_id(), workspace_id=workspace.id, email=email, role=role, token_hash=digest(token),
        invited_by=caller.user.id if caller.user else None, expires_at=now() + LIFETIME,
    )
    if invitation is None:
        raise InvitationPending
    await write_audit(session, caller, "member.invited", target_type="invitation", target_id=invitation.id,
                      detail={"email": email, "role": role})
    return SentInvitation(invitation, token)


async def list_invitations(session: AsyncSession, caller: Caller) -> list[WorkspaceInvitation]:
    """Return the open invitations of the caller's workspace, the newest first."""
    return list(await queries.list_invitations(session, caller.workspace_id))


async def revoke_invitation(session: AsyncSession, caller: Caller, invitation_id: UUID) -> None:
    """Withdraw an open invitation.

    Raises:
        InvitationInvalid: the workspace has no such open invitation.
    """
    email = await queries.revoke_invitation(session, caller.workspace_id, invitation_id)
    if email is None:
        raise InvitationInvalid
    await write_audit(session, caller, "invitation.revoked", target_type="invitation", target_id=invitation_id,
                      detail={"email": email})


async def accept_invitation(database: Database, caller: Caller, token: str) -> UUID:
    """Make the signed-in caller a member of the workspace they were invited to, and return its id.

    Raises:
        PersonRequired: keys are not invited.
        InvitationInvalid: no open invitation has this token, or it is for another email address.
        AlreadyMember, PlanLimitReached: there is nothing to accept, or no room left.
    """
    if caller.user is None:
        raise PersonRequired
    workspace_id = await _find_workspace(database, token)
    async with database.session(workspace_id, Scope.AUTH) as session:
        invitation = await queries.across_find_invitation(session, digest(token))
        if invitation is None or caller.user.email != invitation.email:
            raise InvitationInvalid
        await _join(session, invitation, caller.user.id, caller)
    return workspace_id


async def sign_up(
    database: Database, settings: Settings, passwords: Passwords, *, token: str, name: str, password: str,
    user_agent: str,
) -> OpenedSession:
    """Make an account for the invited email address, with a personal workspace, and accept the invitation with it.

    Raises:
        InvitationInvalid: no open invitation has this token.
        EmailTaken: the address has an account: sign in and accept instead.
        PlanLimitReached: no room is left.
    """
    workspace_id = await _find_workspace(database, token)
    password_hash = await passwords.hash(password)
    async with database.session(workspace_id, Scope.AUTH) as session:
        invitation = await queries.across_find_invitation(session, digest(token))
        if invitation is None:
            raise InvitationInvalid
        user = await queries.insert_user(session, email=invitation.email, name=name, password_hash=password_hash)
        if user is None:
            raise EmailTaken
        await make_personal_workspace(session, new_id(), user.id, name or invitation.email)
        await _join(session, invitation, user.id, invitation.email)
        return await open_session(session, user.id, timedelta(days=settings.session_days), user_agent)


async def _find_workspace(database: Database, token: str) -> UUID:
    async with database.session(None, Scope.AUTH) as session:
        invitation = await queries.across_find_invitation(session, digest(token))
        if invitation is None:
            raise InvitationInvalid
        return invitation.workspace_id


async def _join(session: AsyncSession, invitation: WorkspaceInvitation, user_id: int, actor: Caller | str) -> None:
    workspace = await queries.lock_workspace(session, invitation.workspace_id)
    if await queries.list_members(session, workspace.id, user_id):
        raise AlreadyMember
    await require_room(session, workspace, open_invitations=0)
    await queries.put_member(session, workspace.id, user_id, invitation.role)
    await queries.accept_invitation(session, invitation.id)
    await write_audit(session, actor, "member.joined", workspace_id=workspace.id, target_type="user",
                      target_id=user_id, detail={"role": invitation.role})
