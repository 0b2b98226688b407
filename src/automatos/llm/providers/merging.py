"""Joining the pieces of fields that this server does not read, so that they go back as the provider meant them."""

from typing import Any

JsonObject = dict[str, Any]
GROWING = frozenset({"text", "summary", "data", "thinking", "reasoning", "content", "reasoning_content"})
"""Keys whose text comes in pieces wherever they stand; other text inside of an object is a name or a signature."""
SEALED = ("encrypted", "redacted")
NEAR = 16
"""So many elements back a numbered one is looked for: providers write them one after another."""


class _Growing(list[str]):
    """A text whose pieces are still coming; joining it with each of them would copy it as often."""


def whole(value: Any) -> Any:
    """Return what was merged with its texts put together."""
    if isinstance(value, _Growing):
        return "".join(value)
    if isinstance(value, dict):
        return {name: whole(part) for name, part in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [whole(part) for part in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def merge_fields(into: JsonObject, fresh: JsonObject) -> None:
    """Add the fields of a piece to those of a message: its texts grow, its lists and objects are merged.

    `whole` gives the message when all pieces have come.
    """
    for name, value in fresh.items():
        into[name] = value if name not in into else _joined(into[name], value, grows=True)


def _joined(old: Any, new: Any, *, grows: bool) -> Any:
    if new is None:
        return old
    if isinstance(old, str | _Growing):
        return _grown(old, new) if isinstance(new, str) and grows else new or old
    if isinstance(old, dict) and isinstance(new, dict):
        return _merged_object(old, new)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(old, list) and isinstance(new, list):
        for element in new:  # pyright: ignore[reportUnknownVariableType]
            _add_element(old, element)  # pyright: ignore[reportUnknownArgumentType]
        return old  # pyright: ignore[reportUnknownVariableType]
    return new


def _grown(old: str | _Growing, new: str) -> _Growing:
    growing = old if isinstance(old, _Growing) else _Growing([old])
    growing.append(new)
    return growing


def _merged_object(old: JsonObject, new: JsonObject) -> JsonObject:
    for name, value in new.items():
        old[name] = _joined(old[name], value, grows=name in GROWING) if name in old else value
    return old


def _add_element(elements: list[Any], fresh: Any) -> None:
    """Add an element to a list, or join it with the one that it continues."""
    if isinstance(fresh, dict):
        index = fresh.get("index")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        known = elements[-NEAR:] if index is not None else elements[-1:]
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
