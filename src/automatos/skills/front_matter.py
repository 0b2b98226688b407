"""The head of a SKILL.md, split from its body, written, and changed in place so that the rest of it stays as it was."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from automatos.skills.head import Head, read_head

FENCE = "---"
_FENCE = re.compile(r"-{3,}\s*")
_END_OF_YAML = re.compile(r"\.\.\.\s*")
_FIELD = re.compile(r"^(?:name|description)\s*:", re.IGNORECASE | re.MULTILINE)
_BEFORE = re.compile(r"\s*(?:<!--.*-->\s*)?")
"""A line that may stand before a head: a blank one, or one comment."""
UNSEEN = "\ufeff\u200b\u200c\u200d\u2060"
MAX_CHARS = 16_384


class FrontMatterInvalid(ValueError):
    """A SKILL.md that cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Split:
    """A SKILL.md in its two parts; `head` is None where it has none. Both are as written, without the fences.

    `is_odd` says that the head stands where the format has none: between other lines than ---, or not at the top.
    """

    head: str | None
    body: str
    is_odd: bool = False


def split(text: str) -> Split:
    """Return head and body of a SKILL.md, whose line ends may be of any kind.

    Raises:
        FrontMatterInvalid: the head does not end, or is too long to be one.
    """
    lines = text.lstrip(UNSEEN).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    start = next((place for place, line in enumerate(lines) if not _BEFORE.fullmatch(line)), 0)
    if not _FENCE.fullmatch(lines[start]):
        return Split(None, "\n".join(lines).strip())
    end = _end_of(lines, start)
    is_odd = any(map(str.strip, lines[:start])) or {lines[start].rstrip(), lines[end or start].rstrip()} != {FENCE}
    if is_odd and not _FIELD.search("\n".join(lines[start + 1:end])):
        return Split(None, "\n".join(lines).strip())
    if end is None:
        raise FrontMatterInvalid(f"SKILL.md has front matter that does not end: a line {FENCE} must follow it.")
    head = "\n".join(lines[start + 1:end])
    if len(head) > MAX_CHARS:
        raise FrontMatterInvalid(f"SKILL.md has front matter longer than {MAX_CHARS} characters.")
    return Split(head, "\n".join(lines[end + 1:]).strip(), is_odd)


def _end_of(lines: list[str], start: int) -> int | None:
    """Return the line that ends a head: the next fence, or where there is none, the mark by which YAML itself ends."""
    after = range(start + 1, len(lines))
    fence = next((place for place in after if _FENCE.fullmatch(lines[place])), None)
    if fence is not None:
        return fence
    return next((place for place in after if _END_OF_YAML.fullmatch(lines[place])), None)


def body_of(text: str) -> str:
    """Return the instructions of a stored SKILL.md."""
    return split(text).body


def read(head: str) -> Head:
    """Return the fields of a head with what is odd about it; never fails."""
    return read_head(head)


def write(fields: Mapping[str, Any], body: str) -> str:
    """Return a SKILL.md with these fields and this body."""
    return f"{FENCE}\n{_dumped(fields)}{FENCE}\n\n{body.strip()}\n"


def rewrite(text: str, fields: Mapping[str, Any], body: str) -> str:
    """Return a SKILL.md with these fields and this body in place of its own; every other byte of its head stays.

    A head that is no YAML, or that has no place of its own for a field, is written anew.
    """
    found = split(text)
    head = _with_fields(found.head, fields) if found.head is not None else None
    if head is None and not fields:
        return f"{body.strip()}\n"
    if head is None:
        known = read(found.head or "").fields
        return write({**known, **fields}, body)
    return f"{FENCE}\n{head}{'' if head.endswith(chr(10)) or not head else chr(10)}{FENCE}\n\n{body.strip()}\n"


def _with_fields(head: str, fields: Mapping[str, Any]) -> str | None:
    """Return a head with some of its fields replaced, or None where that cannot be done line by line."""
    try:
        node = yaml.compose(head, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError):
        return None
    if not isinstance(node, yaml.MappingNode) or node.flow_style:
        return None
    places = [(key.value, key.start_mark.index, value.end_mark.index) for key, value in node.value]
    changed = head if head.endswith("\n") or not head else f"{head}\n"
    for name, start, end in reversed(places):
        if name in fields:
            rest = changed[end:]
            changed = changed[:start] + _dumped({name: fields[name]}).rstrip("\n") + (
                rest if rest.startswith("\n") else f"\n{rest}")
    missing = {name: value for name, value in fields.items() if name not in {place[0] for place in places} and value}
    return changed + (_dumped(missing) if missing else "")


def _dumped(fields: Mapping[str, Any]) -> str:
    return yaml.dump(dict(fields), Dumper=_PlainDumper, sort_keys=False, allow_unicode=True, default_flow_style=False,
                     width=100_000)


class _PlainDumper(yaml.SafeDumper):
    """Writes what `read` takes: no aliases, however often a value comes."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True
