"""Filling the table of credential types from `types.yaml`."""

from typing import Any

from automatos.credentials import queries
from automatos.credentials.drafts import WIRE
from automatos.credentials.providers import get_provider
from automatos.credentials.types import OPENAI_WIRES
from automatos.kernel.db import Database
from automatos.kernel.shipped import read_shipped

DIALECT = "https://json-schema.org/draft/2020-12/schema"


async def seed_credential_types(database: Database) -> None:
    """Write every type that the product brings; those that are as they should be stay untouched."""
    async with database.session(None) as session:
        await queries.save_types(session, shipped_types())


def shipped_types() -> list[dict[str, Any]]:
    """Return the types of `types.yaml` as rows: the fields of each as one JSON Schema."""
    document: dict[str, Any] = read_shipped("automatos.credentials", "types.yaml")
    return [_row(row, document["fragments"]) for row in document["types"]]


def _row(row: dict[str, Any], fragments: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, dict[str, Any]] = row["fields"] | (
        {WIRE: fragments[WIRE]} if "provider" in row and get_provider(row["provider"]).wire in OPENAI_WIRES else {})
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
