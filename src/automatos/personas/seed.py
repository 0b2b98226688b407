"""The personas that come with the product."""

from importlib.resources import files
from typing import Any

from automatos.kernel.db import Database, Scope
from automatos.kernel.shipped import parse_shipped
from automatos.personas import queries

FIELDS = ("slug", "name", "description", "category", "tags", "suggested_temperature", "voice_description",
          "system_prompt")


async def seed_personas(database: Database) -> None:
    """Make the global personas as the seed files say; can be run at every start, and touches no workspace's own."""
    async with database.session(None, Scope.ENGINE) as session:
        await queries.put_global(session, seeds())


def seeds() -> list[dict[str, Any]]:
    """Return the global personas, file by file in the order of their names."""
    folder = files(__package__ or "automatos.personas").joinpath("seeds")
    found = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    rows = [row for file in found for row in parse_shipped(file.read_text("utf-8"))]
    return [{name: row[name] for name in FIELDS} | {"system_prompt": row["system_prompt"].strip()} for row in rows]
