"""Filling the table of credential types: those of model providers from their table, the others from `types.yaml`."""

from typing import Any

from automatos.credentials import queries
from automatos.credentials.drafts import WIRE
from automatos.credentials.providers import providers_by_name
from automatos.credentials.types import OPENAI_WIRES, Provider
from automatos.kernel.db import Database
from automatos.kernel.shipped import read_shipped

DIALECT = "https://json-schema.org/draft/2020-12/schema"


async def seed_credential_types(database: Database) -> None:
    """Write every type that the product brings; those that are as they should be stay untouched."""
    async with database.session(None) as session:
        await queries.save_types(session, shipped_types())


def shipped_types() -> list[dict[str, Any]]:
    """Return every type as a row: its fields as one JSON Schema."""
    document: dict[str, Any] = read_shipped("automatos.credentials", "types.yaml")
    opening = [_opening(provider, document["fragments"]) for provider in providers_by_name().values()
               if provider.credential_about]
    return [_row(row) for row in [*opening, *document["types"]]]


def _opening(provider: Provider, fragments: dict[str, Any]) -> dict[str, Any]:
    """Return the type that opens a provider: an address is needed where it has none, a key where it wants one."""
    address = {"base_url": fragments["base_url" if provider.base_url else "endpoint"]}
    key = {"api_key": fragments["key" if provider.needs_key else "free_key"]}
    wire = {WIRE: fragments[WIRE]} if provider.wire in OPENAI_WIRES else {}
    return {
        "name": provider.credential_type, "display_name": provider.display_name, "category": "ai",
        "provider": provider.name, "description": provider.credential_about,
        "documentation_url": provider.credential_page,
        "fields": (key | address if provider.needs_key else address | key) | wire,
    }


def _row(row: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = row["fields"]
    schema: dict[str, Any] = {
        "$schema": DIALECT, "type": "object", "title": row["display_name"], "additionalProperties": False,
        "properties": {name: _property(about) for name, about in fields.items()},
        "required": [name for name, about in fields.items() if about.get("required")],
    } | row.get("rules", {})
    if "provider" in row:
        schema["x-provider"] = row["provider"]
    return {
        "name": row["name"], "display_name": row["display_name"], "category": row["category"],
        "description": row.get("description", ""), "schema": schema, "test_endpoint": row.get("test"),
        "documentation_url": row.get("documentation_url"),
    }


def _property(about: dict[str, Any]) -> dict[str, Any]:
    """Write one field as a schema: a secret is marked as such, and as write-only for tools that know that word."""
    known = {name: value for name, value in about.items() if name not in {"secret", "required"}}
    marks: dict[str, Any] = {"x-secret": bool(about["secret"])}
    return {"type": "string", **known, **marks, **({"writeOnly": True} if about["secret"] else {})}
