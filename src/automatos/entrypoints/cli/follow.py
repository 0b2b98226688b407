"""Following a run's events: each once and in order, through lost connections and restarts of the server."""

import json
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPResponse
from typing import Any

from automatos.entrypoints.cli.client import UNREACHABLE, Client, NoServer, part, refusal
from automatos.events.service import read
from automatos.events.types import FINAL_EVENTS, RunEventData

READ_TIMEOUT_S = 40.0
"""The server speaks at least every 15 s; a line that is silent longer is dead."""
PATIENCE_S = 60.0
PAUSES_S = (0.1, 0.25, 0.5, 1.0)


@dataclass(frozen=True)
class Event:
    """One event of a run; `raw` is its JSON as the server sent it."""

    seq: int
    type: str
    at: str
    data: dict[str, Any]
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
        return read(self.type, self.data)


def follow(client: Client, run_id: str, after: int = 0) -> Generator[Event]:
    """Yield a run's events after `after` until it is over; a lost connection is taken up after the last fact.

    Raises:
        NoServer: none answered for a minute.
        SignInNeeded, Refused: the server will not show this run.
    """
    seen, tries, silent_since = after, 0, time.monotonic()
    while True:
        for event in _one_connection(client, run_id, seen):
            if event.is_fact and event.seq <= seen:
                continue
            seen, tries, silent_since = max(event.seq, seen), 0, time.monotonic()
            yield event
            if event.is_final:
                return
        if time.monotonic() - silent_since > PATIENCE_S and not _is_there(client):
            raise NoServer(client.url)
        time.sleep(PAUSES_S[min(tries, len(PAUSES_S) - 1)])
        tries += 1


def _one_connection(client: Client, run_id: str, seen: int) -> Generator[Event]:
    """Yield what one connection brings; ends when it breaks, and when the server is away or busy."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": str(seen)}
    try:
        response = client.open("GET", f"/api/runs/{part(run_id)}/events", None, headers, READ_TIMEOUT_S)
        if response.status in {429, 500, 502, 503, 504}:
            return
        if response.status != 200:
            raise refusal(response.status, _problem(response.read()))
        yield from _events(response)
    except UNREACHABLE:
        return


def _events(response: HTTPResponse) -> Generator[Event]:
    for _, raw in read_frames(response):
        frame = json.loads(raw)
        yield Event(frame["seq"], frame["type"], frame["at"], frame["data"], raw)


def read_frames(response: HTTPResponse) -> Generator[tuple[str, str]]:
    """Yield the name and the data of each server-sent event, until the connection ends."""
    name, data = "", list[str]()
    while line := response.readline():
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        field, _, value = text.partition(":")
        if field == "data":
            data.append(value.removeprefix(" "))
        elif field == "event":
            name = value.strip()
        elif not text and data:
            yield name, "\n".join(data)
            name, data = "", []


def _is_there(client: Client) -> bool:
    try:
        client.open("GET", "/health", None, {}, 5.0).read()
    except UNREACHABLE:
        return False
    return True


def _problem(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")
