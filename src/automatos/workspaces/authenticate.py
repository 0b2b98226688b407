"""Telling who asks: one credential, one statement, one place."""

from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import asyncpg

from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.workspaces.admins import grant_named, is_named
from automatos.workspaces.attempts import Attempts
from automatos.workspaces.audit import write_audit
from automatos.workspaces.claims import Identity, refuse_unnamed_issuer
from automatos.workspaces.clerk import ClerkPeople
from automatos.workspaces.default import get_or_create_default_workspace
from automatos.workspaces.errors import AllWorkspacesRefused, CredentialInvalid, NotAMember, NotSignedIn
from automatos.workspaces.passwords import Passwords
from automatos.workspaces.provision import needs_provision, provision_identity
from automatos.workspaces.queries import entering
from automatos.workspaces.tokens import KEY_START, WORKSPACE_KEY_STARTS, digest, is_same
from automatos.workspaces.types import SESSION_COOKIE, AuthMethod, Caller, Carrier, Presented, Role, SystemRole, UserRef

if TYPE_CHECKING:
    from automatos.workspaces.issuer import TokenVerifier
    from automatos.workspaces.oidc import OidcProvider


class RequestAuthenticator:
    """Tells callers from what they present; the `Authenticator` of this process, with its count of attempts."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self.database = database
        self.settings = settings
        refuse_unnamed_issuer(settings)
        self._clerk = ClerkPeople(settings)
        gone = f'{SESSION_COOKIE}=""; HttpOnly; Max-Age=0; Path={settings.cookie_path}; SameSite=lax'
        self._forget_cookie = {"Set-Cookie": gone}
        self.passwords = Passwords()
        self.attempts = Attempts(settings.redis)
        self._default_workspace: UUID | None = None

    @cached_property
    def oidc(self) -> "OidcProvider":
        """The provider of signing in by browser; most servers have none, and never load what checks its tokens."""
        from automatos.workspaces.oidc import OidcProvider

        return OidcProvider(self.settings)

    @cached_property
    def _verifier(self) -> "TokenVerifier":
        from automatos.workspaces.issuer import TokenVerifier

        return TokenVerifier(self.settings)

    async def authenticate(self, presented: Presented) -> Caller:
        """Return the caller inside the workspace they named, or in their default one.

        Raises:
            NotSignedIn: nothing was presented and REQUIRE_AUTH is on.
            CredentialInvalid: what was presented is unknown, wrong, expired or revoked.
            NotAMember: they do not belong to the workspace they named.
            IssuerUnavailable, DatabaseUnavailable: it cannot be told now.
        """
        if presented.carrier is Carrier.NOTHING:
            return await self._admit_anybody(presented)
        if presented.carrier is Carrier.COOKIE:
            return await self._admit_session(presented)
        if is_same(presented.secret, operator_key(self.settings)):
            return replace(await self._admit_owner(presented, AuthMethod.PLATFORM_KEY), is_system_admin=True)
        if presented.secret.startswith(KEY_START):
            return await self._admit_key(presented)
        if presented.carrier is Carrier.BEARER:
            return await self._admit_token(presented)
        raise CredentialInvalid("The API key is unknown. Keys of this server start with ak_.")

    async def widen(self, caller: Caller) -> Caller:
        """Return the caller with a view of all workspaces, noted in the audit log; 403 unless they are system admin."""
        if not caller.is_system_admin:
            raise AllWorkspacesRefused
        async with self.database.session(caller.workspace_id) as session:
            await write_audit(session, caller, "workspaces.read_across")
        return replace(caller, all_workspaces=True)

    async def is_still_allowed(self, caller: Caller) -> bool:
        """Say whether the caller's credential still holds and gives at least the same role in the same workspace."""
        if caller.valid_until and caller.valid_until <= now():
            return False
        if caller.auth_method in {AuthMethod.NONE, AuthMethod.PLATFORM_KEY}:
            return True
        async with self._asking() as connection:
            role = await _find_role_now(connection, caller)
        return role is not None and Role(role) >= caller.role

    async def _admit_anybody(self, presented: Presented) -> Caller:
        if self.settings.require_auth:
            raise NotSignedIn
        return replace(await self._admit_owner(presented, AuthMethod.NONE), is_system_admin=True)

    async def _admit_owner(self, presented: Presented, method: AuthMethod) -> Caller:
        """Admit the server's own user: the owner of the default workspace and of no other."""
        if self._default_workspace is None:
            self._default_workspace = await get_or_create_default_workspace(self.database, self.settings)
        if presented.workspace not in {None, self._default_workspace}:
            raise NotAMember
        return Caller(
            user=None, workspace_id=self._default_workspace, role=Role.OWNER, auth_method=method,
            request_id=presented.request_id, client_address=presented.client_address, carrier=presented.carrier,
        )

    async def _admit_session(self, presented: Presented) -> Caller:
        proof = digest(presented.secret)
        async with self._asking() as connection:
            row = await entering.across_find_session(
                connection, proof, named=presented.workspace, configured=self.settings.workspace_id
            )
            if row is not None and row["is_use_unnoted"]:
                with suppress(asyncpg.ReadOnlySQLTransactionError):
                    await entering.across_note_session_use(connection, proof)
        if row is None:
            raise CredentialInvalid(
                "You are signed out, or your sign-in has expired. Sign in again.", self._forget_cookie)
        return replace(_read_person(row, presented, AuthMethod.SESSION), proof=proof, valid_until=row["expires_at"])

    async def _admit_key(self, presented: Presented) -> Caller:
        proof = digest(presented.secret)
        async with self._asking() as connection:
            row = await entering.across_find_key(connection, proof)
            if row is None:
                raise CredentialInvalid("The API key is unknown, revoked or expired, or the person who made it is no "
                                        "member any more. Ask an admin for a new one.")
            if row["is_use_unnoted"]:
                with suppress(asyncpg.ReadOnlySQLTransactionError):
                    await entering.across_note_key_use(connection, row["id"])
        if presented.workspace not in {None, row["workspace_id"]}:
            raise NotAMember
        return Caller(
            user=None, workspace_id=row["workspace_id"], role=_role_of_key(row), auth_method=AuthMethod.API_KEY,
            api_key_id=row["id"], api_key_name=row["name"], request_id=presented.request_id,
            client_address=presented.client_address, proof=proof, valid_until=row["expires_at"],
            carrier=presented.carrier,
        )

    async def _admit_token(self, presented: Presented) -> Caller:
        uses_provider = self.oidc.is_configured and not self._verifier.is_configured
        identity = await (self.oidc if uses_provider else self._verifier).verify(presented.secret)
        if presented.workspace is None:
            presented = replace(presented, workspace=identity.workspace)
        row = await self.recognise(identity, presented)
        return replace(
            _read_person(row, presented, AuthMethod.JWT), valid_until=identity.expires_at, issuer=identity.issuer,
            organisation_role=identity.organisation.role if identity.organisation else None,
        )

    async def recognise(self, identity: Identity, presented: Presented) -> asyncpg.Record:
        """Return the account of a person of the identity provider; it is made, and brought in line, where needed.

        Raises:
            CredentialInvalid: the account is switched off.
        """
        row = await self._find_identity(identity, presented)
        if row is None or needs_provision(identity, row):
            if row is None:
                identity = await self._clerk.complete(identity)
            await provision_identity(self.database, identity)
            row = await self._find_identity(identity, presented)
        if row is None or not row["is_active"]:
            raise CredentialInvalid("This account is switched off. Ask the admin of this server.")
        if row["system_role"] != SystemRole.ADMIN and is_named(self.settings, identity, row["email"]):
            await grant_named(self.database, self.settings, row["id"])
            row = await self._find_identity(identity, presented) or row
        return row

    async def _find_identity(self, identity: Identity, presented: Presented) -> asyncpg.Record | None:
        async with self._asking() as connection:
            return await entering.across_find_identity(
                connection, identity.issuer, identity.external_id,
                organisation=identity.organisation.external_id if identity.organisation else None,
                named=presented.workspace, configured=self.settings.workspace_id,
            )

    def _asking(self) -> AbstractAsyncContextManager[asyncpg.Connection]:
        return self.database.recording(None, Scope.AUTH)


