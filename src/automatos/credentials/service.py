"""Verbs of credentials."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials import queries, schemas
from automatos.credentials.contents import main_hint, open_fields, refuse_new_address, seal_fields, shown_fields
from automatos.credentials.drafts import Draft, draft_in_short, draft_of_type
from automatos.credentials.errors import (
    CredentialInvalidHere,
    CredentialLimitReached,
    CredentialNameTaken,
    CredentialNotFound,
    CredentialUnreadable,
    UnknownCredentialType,
)
from automatos.credentials.http_auth import read_authorization
from automatos.credentials.keyring import Keyring
from automatos.credentials.models import Credential, CredentialType
from automatos.credentials.offered import OfferedModels
from automatos.credentials.probe import ProbeResult
from automatos.credentials.providers import find_provider, get_provider, providers_by_name
from automatos.credentials.rotation import reseal_credentials
from automatos.credentials.trial import try_fields
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.workspaces.service import write_audit
from automatos.workspaces.types import Caller

__all__ = [
    "CredentialDeps",
    "Keyring",
    "OfferedModels",
    "add_credential",
    "delete_credential",
    "find_provider",
    "get_credential",
    "get_provider",
    "get_type",
    "has_credential",
    "list_credentials",
    "list_types",
    "providers_by_name",
    "read_authorization",
    "reseal_credentials",
    "test_credential",
    "try_contents",
    "update_credential",
]

TARGET = "credential"
MAX_CREDENTIALS = 500
PLAIN = ("name", "environment", "description", "tags", "expires_at", "is_active")


@dataclass(frozen=True, slots=True)
class CredentialDeps:
    """What a process needs to open, check and try credentials."""

    vault: Vault
    settings: Settings
    http: Http


async def list_types(session: AsyncSession) -> list[schemas.CredentialType]:
    """Return the types of credentials that may be chosen, by category and name."""
    return [_type(row) for row in await queries.list_types(session)]


async def get_type(session: AsyncSession, name: str) -> schemas.CredentialType:
    """Return one type of credentials.

    Raises:
        UnknownCredentialType: there is none; names those that exist.
    """
    return _type(await _known_type(session, name))


async def list_credentials(session: AsyncSession, workspace_id: UUID, deps: CredentialDeps) -> list[schemas.Credential]:
    """Return the credentials of a workspace as people may see them, by name."""
    types = await queries.read_schemas(session)
    rows = await queries.list_credentials(session, workspace_id)
    return [_shown(row, types.get(row.credential_type, {}), deps.vault) for row in rows]


async def get_credential(session: AsyncSession, workspace_id: UUID, credential_id: UUID,
                         deps: CredentialDeps) -> schemas.Credential:
    """Return one credential of a workspace as people may see it.

    Raises:
        CredentialNotFound: the workspace has no such credential.
    """
    row = await queries.find_credential(session, workspace_id, credential_id)
    if row is None:
        raise CredentialNotFound
    return _shown(row, await _schema_of(session, row), deps.vault)


async def has_credential(session: AsyncSession, workspace_id: UUID, credential_id: UUID) -> bool:
    """Say whether the workspace has this credential."""
    return await queries.find_credential(session, workspace_id, credential_id) is not None


async def add_credential(session: AsyncSession, caller: Caller, deps: CredentialDeps,
                         body: schemas.CredentialCreate) -> schemas.Credential:
    """Check, seal and store a credential; the caller must have the keyring forget the workspace. Audited.

    Raises:
        UnknownProvider, UnknownCredentialType: there is none of this name.
        CredentialInvalidHere: the fields do not fit the type or provider.
        CredentialNameTaken: the workspace has a credential of this name.
        CredentialLimitReached: the workspace has as many credentials as it may have.
    """
    draft = await _draft(session, deps.settings, body)
    _check_expiry(body.expires_at)
    if await queries.count_credentials(session, caller.workspace_id) >= MAX_CREDENTIALS:
        raise CredentialLimitReached(MAX_CREDENTIALS)
    if await queries.has_name(session, caller.workspace_id, body.name):
        raise CredentialNameTaken(body.name)
    row = Credential(id=new_id(), workspace_id=caller.workspace_id, name=body.name, environment=body.environment.value,
                     description=body.description, tags=body.tags, expires_at=body.expires_at, created_by=caller.actor,
                     is_active=True, created_at=now(), updated_at=now(), test_status="not_tested", test_message="")
    _fill(row, draft, deps.vault)
    session.add(row)
    await _flush(session, body.name)
    await write_audit(session, caller, "credential.created", target_type=TARGET, target_id=row.id,
                      detail=_described(row) | {"fields": sorted(draft.fields)})
    return _shown(row, draft.schema, deps.vault)


async def update_credential(session: AsyncSession, caller: Caller, deps: CredentialDeps, credential_id: UUID,
                            body: schemas.CredentialUpdate) -> schemas.Credential:
    """Change what is given; the caller must have the keyring forget the workspace. Audited.

    `data` replaces the fields it names. A credential that cannot be opened takes the fields given as all it has.

    Raises:
        CredentialNotFound: the workspace has no such credential.
        CredentialInvalidHere: the fields do not fit the type or provider.
        CredentialNameTaken: the workspace has another credential of this name.
    """
    row = await queries.lock_credential(session, caller.workspace_id, credential_id)
    if row is None:
        raise CredentialNotFound
    changes = _plain_changes(row, body)
    if "name" in changes and await queries.has_name(session, caller.workspace_id, changes["name"]):
        raise CredentialNameTaken(changes["name"])
    before = {name: getattr(row, name) for name in changes}
    for name, value in changes.items():
        setattr(row, name, value)
    if body.data is not None:
        await _replace_fields(session, row, deps, body.data)
    row.updated_at = now()
    await _flush(session, row.name)
    detail: dict[str, object] = {"name": row.name, "old": before, "new": changes}
    await write_audit(session, caller, "credential.updated", target_type=TARGET, target_id=row.id,
                      detail=detail | ({"fields": sorted(body.data)} if body.data is not None else {}))
    return _shown(row, await _schema_of(session, row), deps.vault)


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


async def test_credential(database: Database, caller: Caller, credential_id: UUID, deps: CredentialDeps) -> ProbeResult:
    """Try a stored credential where it belongs, keep the result with it and return it. Audited.

    No transaction is open while the other side is asked.

    Raises:
        CredentialNotFound: the workspace has no such credential.
        CredentialUnreadable: no key of this server opens it.
        CredentialUntestable: there is no way to try this type, or it lacks what trying needs.
    """
    async with database.session(caller.workspace_id) as session:
        row = await queries.find_credential(session, caller.workspace_id, credential_id)
        if row is None:
            raise CredentialNotFound
        found = await queries.find_type(session, row.credential_type)
    fields = open_fields(deps.vault, row)
    result = await try_fields(deps.http, deps.settings, fields, provider_name=row.provider,
                              test=found.test_endpoint if found else None)
    async with database.session(caller.workspace_id) as session:
        row = await queries.lock_credential(session, caller.workspace_id, credential_id)
        if row is None:
            raise CredentialNotFound
        row.test_status, row.test_message, row.last_tested_at = result.status, result.message, result.tested_at
        await write_audit(session, caller, "credential.tested", target_type=TARGET, target_id=row.id,
                          detail={"name": row.name, "status": result.status})
    return result


async def try_contents(
    database: Database, caller: Caller, deps: CredentialDeps, body: schemas.CredentialTry
) -> ProbeResult:
    """Try a credential that is not stored, and store nothing.

    Raises:
        UnknownProvider, UnknownCredentialType: there is none of this name.
        CredentialInvalidHere: the fields do not fit the type or provider.
        CredentialUntestable: there is no way to try this type, or it lacks what trying needs.
    """
    async with database.session(caller.workspace_id) as session:
        draft = await _draft(session, deps.settings, body)
    return await try_fields(deps.http, deps.settings, draft.fields, provider_name=draft.provider, test=draft.test)


async def _draft(session: AsyncSession, settings: Settings,
                 body: schemas.CredentialCreate | schemas.CredentialTry) -> Draft:
    """Check what a credential shall hold, in either form."""
    if body.provider is not None:
        provider = get_provider(body.provider)
        known = await queries.find_type(session, provider.credential_type)
        return draft_in_short(provider, settings, body.value.get_secret_value(), body.base_url, known,
                              body.wire)
    known = await _known_type(session, body.credential_type or "")
    return draft_of_type(known, settings, body.data or {})


async def _replace_fields(
    session: AsyncSession, row: Credential, deps: CredentialDeps, data: Mapping[str, Any]
) -> None:
    try:
        fields = open_fields(deps.vault, row)
    except CredentialUnreadable:
        fields = {}
    found = await _known_type(session, row.credential_type)
    refuse_new_address(found.schema, fields, data)
    draft = draft_of_type(found, deps.settings, {**fields, **data})
    _fill(row, draft, deps.vault)
    row.test_status, row.test_message, row.last_tested_at = "not_tested", "", None


def _fill(row: Credential, draft: Draft, vault: Vault) -> None:
    row.credential_type, row.provider = draft.type_name, draft.provider
    row.base_url = draft.fields.get("base_url") if draft.provider else None
    row.hint = main_hint(draft.schema, draft.fields)
    seal_fields(vault, row, draft.fields)


def _plain_changes(row: Credential, body: schemas.CredentialUpdate) -> dict[str, Any]:
    """Return what of the plain columns is given and differs; only the expiry can be taken away."""
    given = {name: getattr(body, name) for name in PLAIN if name in body.model_fields_set}
    for name, value in given.items():
        if value is None and name != "expires_at":
            raise CredentialInvalidHere(name, "must not be null; leave it out to keep it.")
    if "expires_at" in given and given["expires_at"] != row.expires_at:
        _check_expiry(given["expires_at"])
    return {name: value for name, value in given.items() if value != getattr(row, name)}


def _check_expiry(expires_at: Any) -> None:
    if expires_at is not None and expires_at <= now():
        raise CredentialInvalidHere("expires_at", "must be in the future. To stop using a credential, switch it off.")


async def _flush(session: AsyncSession, name: str) -> None:
    try:
        await session.flush()
    except IntegrityError as error:
        raise CredentialNameTaken(name) from error


async def _known_type(session: AsyncSession, name: str) -> CredentialType:
    found = await queries.find_type(session, name)
    if found is None:
        raise UnknownCredentialType(name, [each.name for each in await queries.list_types(session)])
    return found


async def _schema_of(session: AsyncSession, row: Credential) -> Mapping[str, Any]:
    found = await queries.find_type(session, row.credential_type)
    return found.schema if found else {}


def _described(row: Credential) -> dict[str, object]:
    return {"name": row.name, "type": row.credential_type, "provider": row.provider, "base_url": row.base_url,
            "environment": row.environment}


def _type(row: CredentialType) -> schemas.CredentialType:
    return schemas.CredentialType(
        name=row.name, display_name=row.display_name, category=row.category, description=row.description,
        provider=str(row.schema["x-provider"]) if "x-provider" in row.schema else None, json_schema=row.schema,
        can_be_tested=row.test_endpoint is not None or "x-provider" in row.schema,
        documentation_url=row.documentation_url,
    )


def _shown(row: Credential, schema: Mapping[str, Any], vault: Vault) -> schemas.Credential:
    try:
        fields = open_fields(vault, row)
    except CredentialUnreadable:
        fields = None
    plain = {name: getattr(row, name) for name in schemas.Credential.model_fields if hasattr(row, name)}
    return schemas.Credential(
        **plain, fields=shown_fields(schema, fields), is_readable=fields is not None,
        is_expired=row.expires_at is not None and row.expires_at <= now(),
    )
