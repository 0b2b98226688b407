"""First start: the account that owns the server is made once, on the server's own machine or with a printed token."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Literal

from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.default import default_workspace_id
from automatos.workspaces.errors import AlreadySetUp, SetupRefused
from automatos.workspaces.passwords import Passwords
from automatos.workspaces.provision import SHARED_LIMITS, fresh_slug, personal_name
from automatos.workspaces.queries import admins as accounts
from automatos.workspaces.sessions import OpenedSession, open_session
from automatos.workspaces.tokens import is_same, new_token
from automatos.workspaces.types import Role, SystemRole


def sign_in_mode(settings: Settings) -> Literal["local", "clerk", "oidc", "none"]:
    """Return how people sign in here: with a password, at an identity provider, or not at all."""
    if not settings.require_auth:
        return "none"
    if settings.clerk_publishable_key:
        return "clerk"
    return "oidc" if settings.oidc_issuer and settings.oidc_client_id else "local"


def setup_token(settings: Settings) -> str:
    """Return the one-time token that lets somebody elsewhere make the first account; kept in a file (0600)."""
    path = _token_file(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        token = new_token().reveal()
        file.write(token)
    return token


def _token_file(settings: Settings) -> Path:
    return settings.home / "setup-token"


def is_admitted(settings: Settings, *, token: str | None, is_local: bool) -> bool:
    """Say whether a request may set the server up: it has the printed token, or none and comes from this machine."""
    return is_same(token, setup_token(settings)) if token is not None else is_local


def forget_setup_token(settings: Settings) -> None:
    """Remove the one-time token once it was used."""
    _token_file(settings).unlink(missing_ok=True)


async def needs_setup(database: Database) -> bool:
    """Say whether the first account is still to be made."""
    async with database.session(None, Scope.AUTH) as session:
        return not await queries.is_anybody_here(session)


async def has_passwords(database: Database) -> bool:
    """Say whether any account has a password."""
    async with database.session(None, Scope.AUTH) as session:
        return await accounts.is_any_password(session)


async def set_up(
    database: Database, settings: Settings, passwords: Passwords, *, email: str, name: str, password: str,
    workspace_name: str | None, token: str | None, is_local: bool, user_agent: str,
) -> OpenedSession:
    """Make the first account: system admin and owner of the default workspace, with a session to go on with.

    What single-user mode or the platform key made before in the default workspace becomes theirs.

    Raises:
        AlreadySetUp: an account exists; of two set-ups at the same time exactly one succeeds.
        SetupRefused: the request comes from elsewhere and has no token, or the token is wrong.
    """
    if not await needs_setup(database):
        raise AlreadySetUp
    if not is_admitted(settings, token=token, is_local=is_local):
        raise SetupRefused
    password_hash = await passwords.hash(password)
    workspace_id = default_workspace_id(settings)
    async with database.session(workspace_id, Scope.AUTH) as session:
        await queries.lock_setup(session)
        if await queries.is_anybody_here(session):
            raise AlreadySetUp
        user = await queries.insert_user(
            session, email=email, name=name, password_hash=password_hash, system_role=SystemRole.ADMIN
        )
        if user is None:
            raise AlreadySetUp
        label = workspace_name or personal_name(name or email)
        if not await queries.adopt_workspace(session, workspace_id, user.id, label):
            await queries.insert_workspace(
                session, id=workspace_id, name=label, slug=fresh_slug(workspace_name or name), owner_id=user.id,
                is_personal=True, plan_limits=SHARED_LIMITS,
            )
        await queries.put_member(session, workspace_id, user.id, Role.OWNER)
        await write_audit(session, email, "server.set_up", workspace_id=workspace_id, target_type="user",
                          target_id=user.id)
        opened = await open_session(session, user.id, timedelta(days=settings.session_days), user_agent)
    forget_setup_token(settings)
    return opened
