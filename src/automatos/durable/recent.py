"""The beginnings of streams that began in this process a moment ago: who follows one at once need not ask the table."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

from automatos.durable.types import StoredEvent, StreamPlace

KEPT_S = 30.0
MOST_STREAMS = 256
MOST_BYTES = 32 * 1024


class RecentStreams:
    """Keeps what was stored of a stream from its first event on, as long as all of it was stored by this process.

    What is found is true whatever happens elsewhere, because stored events never change; it may be no longer all. So a
    stream is forgotten when somebody else writes to it, when it has grown beyond MOST_BYTES, and after KEPT_S.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: OrderedDict[StreamPlace, tuple[float, list[StoredEvent]]] = OrderedDict()

    def note(self, place: StreamPlace, events: Sequence[StoredEvent]) -> None:
        """Take events that are stored by now; only a stream's first ones, and those that follow what is kept, stay."""
        if events[0].seq == 1:
            self._kept[place] = self._clock() + KEPT_S, list(events)
            while len(self._kept) > MOST_STREAMS:
                self._kept.popitem(last=False)
        elif kept := self._kept.get(place):
            kept[1].extend(events)
            if events[0].seq != kept[1][-len(events) - 1].seq + 1 or _size(kept[1]) > MOST_BYTES:
                del self._kept[place]

    def find(self, place: StreamPlace) -> Sequence[StoredEvent]:
        """Return a stream from its first event on; nothing where this process does not know it."""
        until, events = self._kept.get(place, (0.0, []))
        if events and until <= self._clock():
            self.forget(place)
            return []
        return events

    def forget(self, place: StreamPlace) -> None:
        """Keep a stream no longer: somebody else has written to it."""
        self._kept.pop(place, None)

    def forget_all(self) -> None:
        """Keep nothing: others may have written without this process hearing of it."""
        self._kept.clear()


def _size(events: Sequence[StoredEvent]) -> int:
    return sum(len(event.data) for event in events)
