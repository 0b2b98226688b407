"""Writing events of a run into its log, and reading them from there or from a server of another version."""

from functools import cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from automatos.durable.types import NewEvent
from automatos.events.types import RUN_EVENTS, RunEventData
from automatos.kernel.db import dump_known


def recorded(event: RunEventData) -> NewEvent:
    """Return an event as the log keeps it; what may be missing and is not known is left out."""
    return NewEvent(event.type, dump_known(event))


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
