"""A provider's own output items as a turn's body keeps them, and back."""

from collections.abc import Mapping
from typing import Any

import orjson

from automatos.llm.types import ProviderItems
from automatos.runtime.types import MAX_ITEMS_BYTES, JsonObject

_NUL = b"\\u0000"


def items_to_json(kept: ProviderItems) -> JsonObject | None:
    """Return items as they are stored; None when they are larger than a turn may hold or cannot be stored unchanged.

    Signed items that were altered are refused by their provider, those that are missing are not, so an item is never
    cleaned: text that PostgreSQL cannot hold costs all items of the turn.
    """
    stored: JsonObject = {"wire": kept.wire, "provider": kept.provider, "family": kept.family,
                          "items": list(kept.items)}
    try:
        written = orjson.dumps(stored)
    except TypeError:
        return None
    return stored if len(written) <= MAX_ITEMS_BYTES and _NUL not in written else None


def items_of(stored: Mapping[str, Any] | None) -> ProviderItems | None:
    """Read items back."""
    if not stored:
        return None
    return ProviderItems(stored["wire"], stored["provider"], stored["family"], tuple(stored["items"]))
