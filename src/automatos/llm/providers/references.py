"""References in a tool's schema, written out for providers that take none."""

from typing import Any
from urllib.parse import unquote

REFERENCES = frozenset({"$ref", "$defs", "definitions"})
OF_NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords that hold schemas by names of the author's own."""
VALUES = frozenset({"default", "examples", "const", "enum", "required"})
"""Keywords that hold values, not schemas."""
MAX_DEPTH = 32
MAX_PARTS = 2000
"""Schemas that refer to each other twice double with each step; so many parts are written out, others are told."""


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema without references: each is replaced by what it refers to.

    What refers to itself, or lies too deep, is not written out again: its type stays, and its description says in words
    what belongs there. A reference that leads nowhere leaves what stands beside it.
    """
    return _Writer(schema).write(schema, (), 0)


class _Writer:
    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root
        self._parts = 0

    def write(self, schema: Any, inside: tuple[str, ...], depth: int) -> Any:
        """Write one schema or list of them; `inside` are the references that led here."""
        if isinstance(schema, list):
            return [self.write(each, inside, depth + 1) for each in schema]  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(schema, dict):
            return schema
        self._parts += 1
        given: dict[str, Any] = schema
        reference = given.get("$ref")
        if isinstance(reference, str):
            return self._follow(given, reference, inside, depth)
        if depth > MAX_DEPTH:
            return {name: value for name, value in given.items() if name in {"type", "description", "enum"}}
        return {name: self._value(name, value, inside, depth) for name, value in given.items()
                if name not in {"$defs", "definitions"}}

    def _value(self, name: str, value: Any, inside: tuple[str, ...], depth: int) -> Any:
        if name in OF_NAMES and isinstance(value, dict):
            named: dict[str, Any] = value
            return {key: self.write(each, inside, depth + 1) for key, each in named.items()}
        return value if name in VALUES else self.write(value, inside, depth + 1)

    def _follow(self, given: dict[str, Any], reference: str, inside: tuple[str, ...], depth: int) -> Any:
        beside = {name: value for name, value in given.items() if name != "$ref"}
        target = self._target(reference)
        if target is None:
            return self.write(beside, inside, depth)
        if reference in inside or depth > MAX_DEPTH or self._parts > MAX_PARTS:
            return _told(target, reference, beside)
        return self.write(target | beside, (*inside, reference), depth + 1)

    def _target(self, reference: str) -> dict[str, Any] | None:
        """Return what a reference inside of this schema leads to; None for any other."""
        if not reference.startswith("#"):
            return None
        found: Any = self._root
        for part in reference[1:].split("/")[1:]:
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            found = found.get(key) if isinstance(found, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        is_path = reference in {"#", "#/"} or reference.startswith("#/")
        return found if is_path and isinstance(found, dict) else None  # pyright: ignore[reportUnknownVariableType]


def _told(target: dict[str, Any], reference: str, beside: dict[str, Any]) -> dict[str, Any]:
    """Say in words what is not written out."""
    name = target.get("title") or unquote(reference.rpartition("/")[2].lstrip("#")) or "whole schema"
    words = f"Of the form {name!s} again, as described above."
    described = " ".join(str(each) for each in (beside.get("description") or target.get("description"), words) if each)
    kind = {"type": target["type"]} if "type" in target else {}
    return {name: value for name, value in (kind | beside).items() if name not in REFERENCES} | {
        "description": described}
