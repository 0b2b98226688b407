"""Reading an agent's report, which a model wrote: strict about nothing, losing nothing. Pure."""

import re
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, cast

import orjson

from automatos.heartbeats.types import Finding, Severity

MOST = 100
LONGEST_CHECK, LONGEST_DETAIL = 200, 2000
LONGEST_VALUE = 500
DEEPEST = 8
SEVERITIES: Mapping[str, Severity] = {
    "info": "info", "notice": "info", "low": "info", "warning": "warning", "warn": "warning", "medium": "warning",
    "critical": "critical", "error": "critical", "high": "critical",
}
_BLOCK = re.compile(r"```[a-zA-Z]*[ \t]*\n(.*?)```", re.DOTALL)


def read_findings(report: str) -> list[Finding]:
    """Return the findings of a report: its last fenced list, else the whole text as one finding, else none."""
    for block in reversed(_BLOCK.findall(report)):
        if (items := _listed(block)) is not None:
            return [found for item in items[:MOST] if (found := _finding(_plain(item)))]
    if (items := _listed(report)) is not None:
        return [found for item in items[:MOST] if (found := _finding(_plain(item)))]
    text = report.strip()
    return [Finding("report", text[:LONGEST_DETAIL])] if text else []


def actions_of(calls: Sequence[tuple[str, Any]]) -> list[dict[str, Any]]:
    """Return tool calls as results keep them, with long texts cut."""
    return [{"tool": name, "params": _params(arguments)} for name, arguments in calls[:MOST]]


def _listed(text: str) -> list[Any] | None:
    """Return the list that a text is, or that an object in it holds as `findings`."""
    try:
        found = orjson.loads(text.strip())
    except orjson.JSONDecodeError:
        return None
    if isinstance(found, dict):
        found = cast("dict[str, Any]", found).get("findings")
    return cast("list[Any]", found) if isinstance(found, list) else None


def _finding(item: Any) -> Finding | None:
    if not isinstance(item, dict):
        return Finding("report", str(item)[:LONGEST_DETAIL]) if str(item).strip() else None
    found = cast("dict[str, Any]", item)
    detail = str(found.get("detail") or found.get("message") or orjson.dumps(found).decode())
    severity = SEVERITIES.get(str(found.get("severity", "")).strip().lower(), "info")
    return Finding(str(found.get("check") or "report")[:LONGEST_CHECK], detail[:LONGEST_DETAIL], severity)


def _params(arguments: Any) -> dict[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = orjson.loads(arguments)
        except orjson.JSONDecodeError:
            return {"arguments": _plain(arguments, LONGEST_VALUE)}
    if not isinstance(arguments, dict):
        return {"arguments": _plain(arguments, LONGEST_VALUE)}
    return _plain(arguments, LONGEST_VALUE)


def _plain(value: Any, longest: int = LONGEST_DETAIL, depth: int = 1) -> Any:
    """Return a value as results can keep it: long texts cut, without NUL, and only so deep."""
    if isinstance(value, str):
        return value[:longest].replace("\x00", "")
    if isinstance(value, dict | list) and depth > DEEPEST:
        return "…"
    if isinstance(value, dict):
        inner = islice(cast("dict[str, Any]", value).items(), MOST)
        return {_plain(name, longest): _plain(each, longest, depth + 1) for name, each in inner}
    if isinstance(value, list):
        return [_plain(each, longest, depth + 1) for each in cast("list[Any]", value)[:MOST]]
    return value
