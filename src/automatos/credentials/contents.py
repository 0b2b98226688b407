"""What a credential holds: one sealed document of its fields, and the part of it that people may see."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from automatos.credentials.errors import CredentialInvalidHere, CredentialUnreadable
from automatos.credentials.models import Credential
from automatos.credentials.schemas import CredentialField
from automatos.kernel.crypto import SealBroken, Vault

Fields = dict[str, Any]
DOCUMENT = b"\x01"
"""Marks a sealed document; before there were types the sealed value was the key itself, which is printable text."""

KEY_FIELD = "api_key"
HINTED_LENGTH = 16
ADDRESSES = frozenset({"host", "port", "url", "base_url", "api_url", "test_url", "endpoint"})
"""Fields that say where a credential's secrets are sent."""


def seal_context(workspace_id: UUID, credential_id: UUID) -> bytes:
    """Return what a credential's sealed value is bound to: its workspace and its own id."""
    return b"credential:" + workspace_id.bytes + credential_id.bytes


def seal_fields(vault: Vault, row: Credential, fields: Mapping[str, Any]) -> None:
    """Put the fields into a row, sealed under the newest key, and with them what is shown of them in lists."""
    row.sealed = vault.seal(DOCUMENT + orjson.dumps(fields), seal_context(row.workspace_id, row.id))


def read_document(opened: bytes, base_url: str | None) -> Fields:
    """Return the fields of an opened seal; a bare key becomes the field it is."""
    if opened[:1] == DOCUMENT:
        return orjson.loads(opened[1:])
    fields: Fields = {KEY_FIELD: opened.decode()} if opened else {}
    return fields | ({"base_url": base_url} if base_url else {})


def open_fields(vault: Vault, row: Credential) -> Fields:
    """Return the fields of a stored credential.

    Raises:
        CredentialUnreadable: no key of this server opens it.
    """
    try:
        opened = vault.open(row.sealed, seal_context(row.workspace_id, row.id))
    except SealBroken as error:
        raise CredentialUnreadable(row.name) from error
    return read_document(opened, row.base_url)


def hint_of(value: object) -> str:
    """Return the end of a secret, for people to tell keys apart; nothing of a short one."""
    if not isinstance(value, str) or len(value) < HINTED_LENGTH or not value[-4:].isprintable():
        return ""
    return f"…{value[-4:]}"


def main_hint(schema: Mapping[str, Any], fields: Mapping[str, Any]) -> str:
    """Return the hint of the first secret field that is set, in the order of the type."""
    return next((hint_of(fields[name]) for name in properties_of(schema)
                 if is_secret(schema, name) and fields.get(name)), "")


def properties_of(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the schemas of a type's fields by name."""
    return schema.get("properties") or {}


def is_secret(schema: Mapping[str, Any], name: str) -> bool:
    """Say whether a field is never shown: every field is, but those whose type says that it is no secret."""
    return properties_of(schema).get(name, {}).get("x-secret") is not False


def refuse_new_address(schema: Mapping[str, Any], fields: Mapping[str, Any], data: Mapping[str, Any]) -> None:
    """Keep a stored secret from being sent where somebody else points it: a new address needs the secrets again.

    Going back to the address that the type itself names does not.

    Raises:
        CredentialInvalidHere: `data` changes an address and leaves out a secret that is set.
    """
    moved = [name for name, value in data.items()
             if name in ADDRESSES and value is not None and fields and value != fields.get(name)]
    kept = [name for name in fields if is_secret(schema, name) and fields[name] and name not in data]
    if moved and kept:
        raise CredentialInvalidHere(
            moved[0], f"leads somewhere else now; give {', '.join(kept)} again: a secret goes only where somebody who "
            "knows it sends it.")


def shown_fields(schema: Mapping[str, Any], fields: Mapping[str, Any] | None) -> dict[str, CredentialField]:
    """Return every field of a type as people may see it; nothing is set of a credential that cannot be opened."""
    known = fields or {}
    names = dict.fromkeys([*properties_of(schema), *known])
    return {name: _shown(is_secret(schema, name), known.get(name)) for name in names}


def _shown(hidden: bool, value: Any) -> CredentialField:
    is_set = value is not None and value != ""
    if hidden:
        return CredentialField(is_secret=True, is_set=is_set, hint=hint_of(value))
    return CredentialField(is_secret=False, is_set=is_set, value=value, hint="")
