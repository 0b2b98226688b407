"""Signing in and out: an opaque cookie for a password, or for a token of the identity provider."""

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.secret import Secret
from automatos.workspaces import queries
from automatos.workspaces.attempts import Attempts
from automatos.workspaces.audit import write_audit
from automatos.workspaces.claims import Identity
from automatos.workspaces.errors import PersonRequired, SessionNotFound, TokenRequired, WrongPassword, WrongSignIn
from automatos.workspaces.models import UserSession
from automatos.workspaces.passwords import Passwords
from automatos.workspaces.tokens import digest, new_token
from automatos.workspaces.types import SESSION_COOKIE, AuthMethod, Caller, SessionOrigin

TRADED_LIFETIME = timedelta(hours=1)
"""How long a cookie lives that was traded for a token: its owner's standing at the provider is asked again after it."""


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that was just opened: the cookie's value, known to nobody else and never stored."""

    token: Secret
    user_id: int
    expires_at: datetime


def set_session_cookie(response: Response, settings: Settings, opened: OpenedSession, *, is_secure: bool) -> None:
    """Hand out the cookie of a session, for the pages of this server only."""
    response.set_cookie(
        SESSION_COOKIE, opened.token.reveal(), expires=opened.expires_at, path=settings.cookie_path, httponly=True,
        samesite="lax", secure=is_secure,
    )


def forget_session_cookie(response: Response, settings: Settings) -> None:
    """Have the browser forget the cookie."""
    response.delete_cookie(SESSION_COOKIE, path=settings.cookie_path, httponly=True, samesite="lax")


async def sign_in(
    database: Database, settings: Settings, passwords: Passwords, attempts: Attempts, *,
    email: str, password: str, client_address: str, user_agent: str,
) -> OpenedSession:
    """Open a session for the person with this email address and password.

    Raises:
        TooManyAttempts: from this address, or from it for this account.
        WrongSignIn: no such account, no password on it, a wrong one, or it is switched off; all alike, also in time.
    """
    await attempts.count(client_address, email)
    async with database.session(None, Scope.AUTH) as session:
        user = await queries.find_user_by_email(session, email)
    is_right, newer_hash = await passwords.verify(password, user.password_hash if user else None)
    if user is None or not is_right or not user.is_active:
        raise WrongSignIn
    await attempts.forgive(client_address, email)
    async with database.session(None, Scope.AUTH) as session:
        await queries.note_sign_in(session, user.id, newer_hash)
        return await open_session(session, user.id, timedelta(days=settings.session_days), user_agent)


@dataclass(frozen=True, slots=True)
class Standing:
    """Why a session may enter: what it was opened for, who vouched, for which organisation, and until when."""

    origin: SessionOrigin = SessionOrigin.PASSWORD
    issuer: str | None = None
    organisation: str | None = None
    organisation_role: str | None = None
    organisation_until: datetime | None = None


BY_PASSWORD = Standing()


async def open_session(
    session: AsyncSession, user_id: int, lifetime: timedelta, user_agent: str, standing: Standing = BY_PASSWORD
) -> OpenedSession:
    """Open a session in the caller's transaction."""
    opened = OpenedSession(new_token(), user_id, now() + lifetime)
    await queries.insert_session(
        session, digest(opened.token), user_id, opened.expires_at, user_agent[:300], asdict(standing))
    return opened


async def open_lasting_session(
    database: Database, settings: Settings, user_id: int, user_agent: str, identity: Identity
) -> OpenedSession:
    """Open a session of the usual length for somebody who has just signed in at the identity provider.

    The workspace of an organisation is reached by it as long as the provider's token would; after that they sign in
    anew, which the provider answers by itself for somebody it still knows.
    """
    organisation = identity.organisation
    standing = Standing(SessionOrigin.PROVIDER, identity.issuer)
    if organisation:
        standing = replace(standing, organisation=organisation.external_id, organisation_role=organisation.role,
                           organisation_until=identity.expires_at)
    async with database.session(None, Scope.AUTH) as session:
        await queries.note_sign_in(session, user_id, None)
        return await open_session(session, user_id, timedelta(days=settings.session_days), user_agent, standing)


