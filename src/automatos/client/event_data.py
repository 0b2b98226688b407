"""Data of events, read out of JSON without a library: typed for who programs, quick to load for who types commands."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self

Parts = Mapping[str, "type[EventData]"]
"""Fields that are made of fields themselves, one or a list of them."""


class EventData:
    """What one event holds; a field that its JSON lacks has the default of its class, others' fields are left out."""

    parts: ClassVar[Parts] = {}

    def __init__(self, data: Mapping[str, Any]) -> None:
        for name in fields_of(type(self)):
            value = data[name] if name in data else vars_of(type(self))[name]
            part = self.parts.get(name)
            setattr(self, name, value if part is None else _made(part, value))

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Self | None:
        """Return what the data holds; None where it lacks a field that has no default, as only newer servers would."""
        try:
            return cls(data)
        except (KeyError, TypeError):
            return None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in vars(self).items())})"


@cache
def fields_of(kind: type[EventData]) -> tuple[str, ...]:
    """Return the names of a class's fields, those that it shares with others first."""
    return tuple(name for each in reversed(kind.__mro__[:-2]) for name in vars(each).get("__annotations__", {})
                 if name not in OURS)


@cache
def vars_of(kind: type[EventData]) -> dict[str, Any]:
    """Return what a class and those above it give their fields as defaults."""
    return {name: value for each in reversed(kind.__mro__) for name, value in vars(each).items()}


OURS = frozenset({"type", "parts"})


def _made(part: type[EventData], value: Any) -> Any:
    if isinstance(value, list):
        return [part(each) for each in value]
    return None if value is None else part(value)
