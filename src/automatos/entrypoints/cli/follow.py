"""Following a run's events: each once and in order, through lost connections and restarts of the server."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from automatos.entrypoints.cli.client import Client
from automatos.events.service import read
from automatos.events.types import FINAL_EVENTS, RunEventData


@dataclass(frozen=True)
class Event:
    """One event of a run; `raw` is its JSON as the server sent it."""

    seq: int
    type: str
    at: str
    data: Mapping[str, Any]
    raw: str = field(repr=False)

    @property
    def is_fact(self) -> bool:
        """Whether it is in the log; the others tell of an answer that is being written."""
        return self.seq > 0

    @property
    def is_final(self) -> bool:
        """Whether the run is over with it."""
        return self.type in FINAL_EVENTS

    @cached_property
    def told(self) -> RunEventData | None:
        """What it tells; None where only a newer version of this command knows that."""
        return read(self.type, dict(self.data))


def follow(client: Client, run_id: str, after: int = 0) -> Generator[Event]:
    """Yield a run's events after `after` until it is over; a lost connection is taken up after the last fact.

    Raises:
        NoServer: none answered for a minute.
        SignInNeeded, Refused: the server will not show this run.
    """
    with client.as_failures():
        for event in client.official.follow(run_id, after=after):
            yield Event(event.seq, event.type, event.at, event.data, event.text)
