"""Text that people chose, made readable: what nobody can see in it, or what turns its order, is written out."""

from typing import Any, cast
from unicodedata import category

_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Fillers and the like: letters and marks by their category, and yet nothing that anybody sees."""
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    """Return a text with every character that cannot be seen, or turns the order of others, written as `[U+202E]`."""
    return text if text.isascii() and text.isprintable() else "".join(map(_shown, text))


def visible_in(value: object) -> Any:
    """Return a JSON value with every text in it made visible, names of fields too."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        return {visible(str(name)): visible_in(item) for name, item in cast("dict[object, object]", value).items()}
    return [visible_in(item) for item in cast("list[object]", value)] if isinstance(value, list) else value


def _shown(ch: str) -> str:
    return f"[U+{ord(ch):04X}]" if ch in _UNSEEN or category(ch) in _UNSEEN_CATEGORIES else ch
