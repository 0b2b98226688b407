"""Writing events of a run into its log, and reading them from there or from a server of another version."""

from dataclasses import fields
from functools import cache
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from automatos.durable.types import NewEvent
from automatos.events.types import RUN_EVENTS, RunEventData


def recorded(event: RunEventData) -> NewEvent:
    """Return an event as the log keeps it; what may be missing and is not known is left out."""
    missing = [name for name in _may_be_missing(type(event)) if getattr(event, name) is None]
    if not missing:
        return NewEvent(event.type, orjson.dumps(event).decode())
    held = {each.name: getattr(event, each.name) for each in fields(event) if each.name not in missing}
    return NewEvent(event.type, orjson.dumps(held).decode())


@cache
def _may_be_missing(kind: type[RunEventData]) -> tuple[str, ...]:
    return tuple(each.name for each in fields(kind) if each.default is None)


def read(type_: str, data: dict[str, Any]) -> RunEventData | None:
    """Return the event of a type; None where this version knows neither the type nor what it holds."""
    if type_ not in RUN_EVENTS:
        return None
    try:
        return _reader(type_).validate_python(data)
    except ValidationError:
        return None


@cache
def _reader(type_: str) -> TypeAdapter[RunEventData]:
    return TypeAdapter(RUN_EVENTS[type_])
