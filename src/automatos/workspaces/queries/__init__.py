"""SQL of people, sessions, workspaces, members, invitations, keys and the audit log.

Functions named `across_` look across workspaces and need a transaction or connection in `Scope.AUTH` or `Scope.ADMIN`;
every other one works inside the workspace its transaction is set to.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, func, insert, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.workspaces.models import (
    ApiKey,
    AuditEntry,
    User,
    UserSession,
    Workspace,
    WorkspaceInvitation,
    WorkspaceMember,
)
from automatos.workspaces.types import AuditFilter, Member, Membership, Role

SETUP_LOCK = 5_208_211_907
"""The advisory lock that lets one first account be made."""

# People and their sessions: these tables belong to no workspace.


async def lock_setup(session: AsyncSession) -> None:
    """Wait until no other transaction is making the first account."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": SETUP_LOCK})


async def is_anybody_here(session: AsyncSession) -> bool:
    """Say whether any account exists."""
    return bool(await session.scalar(select(exists(select(User.id)))))


async def find_user_by_email(session: AsyncSession, email: str) -> User | None:
    """Return the account of a (lower-case) email address."""
    return await session.scalar(select(User).where(User.email == email))


async def find_user_by_identity(session: AsyncSession, issuer: str, external_id: str) -> User | None:
    """Return the account an issuer knows by this id."""
    return await session.scalar(select(User).where(User.issuer == issuer, User.external_id == external_id))


async def insert_user(session: AsyncSession, **values: object) -> User | None:
    """Insert an account; None when its email address or identity is already taken."""
    statement = upsert(User).values(**values).on_conflict_do_nothing().returning(User)
    return await session.scalar(statement)


async def adopt_identity(session: AsyncSession, email: str, issuer: str, external_id: str) -> User | None:
    """Give an identity to the account of this email address, if that has neither a password nor an identity."""
    return await session.scalar(
        update(User).where(User.email == email, User.password_hash.is_(None), User.external_id.is_(None))
        .values(issuer=issuer, external_id=external_id).returning(User)
    )


async def note_sign_in(session: AsyncSession, user_id: int, password_hash: str | None) -> None:
    """Note a sign-in, and keep the password's newer hash if there is one."""
    values: dict[str, object] = {"last_sign_in_at": func.now()}
    if password_hash:
        values["password_hash"] = password_hash
    await session.execute(update(User).where(User.id == user_id).values(**values))


async def insert_session(
    session: AsyncSession, token_hash: bytes, user_id: int, expires_at: datetime, user_agent: str,
    standing: Mapping[str, object],
) -> None:
    """Store a session and sweep away the person's expired ones."""
    await session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at < func.now())
    )
    await session.execute(insert(UserSession).values(
        token_hash=token_hash, user_id=user_id, expires_at=expires_at, user_agent=user_agent, **standing
    ))


async def delete_session(session: AsyncSession, token_hash: bytes) -> int | None:
    """Delete a session and return whose it was."""
    gone = delete(UserSession).where(UserSession.token_hash == token_hash)
    return await session.scalar(gone.returning(UserSession.user_id))


async def delete_sessions_of(session: AsyncSession, user_id: int) -> int:
    """Delete every session of a person and return how many there were."""
    gone = delete(UserSession).where(UserSession.user_id == user_id).returning(UserSession.token_hash)
    return len((await session.scalars(gone)).all())


async def list_sessions(session: AsyncSession, user_id: int) -> Sequence[UserSession]:
    """Return a person's sessions that hold, the one used last first."""
    mine = select(UserSession).where(UserSession.user_id == user_id, UserSession.expires_at > func.now())
    return (await session.scalars(mine.order_by(UserSession.last_used_at.desc(), UserSession.id))).all()


async def delete_session_of(session: AsyncSession, user_id: int, session_id: UUID) -> str | None:
    """Delete one session of a person and return the browser it was opened in."""
    gone = delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id)
    return await session.scalar(gone.returning(UserSession.user_agent))


async def find_user(session: AsyncSession, user_id: int) -> User | None:
    """Return an account."""
    return await session.scalar(select(User).where(User.id == user_id))


