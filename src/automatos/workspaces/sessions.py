"""Signing in and out: an opaque cookie for a password, or for a token of the identity provider."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.secret import Secret
from automatos.workspaces import queries
from automatos.workspaces.attempts import Attempts
from automatos.workspaces.errors import TokenRequired, WrongSignIn
from automatos.workspaces.passwords import Passwords
from automatos.workspaces.tokens import digest, new_token
from automatos.workspaces.types import SESSION_COOKIE, AuthMethod, Caller

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


async def open_session(session: AsyncSession, user_id: int, lifetime: timedelta, user_agent: str) -> OpenedSession:
    """Open a session in the caller's transaction."""
    opened = OpenedSession(new_token(), user_id, now() + lifetime)
    await queries.insert_session(session, digest(opened.token), user_id, opened.expires_at, user_agent[:300])
    return opened


async def open_lasting_session(
    database: Database, settings: Settings, user_id: int, user_agent: str
) -> OpenedSession:
    """Open a session of the usual length for somebody who has just signed in at the identity provider."""
    async with database.session(None, Scope.AUTH) as session:
        await queries.note_sign_in(session, user_id, None)
        return await open_session(session, user_id, timedelta(days=settings.session_days), user_agent)


async def trade_token(database: Database, caller: Caller, user_agent: str) -> OpenedSession:
    """Open a short session for somebody who showed a token of the identity provider: event streams need a cookie.

    Raises:
        TokenRequired: the caller came in another way; a cookie cannot prolong itself.
    """
    if caller.user is None or caller.auth_method is not AuthMethod.JWT:
        raise TokenRequired
    async with database.session(None, Scope.AUTH) as session:
        return await open_session(session, caller.user.id, TRADED_LIFETIME, user_agent)


async def sign_out(database: Database, token: str) -> None:
    """End a session at once; nothing happens when there is none."""
    async with database.session(None, Scope.AUTH) as session:
        await queries.delete_session(session, digest(token))
