"""The tracker: keeps one run from calling tools in circles."""

import hashlib
import json
import re
import string
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher
from functools import cache
from typing import Any, Self, cast

from automatos.kernel.shipped import read_shipped

COMPARED_CHARS = 1000
PUNCTUATION = str.maketrans("", "", string.punctuation)


@cache
def _rules() -> dict[str, Any]:
    return read_shipped("automatos.tools", "limits.yaml")


class ToolTracker:
    """What one run has called so far, and whether one more call would only repeat it.

    It holds no state of its own beyond the calls it was told of: build it again with `from_calls` after a restart.
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()
        self._queries: defaultdict[str, list[str]] = defaultdict(list)

    @classmethod
    def from_calls(cls, calls: Iterable[tuple[str, Mapping[str, Any]]]) -> Self:
        """Return a tracker that has recorded `calls`, pairs of tool name and arguments, in order."""
        tracker = cls()
        for name, arguments in calls:
            tracker.record(name, arguments)
        return tracker

    def reason_to_skip(self, name: str, arguments: Mapping[str, Any]) -> str | None:
        """Return why this call should not be made, naming the tool and the cause; None means go ahead."""
        limit = _limit(name)
        if self._counts[name] >= limit:
            return f"Skipped {name}: it was already called {limit} times, the most a run may. Use what it returned."
        if (name, _fingerprint(arguments)) in self._seen:
            return f"Skipped {name}: it was already called with exactly these arguments. Use the earlier result."
        query = _query(name, arguments)
        for earlier in self._queries[name] if query else ():
            if are_similar(query, earlier):
                return f"Skipped {name}: a very similar search was already made ({earlier[:100]!r}). Use its result."
        return None

    def record(self, name: str, arguments: Mapping[str, Any]) -> None:
        """Remember a call that was made."""
        self._counts[name] += 1
        self._seen.add((name, _fingerprint(arguments)))
        if query := _query(name, arguments):
            self._queries[name].append(query)


def are_similar(one: str, other: str) -> bool:
    """Whether two queries ask for nearly the same: equal, or alike by three quarters; empty ones never are."""
    first, second = _plain(one), _plain(other)
    if not first or not second:
        return False
    return first == second or SequenceMatcher(None, first, second).ratio() >= float(_rules()["similar_from"])


def _limit(name: str) -> int:
    rules = _rules()
    return int(rules["per_tool"].get(name, rules["default"]))


def _fingerprint(arguments: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(arguments, sort_keys=True, default=str).encode()).hexdigest()


def _query(name: str, arguments: Mapping[str, Any]) -> str:
    rules = _rules()
    if name not in rules["search_tools"]:
        return ""
    for field in cast("list[str]", rules["query_fields"]):
        value = arguments.get(field)
        if isinstance(value, str) and value:
            return value[:COMPARED_CHARS]
    return ""


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.lower().translate(PUNCTUATION)).strip()
