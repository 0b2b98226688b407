"""Parts of answers in other shapes than the documented ones, read as what they mean."""

from collections.abc import Mapping
from typing import Any

REASONING = ("reasoning_content", "reasoning", "reasoning_text", "thinking", "thought", "reasoning_details")
"""Where vendors put what can be read of the reasoning; the first that a piece has counts."""
_TEXT_KEYS = ("text", "content", "summary", "thinking")
TEXT_TYPES = frozenset({"text", "output_text", "input_text"})
_NO_WORDS = frozenset({"", "null", "none", "undefined"})
_END_PREFIXES = ("finish_reason_", "finishreason.", "finish_reason.", "stop_reason_", "stopreason.")
MAX_DEPTH = 4


def count_in(fields: Mapping[str, Any], *names: str) -> int:
    """Return the first of some counts that is told: a whole number of at least 0, however it is written."""
    return next((number for name in names if (number := _count(fields.get(name)))), 0)


def _count(value: Any) -> int:
    if isinstance(value, str):
        value = float(value) if value.strip().isdecimal() else 0
    return max(int(value), 0) if isinstance(value, int | float) else 0


def object_in(value: Any) -> dict[str, Any]:
    """Return an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}  # pyright: ignore[reportUnknownVariableType]


def listed(value: Any) -> list[Any]:
    """Return a list; one object, or one text, that stands where a list belongs is a list of one."""
    if isinstance(value, list):
        return value  # pyright: ignore[reportUnknownVariableType]
    return [value] if isinstance(value, dict | str) and value else []  # pyright: ignore[reportUnknownVariableType]


def parts_in(content: Any) -> list[dict[str, Any]]:
    """Return the typed parts of a content; text that stands there by itself is a part."""
    return [part if isinstance(part, dict) else {"type": "text", "text": part}  # pyright: ignore[reportUnknownVariableType]
            for part in listed(content) if isinstance(part, dict | str)]


def text_of(part: Mapping[str, Any]) -> str:
    """Return the text of a part of the answer, empty for a part of another kind."""
    text: Any = part.get("text")
    return text if isinstance(text, str) and part.get("type", "text") in TEXT_TYPES else ""


def refusal_of(part: Mapping[str, Any]) -> str:
    """Return the text by which a part declines, empty for any other part."""
    text: Any = part.get("refusal")
    return text if isinstance(text, str) else ""


def reasoning_in(fields: Mapping[str, Any]) -> str:
    """Return what can be read of the reasoning in the fields of a message."""
    return next((text for name in REASONING if (text := readable(fields.get(name)))), "")


def readable(value: Any, depth: int = 0) -> str:
    """Return the text of a value: itself, or what its parts hold; sealed parts hold none."""
    if isinstance(value, str):
        return value
    if depth > MAX_DEPTH:
        return ""
    if isinstance(value, list):
        return "".join(readable(each, depth + 1) for each in value)  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return ""
    return next((text for key in _TEXT_KEYS if (text := readable(value.get(key), depth + 1))), "")  # pyright: ignore[reportUnknownMemberType]


def end_word(value: Any) -> str | None:
    """Return a provider's word for the end, bare and in small letters; None where it says nothing."""
    if isinstance(value, dict):
        value = value.get("type") or value.get("reason")  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    if value is None or isinstance(value, list | dict):
        return None
    word = str(value).strip().lower()  # pyright: ignore[reportUnknownArgumentType]
    for prefix in _END_PREFIXES:
        word = word.removeprefix(prefix)
    return None if word in _NO_WORDS else word
