"""Reading the fields of a SKILL.md's head as people and programs write it: any YAML, and lines that are almost YAML.

Every value is text, a list or a map: nothing is built, dates and numbers stay as written. What aliases repeat is
counted, so that a small head cannot grow into a large one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

MAX_DEPTH = 32
MAX_VALUES = 5_000
MAX_VALUE_CHARS = 256_000
PLAIN_TAGS = "tag:yaml.org,2002:"
OBJECT_TAGS = "tag:yaml.org,2002:python/"
FIELD_LINE = re.compile(r"([A-Za-z_][A-Za-z0-9_. -]*?)[ \t]*:(?:[ \t]+(.*)|[ \t]*)$")
QUOTES = ("'", '"')
_TIGHT = re.compile(r"^(name|description|license|compatibility|allowed-tools):(?=\S)", re.MULTILINE)


@dataclass(slots=True)
class Head:
    """The fields of a head, what differs from the format's plain YAML, and what keeps it from being used."""

    fields: dict[str, Any] = field(default_factory=dict[str, Any])
    notes: list[str] = field(default_factory=list[str])
    problems: list[str] = field(default_factory=list[str])


class _NotTaken(ValueError):
    """A head that is not to be read at all: it grows, is too deep, or asks for objects to be built."""


def read_head(head: str) -> Head:
    """Return what a head says; where it is not YAML, each of its fields is read by itself."""
    found = Head()
    head = head.replace("\u00a0", " ")
    try:
        found.fields = _fields_of(_Reader(found.notes).read(head))
    except _NotTaken as error:
        found.problems.append(str(error))
    except (yaml.YAMLError, RecursionError) as error:
        found.notes[:] = [f"The front matter is not YAML: {_told(error)}. Its fields were read line by line."]
        _read_lines(head, found)
    else:
        if not found.fields and (spaced := _TIGHT.sub(r"\1: ", head)) != head:
            found = read_head(spaced)
            found.notes.append("The front matter has no blank behind a colon; it was read as if there were one.")
        elif not found.fields and head.strip():
            found.notes.append("The front matter holds no fields, one `name: value` a line.")
    return found


def _told(error: Exception) -> str:
    mark, why = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"{why or 'it cannot be read'}{f' (line {mark.line + 2})' if mark else ''}"


def _fields_of(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _read_lines(head: str, found: Head) -> None:
    """Read each field with the lines below it by itself, as YAML where it is, else as the text that stands there."""
    for name, first, more in _chunks(head):
        try:
            value = _fields_of(_Reader(found.notes).read("\n".join([f"{name}: {first}", *more]))).get(name)
        except _NotTaken as error:
            found.problems.append(str(error))
            return
        except (yaml.YAMLError, RecursionError):
            value = None
        found.fields[name] = _as_written(first, more) if value is None else value


def _chunks(head: str) -> Iterator[tuple[str, str, list[str]]]:
    name, first, more = "", "", list[str]()
    for line in head.split("\n"):
        match = FIELD_LINE.match(line)
        if match:
            if name:
                yield name, first, more
            name, first, more = match[1], match[2] or "", []
        elif not line.startswith("#"):
            more.append(line)
    if name:
        yield name, first, more


def _as_written(first: str, more: list[str]) -> str:
    text = " ".join(part for line in [first, *more] if (part := line.strip()))
    text = text.removeprefix("|").removeprefix(">").strip() if first.strip()[:1] in {"|", ">"} else text
    return text[1:-1] if len(text) > 1 and text[0] in QUOTES and text[-1] == text[0] else text


def _bounded(text: str) -> Iterator[yaml.Event]:
    """Yield the events of a text as they are found: each token costs as much as there are lists around it."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _NotTaken(f"The front matter is nested deeper than {MAX_DEPTH} levels.")
        yield event


class _Reader:
    """One document while it is read: what its anchors hold, and how much it has grown to."""

    def __init__(self, notes: list[str]) -> None:
        self._notes = notes
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._values = self._chars = 0

    def read(self, text: str) -> Any:
        # The C parser and the plain one differ in small things; the plain one tells places in characters.
        events = iter(list(_bounded(text)))
        next(events)
        if not isinstance(next(events), yaml.DocumentStartEvent):
            return None
        found = self._value(events, next(events), 1)
        next(events)
        if not isinstance(next(events), yaml.StreamEndEvent):
            self._note("The front matter holds more than one YAML document; the first counts.")
        return found

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)

    def _spend(self, values: int, chars: int) -> None:
        self._values += values
        self._chars += chars
        if self._values > MAX_VALUES or self._chars > MAX_VALUE_CHARS:
            raise _NotTaken("The front matter grows too large: its anchors repeat more than is taken.")

    def _value(self, events: Iterator[yaml.Event], event: yaml.Event, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise _NotTaken(f"The front matter is nested deeper than {MAX_DEPTH} levels.")
        if isinstance(event, yaml.AliasEvent):
            return self._repeated(event.anchor or "")
        self._judge_tag(getattr(event, "tag", None))
        before = self._values, self._chars
        anchor = getattr(event, "anchor", None)
        if isinstance(event, yaml.ScalarEvent):
            found: Any = event.value
            self._spend(1, len(event.value))
        else:
            self._spend(1, 0)
            if getattr(event, "flow_style", None):
                self._note("The front matter uses [ ] or { }; the format writes lists and maps one entry a line.")
            is_list = isinstance(event, yaml.SequenceStartEvent)
            found = self._list(events, depth) if is_list else self._map(events, depth)
        if anchor:
            self._note("The front matter uses YAML anchors; the format writes every value out.")
            self._anchors[anchor] = (found, self._values - before[0], self._chars - before[1])
        return found

    def _repeated(self, anchor: str) -> Any:
        if anchor not in self._anchors:
            raise yaml.YAMLError(f"there is no anchor {anchor!r}")
        found, values, chars = self._anchors[anchor]
        self._spend(values, chars)
        return found

    def _judge_tag(self, tag: str | None) -> None:
        if tag is None or tag == "!":
            return
        if tag.startswith(OBJECT_TAGS) or (tag.startswith("tag:") and not tag.startswith(PLAIN_TAGS)):
            raise _NotTaken(f"The front matter uses the YAML tag {tag[:100]!r}, which asks for an object to be built.")
        self._note("The front matter uses YAML tags; every value is taken as it is written.")

    def _list(self, events: Iterator[yaml.Event], depth: int) -> list[Any]:
        found: list[Any] = []
        while not isinstance(event := next(events), yaml.SequenceEndEvent):
            found.append(self._value(events, event, depth + 1))
        return found

    def _map(self, events: Iterator[yaml.Event], depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._value(events, event, depth + 1)
            value = self._value(events, next(events), depth + 1)
            if not isinstance(key, str):
                self._note("The front matter has a key that is not text; it was left out.")
            elif key == "<<":
                merged = value if isinstance(value, list) else [value]
                found = {**{k: v for one in merged if isinstance(one, dict) for k, v in one.items()}, **found}
            else:
                if key in found:
                    self._note(f"The front matter has the field {key[:100]!r} twice; the last one counts.")
                found[key] = value
        return found