async def set_password(session: AsyncSession, user_id: int, password_hash: str) -> None:
    """Give an account another password."""
    await session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))


# Workspaces.


async def insert_workspace(session: AsyncSession, **values: object) -> UUID | None:
    """Insert a workspace and return its id; None when its id, slug or organisation is already taken."""
    statement = upsert(Workspace).values(**values).on_conflict_do_nothing().returning(Workspace.id)
    return await session.scalar(statement)


async def get_workspace(session: AsyncSession, workspace_id: UUID) -> Workspace:
    """Return the workspace of this transaction."""
    return (await session.scalars(select(Workspace).where(Workspace.id == workspace_id))).one()


async def lock_workspace(session: AsyncSession, workspace_id: UUID) -> Workspace:
    """Return the workspace, holding off other changes of its members until the transaction ends."""
    statement = select(Workspace).where(Workspace.id == workspace_id).with_for_update()
    return (await session.scalars(statement)).one()


async def read_plan_limits(session: AsyncSession, workspace_id: UUID, *, lock: bool = False) -> Mapping[str, object]:
    """Return what the workspace's plan allows; `lock` holds off others who ask likewise, until the transaction ends.

    Rows that only refer to the workspace are not held off.
    """
    statement = select(Workspace.plan_limits).where(Workspace.id == workspace_id)
    return await session.scalar(statement.with_for_update(key_share=True) if lock else statement) or {}


async def adopt_workspace(session: AsyncSession, workspace_id: UUID, owner_id: int, name: str | None = None) -> bool:
    """Give a workspace that nobody owns to its first owner; False when it does not exist or has an owner.

    With a name it becomes the owner's personal one.
    """
    personal: dict[str, object] = {"is_personal": True, "name": name} if name else {}
    adopted = await session.scalar(
        update(Workspace).where(Workspace.id == workspace_id, Workspace.owner_id.is_(None))
        .values(owner_id=owner_id, **personal).returning(Workspace.id)
    )
    return adopted is not None


async def across_find_organisation(session: AsyncSession, external_org_id: str) -> UUID | None:
    """Return the workspace that mirrors an organisation of the identity provider."""
    return await session.scalar(select(Workspace.id).where(Workspace.external_org_id == external_org_id))


async def across_list_memberships(
    session: AsyncSession, user_id: int, organisation: str | None = None
) -> list[Membership]:
    """Return every active workspace of a person that they may enter now, their own first, then by name.

    An organisation's is among them while it is the one that is vouched for.
    """
    rows = await session.execute(
        select(Workspace.id, Workspace.name, Workspace.slug, Workspace.is_personal, WorkspaceMember.role)
        .join(WorkspaceMember, WorkspaceMember.workspace_id == Workspace.id)
        .where(WorkspaceMember.user_id == user_id, Workspace.is_active,
               or_(Workspace.external_org_id.is_(None), Workspace.external_org_id == organisation))
        .order_by(Workspace.is_personal.desc(), func.lower(Workspace.name), Workspace.id)
    )
    return [Membership(row.id, row.name, row.slug, row.is_personal, Role(row.role)) for row in rows]


async def update_workspace(session: AsyncSession, workspace_id: UUID, values: Mapping[str, object]) -> None:
    """Change columns of the workspace."""
    await session.execute(update(Workspace).where(Workspace.id == workspace_id).values(**values))


# Members.


async def list_members(session: AsyncSession, workspace_id: UUID, user_id: int | None = None) -> list[Member]:
    """Return the members, or the one, with their names; those who joined first come first."""
    statement = (
        select(User.id, User.email, User.name, WorkspaceMember.role, WorkspaceMember.joined_at)
        .join(User, User.id == WorkspaceMember.user_id)
        .where(WorkspaceMember.workspace_id == workspace_id)
        .order_by(WorkspaceMember.joined_at, User.id)
    )
    if user_id is not None:
        statement = statement.where(User.id == user_id)
    rows = await session.execute(statement)
    return [Member(row.id, row.email, row.name, Role(row.role), row.joined_at) for row in rows]


async def list_people(session: AsyncSession, user_ids: Sequence[int]) -> Sequence[User]:
    """Return these accounts."""
    return (await session.scalars(select(User).where(User.id.in_(user_ids)).order_by(User.id))).all()


