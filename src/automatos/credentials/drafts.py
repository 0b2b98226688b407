"""What a credential shall hold, checked for its type and provider before it is sealed or tried."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from automatos.credentials.addresses import checked_base_url
from automatos.credentials.contents import KEY_FIELD, Fields
from automatos.credentials.errors import CredentialInvalidHere
from automatos.credentials.models import CredentialType
from automatos.credentials.providers import get_provider
from automatos.credentials.types import OPENAI_WIRES, Provider
from automatos.credentials.validation import checked_fields
from automatos.kernel.config import Settings

BASE_URL = "base_url"
WIRE, AUTO = "wire", "auto"


@dataclass(frozen=True, slots=True)
class Draft:
    """Checked fields with their type, the provider they open if they open one, and how they are tried."""

    type_name: str
    schema: Mapping[str, Any]
    provider: str | None
    test: Mapping[str, Any] | None
    fields: Fields = field(repr=False)


def draft_in_short(provider: Provider, settings: Settings, value: str, base_url: str | None,
                   known: CredentialType | None, wire: str | None = None) -> Draft:
    """Check the key of a provider, given as `value`, `base_url` and `wire`.

    Raises:
        CredentialInvalidHere: one of them does not fit the provider.
    """
    if wire and provider.wire not in OPENAI_WIRES:
        raise CredentialInvalidHere(WIRE, f"cannot be chosen for {provider.display_name}.")
    provider = provider.speaking(wire)
    fields = {WIRE: wire or (AUTO if provider.wire in OPENAI_WIRES else None),
              KEY_FIELD: checked_value(provider, value, "value"),
              BASE_URL: checked_base_url(provider, base_url, settings)}
    return Draft(provider.credential_type, known.schema if known else {}, provider.name,
                 known.test_endpoint if known else None, {name: text for name, text in fields.items() if text})


def draft_of_type(known: CredentialType, settings: Settings, data: Mapping[str, Any]) -> Draft:
    """Check the fields of a type; the key and address of a provider also by the rules of the provider.

    Raises:
        CredentialInvalidHere: a field does not fit the type or the provider.
    """
    opens = known.schema.get("x-provider")
    if opens is None:
        return Draft(known.name, known.schema, None, known.test_endpoint, checked_fields(known.schema, data))
    provider = get_provider(str(opens))
    trimmed = {name: value.strip() if isinstance(value, str) else value for name, value in data.items()}
    fields = checked_fields(known.schema, {name: value for name, value in trimmed.items() if value != ""})
    provider = provider.speaking(fields.get(WIRE))
    fields[KEY_FIELD] = checked_value(provider, fields.get(KEY_FIELD, ""), f"data.{KEY_FIELD}")
    fields[BASE_URL] = checked_base_url(provider, fields.get(BASE_URL), settings, f"data.{BASE_URL}")
    return Draft(known.name, known.schema, provider.name, known.test_endpoint,
                 {name: value for name, value in fields.items() if value not in {"", None}})


def checked_value(provider: Provider, value: str, field_name: str) -> str:
    """Return the key without surrounding space.

    Raises:
        CredentialInvalidHere: it is missing, or could not be sent in a header.
    """
    value = value.strip()
    if provider.wire == "demo":
        raise CredentialInvalidHere("provider", "the demo takes no credential.")
    if provider.needs_key and not value:
        raise CredentialInvalidHere(field_name, f"{provider.display_name} needs a key.")
    if not (value.isascii() and value.isprintable()) or " " in value:
        raise CredentialInvalidHere(field_name, "must be one line of printable ASCII characters without spaces.")
    return value
