"""Spans of traces as OpenTelemetry has them, without its library: where they stand, and which one a request has.

The ids of a run's spans are made of the run's own id and the place in it, so that processes which never met, one of
them killed, write into one trace.
"""

import hashlib
import re
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

TRACEPARENT: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
Attribute = str | bool | int | float | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpanPlace:
    """Where a span stands: its trace, its own id, and whether the trace is kept."""

    trace_id: int
    span_id: int
    is_sampled: bool = True

    @property
    def traceparent(self) -> str:
        """The place as the W3C's header has it."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{self.is_sampled:02x}"


def read_traceparent(text: str) -> SpanPlace | None:
    """Return the place that a `traceparent` header names; None where it is not one. Later versions may hold more."""
    found = TRACEPARENT.fullmatch(text.strip())
    if found is None or found[1] == "ff" or (found[1] == "00" and found[5]):
        return None
    place = SpanPlace(int(found[2], 16), int(found[3], 16), bool(int(found[4], 16) & 1))
    return place if place.trace_id and place.span_id else None


def trace_id_of(run_id: UUID) -> int:
    """Return the trace of a run that nobody's trace asked for; its bits are spread evenly, as samplers expect."""
    return int.from_bytes(hashlib.sha256(b"trace" + run_id.bytes).digest()[:16]) or 1


def span_id_of(run_id: UUID, place: str) -> int:
    """Return the id of the span at a place of a run."""
    return int.from_bytes(hashlib.sha256(run_id.bytes + place.encode()).digest()[:8]) or 1


class SpanKind(StrEnum):
    """Which side of a call a span is."""

    INTERNAL = "INTERNAL"
    SERVER = "SERVER"
    CLIENT = "CLIENT"


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened during a span; `at_ns` counts nanoseconds since 1970, as all times of spans do."""

    name: str
    at_ns: int
    attributes: Mapping[str, Attribute]


@dataclass(frozen=True, slots=True)
class Span:
    """A span that is over; `error` is the stable name of what went wrong."""

    name: str
    place: SpanPlace
    parent: SpanPlace | None
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Attribute]
    kind: SpanKind = SpanKind.INTERNAL
    error: str | None = None
    moments: tuple[Moment, ...] = field(default=())


class Tracer(Protocol):
    """Takes spans that are over and sends them away; nothing it is asked waits or fails."""

    def is_sampled(self, name: str, trace_id: int, parent: SpanPlace | None) -> bool:
        """Say whether a trace is kept."""
        ...

    def end(self, span: Span) -> None:
        """Take a span; one too many is counted and dropped."""
        ...


_current: ContextVar[SpanPlace | None] = ContextVar("automatos_span", default=None)


def current_traceparent() -> str | None:
    """Return the place of the request that is answered, for what goes on after it; None where nothing is traced."""
    place = _current.get()
    return place.traceparent if place else None


class Within:
    """Makes a place that of the request that is answered, while the block lasts."""

    def __init__(self, place: SpanPlace) -> None:
        self._place = place

    def __enter__(self) -> None:
        """Begin."""
        self._token = _current.set(self._place)

    def __exit__(self, *_: object) -> None:
        """End."""
        _current.reset(self._token)
