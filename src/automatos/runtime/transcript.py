"""What was said in a run, as it is stored and as a model reads it again."""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from automatos.llm.types import ProviderItems
from automatos.runtime.types import MAX_ITEMS_BYTES, JsonObject

_CLOSING = re.compile(r"<\s*/(?=\s*data)", re.IGNORECASE)
_NUL = b"\\u0000"


def storable(text: str) -> str:
    """Return text without what neither PostgreSQL nor JSON can hold: NUL is left out, lone surrogates become `?`."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def fence(text: str) -> str:
    """Mark text as material that is not to be obeyed; it cannot close the mark itself."""
    harmless = _CLOSING.sub(r"<\\/", text)
    return f"<data>\n{harmless}\n</data>"


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
