"""Making people and their places: a personal workspace for everybody, an organisation's workspace for its members."""

import re
from datetime import datetime
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.claims import Identity, Organisation
from automatos.workspaces.plan import PlanLimit
from automatos.workspaces.tokens import new_token
from automatos.workspaces.types import Role

PERSONAL_LIMITS: dict[str, object] = {"max_agents": 10, "max_workflows": 10, "max_members": 5}
SHARED_LIMITS: dict[str, object] = {limit.value: -1 for limit in PlanLimit}
"""-1 stands for no limit."""


async def provision_identity(database: Database, identity: Identity) -> None:
    """Give a person of the identity provider an account, a personal workspace and their organisation's workspace.

    Safe to call at the same time for the same person: the account's unique identity lets one call do the work and the
    others wait for it. A verified email address joins an account only if that has neither a password nor an identity;
    otherwise the account is made without the address.
    """
    personal = new_id()
    async with database.session(personal, Scope.AUTH) as session:
        if await queries.find_user_by_identity(session, identity.issuer, identity.external_id) is None:
            await _make_person(session, identity, personal)
    if identity.organisation:
        await _join_organisation(database, identity, identity.organisation)


async def _make_person(session: AsyncSession, identity: Identity, personal: UUID) -> None:
    who = {"issuer": identity.issuer, "external_id": identity.external_id, "name": identity.name}
    user = None
    if identity.email:
        user = await queries.adopt_identity(session, identity.email, identity.issuer, identity.external_id)
        if user and any(place.is_personal for place in await queries.across_list_memberships(session, user.id)):
            return
    user = user or await queries.insert_user(session, email=identity.email, **who)
    if user is None and await queries.find_user_by_identity(session, identity.issuer, identity.external_id) is None:
        user = await queries.insert_user(session, email=None, **who)
    if user is None:
        return
    await make_personal_workspace(session, personal, user.id, identity.name or identity.email or "")
    await write_audit(
        session, identity.email or identity.external_id, "account.created", workspace_id=personal,
        target_type="user", target_id=user.id, detail={"issuer": identity.issuer},
    )


async def make_personal_workspace(session: AsyncSession, workspace_id: UUID, user_id: int, label: str) -> None:
    """Make a person's own workspace, with them as its owner; `label` is their name or email address."""
    await queries.insert_workspace(
        session, id=workspace_id, name=personal_name(label), slug=fresh_slug(label.partition("@")[0]),
        owner_id=user_id, is_personal=True, plan_limits=PERSONAL_LIMITS,
    )
    await queries.put_member(session, workspace_id, user_id, Role.OWNER)


async def _join_organisation(database: Database, identity: Identity, organisation: Organisation) -> None:
    """Bring a person's role in their organisation's workspace in line with their token; the provider is the authority.

    An owner here whom the provider calls admin stays owner; the admin who comes first becomes it.
    """
    async with database.session(None, Scope.AUTH) as session:
        found = await queries.across_find_organisation(session, organisation.external_id)
    workspace_id = found or new_id()
    async with database.session(workspace_id, Scope.AUTH) as session:
        user = await queries.find_user_by_identity(session, identity.issuer, identity.external_id)
        if user is None:
            return
        if found is None and not await queries.insert_workspace(
            session, id=workspace_id, name=organisation.name, slug=fresh_slug(organisation.name),
            external_org_id=organisation.external_id, plan_limits=SHARED_LIMITS,
        ):
            return
        workspace = await queries.lock_workspace(session, workspace_id)
        if user.id in workspace.barred_user_ids:
            return
        held = next((each.role for each in await queries.list_members(session, workspace_id, user.id)), None)
        role = organisation.role
        if role is Role.ADMIN and not await queries.count_members(session, workspace_id, Role.OWNER):
            role = Role.OWNER
        if not is_in_line(organisation, held):
            await queries.put_member(session, workspace_id, user.id, role)
        await queries.vouch(session, workspace_id, user.id, identity.expires_at)
        if is_in_line(organisation, held):
            return
        await write_audit(
            session, user.email or identity.external_id, "member.synchronised", workspace_id=workspace_id,
            target_type="user", target_id=user.id, detail={"role": role.value},
        )


def needs_provision(identity: Identity, row: asyncpg.Record) -> bool:
    """Say whether what is stored of a person is behind what their token says of their organisation.

    Each token is written down once: a later end of what it vouches for, within the clock's leeway. Whom an admin put
    out is not let in by any token.
    """
    organisation = identity.organisation
    if organisation is None or row["is_barred"]:
        return False
    vouched: datetime | None = row["vouched_until"]
    return (not is_in_line(organisation, row["organisation_role"]) or vouched is None
            or vouched < identity.expires_at)


def is_in_line(organisation: Organisation, held: str | None) -> bool:
    """Say whether the role held here is what the provider's organisation gives."""
    return held == organisation.role or (held == Role.OWNER and organisation.role is Role.ADMIN)


def personal_name(label: str) -> str:
    """Return the name of a person's own workspace."""
    return f"{label}'s Workspace"[:200] if label else "My workspace"


def fresh_slug(label: str) -> str:
    """Return a short name for addresses that nobody else has: the label's plain letters and a random end."""
    plain = re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:60]
    end = re.sub(r"[^a-z0-9]", "", new_token().reveal().lower())[:10]
    return f"{plain or 'workspace'}-{end}"
