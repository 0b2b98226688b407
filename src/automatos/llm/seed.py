"""The first models of the catalogue."""

from functools import cache
from typing import Any

from automatos.kernel.db import Database
from automatos.kernel.shipped import read_shipped
from automatos.llm import queries

REFRESHED = ("capabilities", "supports_streaming", "recommended_for", "description", "release_date", "deprecation_date",
             "default_temperature", "min_temperature", "max_temperature", "cached_input_cost_per_1k_tokens", "wire",
             "reasoning_efforts", "takes_sampling", "max_output_tokens")
"""What later releases of this server may bring up to date, in entries that nobody changed."""


async def seed_models(database: Database) -> None:
    """Add the well-known models that the catalogue lacks; can be run at every start, keeps what people changed."""
    async with database.session(None) as session:
        await queries.add_models(session, [_row(row) for row in shipped_models()], REFRESHED)


@cache
def shipped_models() -> list[dict[str, Any]]:
    """Return the models that come with this server."""
    return read_shipped("automatos.llm", "seeds/models.yaml")


def _row(row: dict[str, Any]) -> dict[str, Any]:
    """Fill in what an entry leaves out, so that all rows have the same columns."""
    usual: dict[str, Any] = {
        "supports_streaming": True, "description": "", "release_date": None, "deprecation_date": None,
        "default_temperature": "0.7", "min_temperature": "0", "max_temperature": "2", "capabilities": {},
        "recommended_for": [], "cached_input_cost_per_1k_tokens": None, "wire": None, "reasoning_efforts": None,
        "takes_sampling": None, "status": "active",
    }
    return usual | row