async def is_member_by_email(session: AsyncSession, workspace_id: UUID, email: str) -> bool:
    """Say whether the person with this email address is a member."""
    return bool(await session.scalar(select(exists(
        select(WorkspaceMember.user_id).join(User, User.id == WorkspaceMember.user_id)
        .where(WorkspaceMember.workspace_id == workspace_id, User.email == email)
    ))))


async def count_members(session: AsyncSession, workspace_id: UUID, role: str | None = None) -> int:
    """Count the members, or those of one role."""
    members = select(func.count()).select_from(WorkspaceMember).where(WorkspaceMember.workspace_id == workspace_id)
    return await session.scalar(members.where(WorkspaceMember.role == role) if role else members) or 0


async def put_member(session: AsyncSession, workspace_id: UUID, user_id: int, role: str) -> None:
    """Make a person a member with this role, whatever they were before."""
    await session.execute(
        upsert(WorkspaceMember).values(workspace_id=workspace_id, user_id=user_id, role=role)
        .on_conflict_do_update(index_elements=["workspace_id", "user_id"], set_={"role": role})
    )


async def vouch(session: AsyncSession, workspace_id: UUID, user_id: int, until: datetime) -> None:
    """Note until when the identity provider vouches for a member; never for less long than it did."""
    await session.execute(
        update(WorkspaceMember).where(WorkspaceMember.workspace_id == workspace_id, WorkspaceMember.user_id == user_id)
        .values(vouched_until=func.greatest(WorkspaceMember.vouched_until, until))
    )


async def delete_member(session: AsyncSession, workspace_id: UUID, user_id: int) -> None:
    """End a membership."""
    await session.execute(delete(WorkspaceMember).where(
        WorkspaceMember.workspace_id == workspace_id, WorkspaceMember.user_id == user_id
    ))


# Invitations.

_OPEN = (WorkspaceInvitation.accepted_at.is_(None), WorkspaceInvitation.revoked_at.is_(None))


async def list_invitations(session: AsyncSession, workspace_id: UUID) -> Sequence[WorkspaceInvitation]:
    """Return the open invitations, the newest first."""
    return (await session.scalars(
        select(WorkspaceInvitation).where(
            WorkspaceInvitation.workspace_id == workspace_id, *_OPEN, WorkspaceInvitation.expires_at > func.now()
        ).order_by(WorkspaceInvitation.id.desc())
    )).all()


async def count_invitations(session: AsyncSession, workspace_id: UUID) -> int:
    """Count the open invitations."""
    return await session.scalar(
        select(func.count()).select_from(WorkspaceInvitation).where(
            WorkspaceInvitation.workspace_id == workspace_id, *_OPEN, WorkspaceInvitation.expires_at > func.now()
        )
    ) or 0


async def revoke_expired_invitations(session: AsyncSession, workspace_id: UUID, email: str) -> None:
    """Close an address's invitations that ran out, so that a new one can be sent."""
    await session.execute(
        update(WorkspaceInvitation).where(
            WorkspaceInvitation.workspace_id == workspace_id, WorkspaceInvitation.email == email, *_OPEN,
            WorkspaceInvitation.expires_at <= func.now(),
        ).values(revoked_at=func.now())
    )


async def insert_invitation(session: AsyncSession, **values: object) -> WorkspaceInvitation | None:
    """Insert an invitation; None when the address has an open one."""
    statement = upsert(WorkspaceInvitation).values(**values).on_conflict_do_nothing().returning(WorkspaceInvitation)
    return await session.scalar(statement)


async def across_find_invitation(session: AsyncSession, token_hash: bytes) -> WorkspaceInvitation | None:
    """Return the open invitation of a token, locked, so that it is accepted once."""
    return await session.scalar(
        select(WorkspaceInvitation).where(
            WorkspaceInvitation.token_hash == token_hash, *_OPEN, WorkspaceInvitation.expires_at > func.now()
        ).with_for_update()
    )


async def accept_invitation(session: AsyncSession, invitation_id: UUID) -> None:
    """Mark an invitation as accepted."""
    await session.execute(
        update(WorkspaceInvitation).where(WorkspaceInvitation.id == invitation_id).values(accepted_at=func.now())
    )


