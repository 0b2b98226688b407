"""Words of durable work: jobs, how a job ends, events."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

Encoded = str
"""JSON that is already text; events are written once and sent as they are."""


@dataclass(frozen=True)
class Job:
    """A kind of work, named `room.verb`; the key says which row it works on, and that row is all its state."""

    name: str


class Interruption(StrEnum):
    """Why a running job was told to stop before its end."""

    CANCEL = "cancel"
    SHUTDOWN = "shutdown"
    LEASE_LOST = "lease_lost"


@dataclass
class HeldJob:
    """A job in the hands of this process. A handler that has deleted its row itself sets `is_finished`."""

    name: str
    key: str
    workspace_id: UUID
    attempts: int
    is_finished: bool = False
    again_at: datetime | None = None
    interruption: Interruption | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def interrupt(self, why: Interruption) -> None:
        """Cancel the handler; the first reason given stays."""
        if self.interruption is None and self.task and not self.task.done():
            self.interruption = why
            self.task.cancel()


@dataclass(frozen=True)
class Handler:
    """What to do for a job (`drive`, callable any number of times) and with one that kills its workers (`give_up`)."""

    drive: Callable[[HeldJob], Awaitable[None]]
    give_up: Callable[[HeldJob, str], Awaitable[None]]


@dataclass(frozen=True)
class NewEvent:
    """A fact to append; `data` is JSON text."""

    type: str
    data: Encoded

    @staticmethod
    def of(type_: str, /, **data: Any) -> "NewEvent":
        """Build an event from plain values; ids and times become strings."""
        return NewEvent(type_, orjson.dumps(data, default=str).decode())


@dataclass(frozen=True)
class StoredEvent:
    """An event with its place in its stream."""

    topic: str
    seq: int
    type: str
    at: str
    data: Encoded

    def envelope(self) -> str:
        """Return the JSON that readers get: seq, topic, type, at, data."""
        return (
            f'{{"seq":{self.seq},"topic":"{self.topic}","type":"{self.type}","at":"{self.at}","data":{self.data}}}'
        )
