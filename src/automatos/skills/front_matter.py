"""The head of a SKILL.md: a small part of YAML in which every value is text, so that nothing in it can surprise.

Anchors, aliases, tags, flow collections and repeated keys are refused, as the format's reference library does.
"""

from collections.abc import Iterator
from typing import Any

import yaml

FENCE = "---"
MAX_CHARS = 8_192
MAX_DEPTH = 4


class FrontMatterInvalid(ValueError):
    """The head cannot be read; the message says why."""


def split(text: str) -> tuple[str, str]:
    """Return the head and the body of a SKILL.md; raises FrontMatterInvalid."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if lines[0].rstrip() != FENCE:
        raise FrontMatterInvalid(f"SKILL.md does not begin with front matter: its first line must be {FENCE}.")
    end = next((place for place, line in enumerate(lines[1:], 1) if line.rstrip() == FENCE), None)
    if end is None:
        raise FrontMatterInvalid(f"SKILL.md has front matter that does not end: a line {FENCE} must follow it.")
    head = "\n".join(lines[1:end])
    if len(head) > MAX_CHARS:
        raise FrontMatterInvalid(f"SKILL.md has front matter longer than {MAX_CHARS} characters.")
    return head, "\n".join(lines[end + 1:]).strip()


def read(head: str) -> dict[str, Any]:
    """Return the fields of a head: texts, lists of texts, maps of texts; raises FrontMatterInvalid."""
    try:
        found = _document(iter(list(yaml.parse(head, Loader=yaml.SafeLoader))))
    except yaml.YAMLError as error:
        raise FrontMatterInvalid(f"The front matter is not YAML: {_told(error)}.") from error
    if not isinstance(found, dict):
        raise FrontMatterInvalid("The front matter is not a list of fields, one `name: value` a line.")
    return found


def write(fields: dict[str, Any], body: str) -> str:
    """Return a SKILL.md with these fields and this body."""
    head = yaml.dump(fields, Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, default_flow_style=False,
                     width=100_000)
    return f"{FENCE}\n{head}{FENCE}\n\n{body.strip()}\n"


class _PlainDumper(yaml.SafeDumper):
    """Writes what `read` takes: no aliases, however often a value comes."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True


def _told(error: yaml.YAMLError) -> str:
    mark, why = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    return f"{why or 'it cannot be read'}{f' (line {mark.line + 2})' if mark else ''}"


def _document(events: Iterator[yaml.Event]) -> Any:
    next(events)  # the start of the stream
    if not isinstance(next(events), yaml.DocumentStartEvent):
        return None
    found = _value(events, next(events), 1)
    next(events)  # the end of the document
    if not isinstance(next(events), yaml.StreamEndEvent):
        raise FrontMatterInvalid("The front matter holds more than one YAML document.")
    return found


def _value(events: Iterator[yaml.Event], event: yaml.Event, depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        raise FrontMatterInvalid("The front matter uses a YAML anchor or alias; write the value out.")
    if getattr(event, "tag", None):
        raise FrontMatterInvalid("The front matter uses a YAML tag; every value is plain text.")
    if isinstance(event, yaml.ScalarEvent):
        return event.value
    if getattr(event, "flow_style", None):
        raise FrontMatterInvalid("The front matter uses [ ] or { }; write lists and maps one entry a line.")
    if depth > MAX_DEPTH:
        raise FrontMatterInvalid(f"The front matter is nested deeper than {MAX_DEPTH} levels.")
    return _list(events, depth) if isinstance(event, yaml.SequenceStartEvent) else _map(events, depth)


def _list(events: Iterator[yaml.Event], depth: int) -> list[Any]:
    found: list[Any] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        found.append(_value(events, event, depth + 1))
    return found


def _map(events: Iterator[yaml.Event], depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        key = _value(events, event, depth + 1)
        if not isinstance(key, str) or key in found:
            raise FrontMatterInvalid(f"The front matter has the key {str(key)[:100]!r} twice, or it is not text.")
        found[key] = _value(events, next(events), depth + 1)
    return found
