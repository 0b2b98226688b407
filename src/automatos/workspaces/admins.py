"""System admins: the first one, those that a setting names, and those granted on the server's own machine.

A person becomes admin in one of four ways, each in the audit log of the default workspace: with the first account of a
server that has accounts of its own; by taking over a server of an identity provider with the printed one-time link; at
the sign-in of somebody whom AUTOMATOS_ADMINS names; by `automatos admin grant`.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.claims import Identity
from automatos.workspaces.default import get_or_create_default_workspace
from automatos.workspaces.errors import AccountNotFound, AlreadySetUp, LastAdmin, PersonRequired, SetupRefused
from automatos.workspaces.models import User
from automatos.workspaces.queries import admins as accounts
from automatos.workspaces.setup import forget_setup_token, is_admitted
from automatos.workspaces.types import Caller, Role, SystemRole

TERMINAL = "server's terminal"
SETTING = "AUTOMATOS_ADMINS"


async def needs_admin(database: Database) -> bool:
    """Say whether nobody administers this server yet."""
    async with database.session(None, Scope.AUTH) as session:
        return not await accounts.is_any_admin(session)


async def take_over(database: Database, settings: Settings, caller: Caller, *, token: str | None,
                    is_local: bool) -> None:
    """Make a signed-in person the first system admin, and the default workspace theirs.

    Raises:
        PersonRequired: a key asks.
        SetupRefused: the request comes from elsewhere and has no token, or the token is wrong.
        AlreadySetUp: there is a system admin; of two at the same time exactly one succeeds.
    """
    if caller.user is None:
        raise PersonRequired
    if not is_admitted(settings, token=token, is_local=is_local):
        raise SetupRefused
    workspace_id = await get_or_create_default_workspace(database, settings)
    async with database.session(workspace_id, Scope.AUTH) as session:
        await queries.lock_setup(session)
        if await accounts.is_any_admin(session):
            raise AlreadySetUp
        await _grant(session, settings, caller.user.id, caller)
    forget_setup_token(settings)


def is_named(settings: Settings, identity: Identity, known_email: str | None) -> bool:
    """Say whether AUTOMATOS_ADMINS names this person: by a verified email address, or by their id at the provider.

    `known_email` is the address of their account, which was verified when it was written.
    """
    emails = {email.lower() for email in (identity.email, known_email) if email}
    return any((each.lower() in emails) if "@" in each else each == identity.external_id for each in settings.admins)


async def grant_named(database: Database, settings: Settings, user_id: int) -> None:
    """Make somebody system admin whom the setting names."""
    workspace_id = await get_or_create_default_workspace(database, settings)
    async with database.session(workspace_id, Scope.AUTH) as session:
        await queries.lock_setup(session)
        await _grant(session, settings, user_id, SETTING)


async def grant_admin(database: Database, settings: Settings, who: str) -> User:
    """Make the account of this email address, number or identity system admin; nothing happens when it is.

    Raises:
        AccountNotFound: there is none, or more than one of that name.
    """
    workspace_id = await get_or_create_default_workspace(database, settings)
    async with database.session(workspace_id, Scope.AUTH) as session:
        await queries.lock_setup(session)
        user = await _find(session, who)
        if user.system_role != SystemRole.ADMIN:
            await _grant(session, settings, user.id, TERMINAL)
        return user


async def revoke_admin(database: Database, settings: Settings, who: str) -> User:
    """Make a system admin an ordinary person again; their next request is answered as one.

    Raises:
        AccountNotFound: there is none, or more than one of that name.
        LastAdmin: nobody else is system admin.
    """
    workspace_id = await get_or_create_default_workspace(database, settings)
    async with database.session(workspace_id, Scope.AUTH) as session:
        await queries.lock_setup(session)
        user = await _find(session, who)
        if user.system_role != SystemRole.ADMIN:
            return user
        if len([each for each in await accounts.list_users(session, SystemRole.ADMIN) if each.is_active]) < 2:
            raise LastAdmin
        await accounts.set_system_role(session, user.id, SystemRole.USER)
        await write_audit(session, TERMINAL, "admin.revoked", workspace_id=workspace_id, target_type="user",
                          target_id=user.id)
        return user


async def list_admins(database: Database, *, everybody: bool = False) -> Sequence[User]:
    """Return the system admins, or every account."""
    async with database.session(None, Scope.AUTH) as session:
        return await accounts.list_users(session, None if everybody else SystemRole.ADMIN)


async def _find(session: AsyncSession, who: str) -> User:
    found = await accounts.find_users(session, who.strip())
    if len(found) != 1:
        raise AccountNotFound(who)
    return found[0]


async def _grant(session: AsyncSession, settings: Settings, user_id: int, actor: Caller | str) -> None:
    """Grant the role, and with the first grant the default workspace, in which the sample and all earlier work lie."""
    workspace_id = settings.workspace_id or settings.default_tenant_id
    await accounts.set_system_role(session, user_id, SystemRole.ADMIN)
    if await queries.adopt_workspace(session, workspace_id, user_id):
        await queries.put_member(session, workspace_id, user_id, Role.OWNER)
    await write_audit(session, actor, "admin.granted", workspace_id=workspace_id, target_type="user",
                      target_id=user_id)
