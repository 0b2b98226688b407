"""The first models of the catalogue."""

from importlib.resources import files
from typing import Any

import yaml

from automatos.kernel.db import Database
from automatos.llm import queries


async def seed_models(database: Database) -> None:
    """Add the well-known models that the catalogue lacks; can be run at every start, changes nothing that is there."""
    text = files("automatos.llm").joinpath("seeds/models.yaml").read_text(encoding="utf-8")
    rows: list[dict[str, Any]] = yaml.safe_load(text)
    async with database.session(None) as session:
        await queries.add_models(session, [row | {"capabilities": _capabilities(row)} for row in rows])


def _capabilities(row: dict[str, Any]) -> dict[str, bool]:
    return {"chat": True, "streaming": True, "functions": True, "vision": bool(row["supports_vision"])}
