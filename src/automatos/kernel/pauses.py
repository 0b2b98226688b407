"""How long a service asks to wait: in a header, in a field of its error, or in its words."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from automatos.kernel.clock import now

MOST_S = 366 * 86400.0
LEAST_EPOCH = 1e9
"""A number from here on is a moment, not a duration; one that is a thousand times as large counts milliseconds."""
MAX_DEPTH = 6
MAX_TEXT = 2000
_MS_HEADERS = ("retry-after-ms", "x-ms-retry-after-ms")
_PLAIN_RESETS = ("x-ratelimit-reset-after", "ratelimit-reset", "x-ratelimit-reset")
_RESETS = (
    *((f"x-ratelimit-remaining-{kind}", f"x-ratelimit-reset-{kind}") for kind in ("requests", "tokens")),
    *((f"anthropic-ratelimit-{kind}-remaining", f"anthropic-ratelimit-{kind}-reset")
      for kind in ("requests", "tokens", "input-tokens", "output-tokens")),
)
"""What is left of a kind, and when it is full again; the second counts where nothing is left."""
_FIELDS = frozenset({"retrydelay", "retryafter", "retryafterms", "retryaftersec", "retryafterseconds", "estimatedtime",
                     "xratelimitreset"})
_UNITS = {"ms": 0.001, "milliseconds": 0.001, "s": 1.0, "sec": 1.0, "secs": 1.0, "second": 1.0, "seconds": 1.0,
          "m": 60.0, "min": 60.0, "mins": 60.0, "minute": 60.0, "minutes": 60.0, "h": 3600.0, "hour": 3600.0,
          "hours": 3600.0, "d": 86400.0, "day": 86400.0, "days": 86400.0}
_NUMBER = r"\d{1,13}(?:\.\d{1,12})?"
_PIECE = re.compile(rf"({_NUMBER})\s?({'|'.join(sorted(_UNITS, key=len, reverse=True))})(?![a-z])[\s,]{{0,3}}"
                    r"(?:and\s)?", re.IGNORECASE)
_ASKS = re.compile(r"(?i)\b(?:try again|retry|wait|come back|resets?)\b[^\d.]{0,40}(?=\d)")


def pause_in_headers(headers: Mapping[str, str]) -> float | None:
    """Return after how many seconds the headers of a refusal say to come back; None when they do not."""
    for name in _MS_HEADERS:
        if (asked := _seconds(headers.get(name, ""), unit=0.001)) is not None:
            return asked
    if (asked := _seconds(headers.get("retry-after", ""))) is not None:
        return asked
    spent = [pause for left, reset in _RESETS if headers.get(left, "").strip() == "0"
             and (pause := _seconds(headers.get(reset, ""))) is not None]
    if spent:
        return max(spent)
    return next((pause for name in _PLAIN_RESETS if (pause := _seconds(headers.get(name, ""))) is not None), None)


def pause_in_document(document: Any) -> float | None:
    """Return after how many seconds a field of an error says to come back; None when none does."""
    return next(_in_fields(document, 0), None)


def pause_in_words(text: str) -> float | None:
    """Return after how many seconds a sentence says to come back, such as `try again in 6m0.5s`; None if none does."""
    for asks in _ASKS.finditer(text[:MAX_TEXT]):
        if (pause := _duration(text, asks.end(), is_whole=False)) is not None:
            return pause
    return None


def _in_fields(value: Any, depth: int) -> Iterator[float]:
    if depth > MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in value[:12]:  # pyright: ignore[reportUnknownVariableType]
            yield from _in_fields(item, depth + 1)
    elif isinstance(value, dict):
        for name, inner in value.items():  # pyright: ignore[reportUnknownVariableType]
            key = re.sub(r"[^a-z]", "", str(name).lower())  # pyright: ignore[reportUnknownArgumentType]
            if key in _FIELDS and isinstance(inner, str | int | float):
                pause = _seconds(str(inner), unit=0.001 if key.endswith("ms") else 1.0)
                yield from () if pause is None else (pause,)
            yield from _in_fields(inner, depth + 1)


def _seconds(text: str, unit: float = 1.0) -> float | None:
    """Read a number, a duration with units, or a moment; None for what is none of them, the past and zero are 0."""
    text = text.strip()[:100]
    try:
        number = float(text)
    except ValueError:
        moment = _moment(text)
        return _duration(text, 0, is_whole=True) if moment is None else _bounded(moment - now().timestamp())
    if not isfinite(number):
        return None
    if number >= LEAST_EPOCH:
        number, unit = number / (1000 if number >= LEAST_EPOCH * 1000 else 1) - now().timestamp(), 1.0
    return _bounded(number * unit)


def _moment(text: str) -> float | None:
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            at = read(text)
        except (ValueError, TypeError):
            continue
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return None


def _duration(text: str, at: int, *, is_whole: bool) -> float | None:
    start, total = at, 0.0
    while piece := _PIECE.match(text, at):
        total += float(piece[1]) * _UNITS[piece[2].lower()]
        at = piece.end()
    return None if at == start or (is_whole and at < len(text)) else _bounded(total)


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), MOST_S)