async def revoke_invitation(session: AsyncSession, workspace_id: UUID, invitation_id: UUID) -> str | None:
    """Withdraw an open invitation and return its address."""
    return await session.scalar(
        update(WorkspaceInvitation).where(
            WorkspaceInvitation.workspace_id == workspace_id, WorkspaceInvitation.id == invitation_id, *_OPEN
        ).values(revoked_at=func.now()).returning(WorkspaceInvitation.email)
    )


# API keys.


async def list_keys(
    session: AsyncSession, workspace_id: UUID
) -> list[tuple[ApiKey, User | None, WorkspaceMember | None, bool]]:
    """Return the active keys, the newest first, each with its maker, their membership, and if it needs vouching for."""
    active = (
        select(ApiKey, User, WorkspaceMember, Workspace.external_org_id.is_not(None))
        .join(Workspace, Workspace.id == ApiKey.workspace_id)
        .outerjoin(User, User.id == ApiKey.created_by)
        .outerjoin(WorkspaceMember, and_(WorkspaceMember.workspace_id == ApiKey.workspace_id,
                                         WorkspaceMember.user_id == ApiKey.created_by))
        .where(ApiKey.workspace_id == workspace_id, ApiKey.is_active)
    )
    rows = await session.execute(active.order_by(ApiKey.id.desc()))
    return [(key, maker, member, is_vouched_for) for key, maker, member, is_vouched_for in rows]


async def insert_key(session: AsyncSession, **values: object) -> ApiKey:
    """Insert a key."""
    return (await session.scalars(insert(ApiKey).values(**values).returning(ApiKey))).one()


async def find_key(session: AsyncSession, workspace_id: UUID, key_id: UUID) -> ApiKey | None:
    """Return an active key."""
    return await session.scalar(
        select(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.id == key_id, ApiKey.is_active)
    )


async def revoke_keys(
    session: AsyncSession, workspace_id: UUID, *, key_id: UUID | None = None, created_by: int | None = None,
    roles: Sequence[str] | None = None,
) -> list[str]:
    """Revoke one key, or those a person made (of these roles); return their names."""
    statement = update(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.is_active)
    if key_id:
        statement = statement.where(ApiKey.id == key_id)
    if created_by is not None:
        statement = statement.where(ApiKey.created_by == created_by)
    if roles is not None:
        statement = statement.where(ApiKey.role.in_(roles))
    return list((await session.scalars(statement.values(is_active=False).returning(ApiKey.name))).all())


# Audit log.


async def insert_audit(session: AsyncSession, **values: object) -> None:
    """Append an entry to the audit log of the workspace this transaction is set to."""
    await session.execute(insert(AuditEntry).values(**values))


async def list_audit(
    session: AsyncSession, workspace_id: UUID, *, before: int | None, limit: int, wanted: AuditFilter
) -> Sequence[AuditEntry]:
    """Return entries of one workspace, the newest first."""
    statement = _audit_page(before, limit, wanted).where(AuditEntry.workspace_id == workspace_id)
    return (await session.scalars(statement)).all()


async def across_list_audit(session: AsyncSession, *, before: int | None, limit: int,
                            wanted: AuditFilter) -> Sequence[AuditEntry]:
    """Return entries of all workspaces, the newest first."""
    return (await session.scalars(_audit_page(before, limit, wanted))).all()


def _audit_page(before: int | None, limit: int, wanted: AuditFilter) -> Select[AuditEntry]:
    statement = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditEntry.id < before)
    if wanted.action:
        statement = statement.where(or_(
            AuditEntry.action == wanted.action, AuditEntry.action.startswith(f"{wanted.action}.", autoescape=True)
        ))
    if wanted.actor:
        statement = statement.where(AuditEntry.actor.icontains(wanted.actor, autoescape=True))
    if wanted.without:
        statement = statement.where(AuditEntry.action != wanted.without)
    for name in ("target_type", "target_id", "user_id", "api_key_id", "carrier", "client_address"):
        if (value := getattr(wanted, name)) is not None:
            statement = statement.where(getattr(AuditEntry, name) == value)
    return statement
