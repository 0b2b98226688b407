"""YAML and JSON texts that people write, read as JSON's types only: what looks like a date or a `no` stays a text."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import yaml
from yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, DocumentStartEvent

MAX_DOCUMENTS = 100
MAX_DEPTH = 32
MAX_VALUES = 200_000
MAX_CHARS = 20_000_000
MAX_NUMBER_CHARS = 100
WHOLE = re.compile(r"-?(0|[1-9][0-9]*)")
BROKEN = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
HALF = re.compile(r"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
WORDS: dict[str, Any] = {"": None, "~": None, "null": None, "Null": None, "NULL": None, "true": True, "True": True,
                         "TRUE": True, "false": False, "False": False, "FALSE": False}
CORE = "tag:yaml.org,2002:"
PLAIN, MERGE = "!plain", "!merge"
KNOWN_TAGS = frozenset(CORE + name for name in ("str", "int", "float", "bool", "null", "seq", "map")) | {PLAIN, MERGE}


@dataclass
class DocumentInvalid(ValueError):
    """A text cannot be read; `problem` says why, line and column where, counted from 1, if it is one place."""

    problem: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.problem}" if self.line else self.problem


def read_documents(text: str, *, aliases: bool = True) -> list[Any]:
    """Return the documents of a YAML text as JSON's types; without `aliases` nothing may be repeated by name.

    Raises:
        DocumentInvalid: it is no YAML, a key is given twice, a tag asks for another type, or it is too large, also by
            what its aliases repeat.
    """
    try:
        _bound(text, aliases=aliases)
        nodes: list[yaml.Node | None] = list(yaml.compose_all(text, Loader=_Loader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise _told(error, text) from None
    reader = _Reader(aliases=aliases)
    return [reader.value(node, 1) for node in nodes if node is not None]


def read_json(text: str) -> Any:
    """Return what a JSON text holds.

    Raises:
        DocumentInvalid: it is no JSON, or a name is given twice in one object.
    """
    try:
        found = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise DocumentInvalid(error.msg, error.lineno, error.colno) from None
    except RecursionError:
        raise DocumentInvalid(f"it is nested deeper than {MAX_DEPTH} levels") from None
    # A JSON text is YAML as well, but for tabs between its parts and halves of characters: so keys' places are told.
    read_documents(HALF.sub(r"\\ufffd", text.replace("\t", " ")))
    return found


def _refuse_constant(word: str) -> Any:
    raise DocumentInvalid(f"{word} is no value of JSON")


class _Loader(yaml.CSafeLoader):
    """Tells words without quotes or tag from others; what they mean is decided by `_Reader`."""

    def resolve(self, kind: type, value: str | None, implicit: Any) -> str:
        """Return the tag of a node that has none."""
        if kind is yaml.ScalarNode and implicit[0]:
            return MERGE if value == "<<" else PLAIN
        return f"{CORE}{'str' if kind is yaml.ScalarNode else 'seq' if kind is yaml.SequenceNode else 'map'}"


def _bound(text: str, *, aliases: bool) -> None:
    """Walk over the text without building anything, and refuse what would be too much to build."""
    depth = documents = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.CSafeLoader)):
        depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
        documents += isinstance(event, DocumentStartEvent)
        if isinstance(event, AliasEvent) and not aliases:
            raise _at(event, "aliases (*name) are not taken; repeat the value")
        if depth > MAX_DEPTH:
            raise _at(event, f"it is nested deeper than {MAX_DEPTH} levels")
        if documents > MAX_DOCUMENTS or count > 2 * MAX_VALUES:
            raise DocumentInvalid(f"it holds more than {MAX_DOCUMENTS} documents or {MAX_VALUES} values")


def _at(place: Any, problem: str) -> DocumentInvalid:
    mark = place.start_mark
    return DocumentInvalid(problem, mark.line + 1, mark.column + 1)


def _told(error: Exception, text: str) -> DocumentInvalid:
    if isinstance(error, DocumentInvalid):
        return error
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    said = str(problem or "it is not YAML")[:200]
    if mark is None:
        return DocumentInvalid(said)
    if said == "second occurrence":
        said = "an anchor (&name) of this name is there already"
    if "cannot start any token" in said:
        line = "".join(text.splitlines(keepends=True)[mark.line:mark.line + 1])
        said = HINTS.get(line[mark.column:mark.column + 1], said)
    return DocumentInvalid(said, mark.line + 1, mark.column + 1)


HINTS = {
    "\t": "a tab stands where YAML indents; use spaces",
    "@": "a value that begins with @ must stand in quotes",
    "%": "a value that begins with % must stand in quotes",
    "`": "a value that begins with ` must stand in quotes",
}


class _Reader:
    """Nodes made into values, as often as aliases repeat them, under one limit for the whole text."""

    def __init__(self, *, aliases: bool) -> None:
        self._aliases = aliases
        self._values = self._chars = 0

    def value(self, node: yaml.Node, depth: int) -> Any:
        self._values += 1
        if depth > 2 * MAX_DEPTH or self._values > MAX_VALUES or self._chars > MAX_CHARS:
            raise _at(node, "its aliases repeat more than is read, or themselves")
        if node.tag not in KNOWN_TAGS:
            raise _at(node, f"the tag {node.tag[:100]!r} asks for a type that JSON does not have")
        if isinstance(node, yaml.ScalarNode):
            self._chars += len(node.value)
            return _scalar(node)
        if node.tag != f"{CORE}{'seq' if isinstance(node, yaml.SequenceNode) else 'map'}":
            raise _at(node, f"the value does not fit its tag {node.tag[:100]!r}")
        if isinstance(node, yaml.SequenceNode):
            return [self.value(part, depth + 1) for part in node.value]
        return self._mapping(node, depth)

    def _mapping(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        seen: dict[str, yaml.Node] = {}
        for key, part in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise _at(key, "a key must be text")
            if key.tag == MERGE:
                if not self._aliases:
                    raise _at(key, "the key << is not taken; write the fields out")
                merged.update(self._merged(part, depth))
                continue
            if key.value in seen:
                first = seen[key.value].start_mark
                raise _at(key, f"the key {key.value[:100]!r} is given twice, first in line {first.line + 1}, column "
                               f"{first.column + 1}")
            seen[key.value] = key
            own[key.value] = self.value(part, depth + 1)
        return {**merged, **own}

    def _merged(self, node: yaml.Node, depth: int) -> dict[str, Any]:
        parts: Iterator[yaml.Node] = iter(reversed(node.value) if isinstance(node, yaml.SequenceNode) else [node])
        found: dict[str, Any] = {}
        for part in parts:
            if not isinstance(part, yaml.MappingNode):
                raise _at(part, "<< takes a mapping, or a list of them")
            found |= self._mapping(part, depth + 1)
        return found


def _scalar(node: yaml.ScalarNode) -> Any:
    text, kind = node.value, node.tag.removeprefix(CORE)
    if kind == "str":
        return text
    found = _guessed(text)
    fits = {"null": found is None, "bool": isinstance(found, bool), "int": type(found) is int,
            "float": type(found) in {int, float}}
    if not fits.get(kind, True):
        raise _at(node, f"{text[:100]!r} is no {kind} value of JSON")
    return found


def stays_text(text: str) -> bool:
    """Whether a word without quotes is read as itself."""
    return isinstance(_guessed(text), str)


def _guessed(text: str) -> Any:
    """Return what a word means: null, a truth or a number where it is written as JSON writes one, else the word."""
    if text in WORDS:
        return WORDS[text]
    if len(text) <= MAX_NUMBER_CHARS:
        if WHOLE.fullmatch(text):
            return int(text)
        if BROKEN.fullmatch(text) and isfinite(float(text)):
            return float(text)
    return text
