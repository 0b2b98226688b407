"""Joining the pieces of fields that this server does not read, so that they go back as the provider meant them."""

from typing import Any

JsonObject = dict[str, Any]
GROWING = frozenset({"text", "summary", "data", "thinking", "reasoning", "content", "reasoning_content"})
"""Keys whose text comes in pieces wherever they stand; other text inside of an object is a name or a signature."""
SEALED = ("encrypted", "redacted")


def merge_fields(into: JsonObject, fresh: JsonObject) -> None:
    """Add the fields of a piece to those of a message: its texts grow, its lists and objects are merged."""
    for name, value in fresh.items():
        into[name] = value if name not in into else _joined(into[name], value, grows=True)


def _joined(old: Any, new: Any, *, grows: bool) -> Any:
    if new is None:
        return old
    if isinstance(old, str) and isinstance(new, str):
        return old + new if grows else new or old
    if isinstance(old, dict) and isinstance(new, dict):
        return _merged_object(old, new)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(old, list) and isinstance(new, list):
        for element in new:  # pyright: ignore[reportUnknownVariableType]
            _add_element(old, element)  # pyright: ignore[reportUnknownArgumentType]
        return old  # pyright: ignore[reportUnknownVariableType]
    return new


def _merged_object(old: JsonObject, new: JsonObject) -> JsonObject:
    for name, value in new.items():
        old[name] = _joined(old[name], value, grows=name in GROWING) if name in old else value
    return old


def _add_element(elements: list[Any], fresh: Any) -> None:
    """Add an element to a list, or join it with the one that it continues."""
    if isinstance(fresh, dict):
        index = fresh.get("index")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        known = elements if index is not None else elements[-1:]
        for old in known:
            if isinstance(old, dict) and _continues(old, fresh):  # pyright: ignore[reportUnknownArgumentType]
                _merged_object(old, fresh)  # pyright: ignore[reportUnknownArgumentType]
                return
    elements.append(fresh)


def _continues(old: JsonObject, fresh: JsonObject) -> bool:
    """Say whether a piece belongs to an element: of one index, or else of one kind; two ids are two elements."""
    if fresh.get("type", old.get("type")) != old.get("type"):
        return False
    if (one := old.get("id")) and (other := fresh.get("id")) and one != other:
        return False
    if fresh.get("index") is not None or old.get("index") is not None:
        return fresh.get("index") == old.get("index")
    return not any(word in str(old.get("type")) for word in SEALED)
