"""Verbs of credentials."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials import queries
from automatos.credentials.addresses import checked_base_url, may_be_private
from automatos.credentials.errors import (
    CredentialInvalidHere,
    CredentialNameTaken,
    CredentialNotFound,
    CredentialUnreadable,
)
from automatos.credentials.keyring import Keyring, seal_context
from automatos.credentials.models import Credential
from automatos.credentials.probe import ProbeResult, probe
from automatos.credentials.providers import find_provider, get_provider, providers_by_name
from automatos.credentials.types import Provider, Secret
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import SealBroken, Vault
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

__all__ = ["Keyring", "create_credential", "delete_credential", "find_provider", "get_provider", "list_credentials",
           "providers_by_name", "test_credential", "try_secret"]

TARGET = "credential"


async def list_credentials(session: AsyncSession, workspace_id: UUID) -> Sequence[Credential]:
    """Return the credentials of a workspace, by name."""
    return await queries.list_credentials(session, workspace_id)


async def create_credential(session: AsyncSession, caller: Caller, vault: Vault, settings: Settings, *, name: str,
                            provider_name: str, value: str, base_url: str | None) -> Credential:
    """Seal and store a secret and return its row; the caller must have the keyring forget the workspace. Audited.

    Raises:
        UnknownProvider: there is no such provider.
        CredentialInvalidHere: the value or base URL does not fit the provider.
        CredentialNameTaken: the workspace has a credential of this name.
    """
    provider = get_provider(provider_name)
    value = checked_value(provider, value)
    row = Credential(id=new_id(), workspace_id=caller.workspace_id, name=name, provider=provider.name,
                     base_url=checked_base_url(provider, base_url, settings), hint=hint_of(value),
                     created_by=caller.actor, is_active=True, created_at=now(), test_status="not_tested",
                     test_message="")
    row.sealed = vault.seal(value.encode(), seal_context(caller.workspace_id, row.id))
    if await queries.has_name(session, caller.workspace_id, name):
        raise CredentialNameTaken(name)
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise CredentialNameTaken(name) from error
    await write_audit(session, caller, "credential.created", target_type=TARGET, target_id=row.id,
                      detail={"name": name, "provider": provider.name, "base_url": row.base_url})
    return row


async def delete_credential(session: AsyncSession, caller: Caller, credential_id: UUID) -> None:
    """Delete a credential; the caller must have the keyring forget the workspace. Audited.

    Raises:
        CredentialNotFound: the workspace has no such credential.
    """
    name = await queries.delete_credential(session, caller.workspace_id, credential_id)
    if name is None:
        raise CredentialNotFound
    await write_audit(session, caller, "credential.deleted", target_type=TARGET, target_id=credential_id,
                      detail={"name": name})


async def test_credential(database: Database, caller: Caller, credential_id: UUID, *, vault: Vault, settings: Settings,
                          http: Http) -> ProbeResult:
    """Try a stored credential at its provider, keep the result with it and return it. Audited.

    No transaction is open while the provider is asked.

    Raises:
        CredentialNotFound: the workspace has no such credential.
        CredentialUnreadable: no key of this server opens it.
    """
    async with database.session(caller.workspace_id) as session:
        row = await _get(session, caller, credential_id)
    try:
        value = vault.open(row.sealed, seal_context(caller.workspace_id, row.id)).decode()
    except SealBroken as error:
        raise CredentialUnreadable(row.name) from error
    result = await probe(http, _secret(get_provider(row.provider), value, row.base_url, settings))
    async with database.session(caller.workspace_id) as session:
        row = await _get(session, caller, credential_id)
        row.test_status, row.test_message, row.last_tested_at = result.status, result.message, result.tested_at
        await write_audit(session, caller, "credential.tested", target_type=TARGET, target_id=row.id,
                          detail={"name": row.name, "status": result.status})
    return result


async def _get(session: AsyncSession, caller: Caller, credential_id: UUID) -> Credential:
    found = await queries.find_credential(session, caller.workspace_id, credential_id)
    if found is None:
        raise CredentialNotFound
    return found


async def try_secret(settings: Settings, http: Http, *, provider_name: str, value: str,
                     base_url: str | None) -> ProbeResult:
    """Try a secret that is not stored, and store nothing.

    Raises:
        UnknownProvider: there is no such provider.
        CredentialInvalidHere: the value or base URL does not fit the provider.
    """
    provider = get_provider(provider_name)
    return await probe(http, _secret(provider, checked_value(provider, value),
                                     checked_base_url(provider, base_url, settings), settings))


def checked_value(provider: Provider, value: str) -> str:
    """Return the secret without surrounding space.

    Raises:
        CredentialInvalidHere: it is missing, or could not be sent in a header.
    """
    value = value.strip()
    if provider.wire == "demo":
        raise CredentialInvalidHere("provider", "the demo takes no credential.")
    if provider.needs_key and not value:
        raise CredentialInvalidHere("value", f"{provider.display_name} needs a key.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise CredentialInvalidHere("value", "must be one line of printable ASCII characters without spaces.")
    return value


def hint_of(value: str) -> str:
    """Return the end of a secret, for people to tell keys apart; nothing of a short one."""
    return f"…{value[-4:]}" if len(value) >= 16 else ""


def _secret(provider: Provider, value: str, base_url: str | None, settings: Settings) -> Secret:
    return Secret(provider, value, base_url or provider.base_url or "", "workspace",
                  allow_private=may_be_private(provider, settings))