def operator_key(settings: Settings) -> str:
    """Return the operator's key, empty when there is none.

    A workspace's own key in the same variable is the command line's credential, and no more than that here: it must
    not become the key to the whole server because somebody started one in the same shell.
    """
    key = settings.platform_api_key.get_secret_value() if settings.platform_api_key else ""
    return "" if key.startswith(WORKSPACE_KEY_STARTS) else key


async def _find_role_now(connection: asyncpg.Connection, caller: Caller) -> str | None:
    if caller.auth_method is AuthMethod.API_KEY:
        row = await entering.across_find_key(connection, caller.proof)
        return _role_of_key(row) if row else None
    if caller.auth_method is AuthMethod.SESSION:
        row = await entering.across_find_session(connection, caller.proof, named=caller.workspace_id, configured=None)
        return row["role"] if row else None
    if caller.user is None:
        return None
    return await entering.across_find_role(connection, caller.user.id, caller.workspace_id)


def _read_person(row: asyncpg.Record, presented: Presented, method: AuthMethod) -> Caller:
    if row["workspace_id"] is None:
        raise NotAMember
    user = UserRef(row["id"], row["email"], row["name"], SystemRole(row["system_role"]))
    return Caller(
        user=user, workspace_id=row["workspace_id"], role=Role(row["role"]), auth_method=method,
        is_system_admin=user.system_role is SystemRole.ADMIN, request_id=presented.request_id,
        client_address=presented.client_address, carrier=presented.carrier, organisation=row["organisation"],
    )


def _role_of_key(row: asyncpg.Record) -> Role:
    """Return what a key may do: never more than the person whose it is may do today."""
    return Role(row["role"]) if row["maker_role"] is None else min(Role(row["role"]), Role(row["maker_role"]))


class SignInServices(Protocol):
    """What signing in needs of the process."""

    settings: Settings
    vault: Vault
    authenticator: RequestAuthenticator
