"""What a log holds, judged by the models of events: no other type, no other field, no value of another kind."""

from collections.abc import Iterable
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from automatos.events.types import RUN_EVENTS

READERS = {type_: TypeAdapter[Any](kind) for type_, kind in RUN_EVENTS.items()}


def faults(events: Iterable[tuple[str, bytes | str]]) -> list[str]:
    """Return what is wrong with events (type and data as JSON), each said in a line; nothing is converted."""
    found: list[str] = []
    for type_, data in events:
        if type_ not in READERS:
            found.append(f"{type_} is no type of event")
            continue
        try:
            READERS[type_].validate_json(data, strict=True, extra="forbid")
        except ValidationError as error:
            found += [f"{type_}.{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
    return found


def require_known(type_: str, data: dict[str, Any]) -> None:
    """Fail unless an event that arrived is as its model says."""
    assert faults([(type_, orjson.dumps(data))]) == []