async def trade_token(database: Database, caller: Caller, user_agent: str) -> OpenedSession:
    """Open a short session for somebody who showed a token of the identity provider: event streams need a cookie.

    Raises:
        TokenRequired: the caller came in another way; a cookie cannot prolong itself.
    """
    if caller.user is None or caller.auth_method is not AuthMethod.JWT:
        raise TokenRequired
    standing = Standing(SessionOrigin.TOKEN, caller.issuer, caller.organisation, caller.organisation_role,
                        caller.valid_until if caller.organisation else None)
    async with database.session(None, Scope.AUTH) as session:
        return await open_session(session, caller.user.id, TRADED_LIFETIME, user_agent, standing)


async def change_password(
    database: Database, settings: Settings, passwords: Passwords, attempts: Attempts, caller: Caller, *,
    current: str, new: str, user_agent: str,
) -> OpenedSession:
    """Give the caller another password and end every session of theirs; the one returned is the only one left.

    Raises:
        PersonRequired: keys have no password.
        TooManyAttempts, WrongPassword: the present password is wrong, or there is none.
    """
    if caller.user is None:
        raise PersonRequired
    async with database.session(None, Scope.AUTH) as session:
        user = await queries.find_user(session, caller.user.id)
    name = caller.user.email or str(caller.user.id)
    await attempts.count(caller.client_address, name)
    is_right, _ = await passwords.verify(current, user.password_hash if user else None)
    if user is None or not is_right:
        raise WrongPassword
    await attempts.forgive(caller.client_address, name)
    password_hash = await passwords.hash(new)
    async with database.session(caller.workspace_id, Scope.AUTH) as session:
        await queries.set_password(session, user.id, password_hash)
        ended = await queries.delete_sessions_of(session, user.id)
        await write_audit(session, caller, "account.password_changed", target_type="user", target_id=user.id,
                          detail={"sessions_ended": ended})
        return await open_session(session, user.id, timedelta(days=settings.session_days), user_agent)


async def sign_out_everywhere(database: Database, caller: Caller) -> int:
    """End every session of the caller, this one too, and return how many there were.

    Raises:
        PersonRequired: a key has no sessions.
    """
    if caller.user is None:
        raise PersonRequired
    async with database.session(caller.workspace_id, Scope.AUTH) as session:
        ended = await queries.delete_sessions_of(session, caller.user.id)
        await write_audit(session, caller, "account.signed_out_everywhere", target_type="user",
                          target_id=caller.user.id, detail={"sessions_ended": ended})
    return ended


async def list_sessions(database: Database, caller: Caller) -> list[UserSession]:
    """Return the caller's sessions that hold, the one used last first.

    Raises:
        PersonRequired: a key has no sessions.
    """
    if caller.user is None:
        raise PersonRequired
    async with database.session(None, Scope.AUTH) as session:
        return list(await queries.list_sessions(session, caller.user.id))


async def end_session(database: Database, caller: Caller, session_id: UUID) -> None:
    """End one session of the caller; whoever uses it is signed out with their next request.

    Raises:
        PersonRequired: a key has no sessions.
        SessionNotFound: the caller has no such session.
    """
    if caller.user is None:
        raise PersonRequired
    async with database.session(caller.workspace_id, Scope.AUTH) as session:
        agent = await queries.delete_session_of(session, caller.user.id, session_id)
        if agent is None:
            raise SessionNotFound
        await write_audit(session, caller, "account.session_ended", target_type="user", target_id=caller.user.id,
                          detail={"browser": agent})


async def sign_out(database: Database, token: str) -> None:
    """End a session at once; nothing happens when there is none."""
    async with database.session(None, Scope.AUTH) as session:
        await queries.delete_session(session, digest(token))
