"""Following streams: replay from the table, then live, each event once and in order, whatever is lost in between.

Text that is being written is told between the facts it belongs to, without a number: as far as it has come to a reader
who comes late, then piece by piece. A reader that is slow gets larger pieces.
"""

import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from uuid import UUID

from automatos.durable import queries
from automatos.durable.bus import cursor_of
from automatos.durable.types import EventBus, LiveText, Recent, StoredEvent, Subscription
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable

PAGE = 200
SILENCE_S = 15.0
RECHECK_S = 5.0
PERMISSION_S = 20.0

Permitted = Callable[[], Awaitable[bool]]


class _Reader:
    """The places of one reader in its streams."""

    def __init__(self, database: Database, workspace_id: UUID, places: dict[str, int]) -> None:
        self._database = database
        self._workspace_id = workspace_id
        self.places = places
        self.unread: set[str] = set()
        self._told: dict[LiveText, tuple[int, int]] = {}
        self._early: dict[LiveText, bool] = {}

    async def read(self, topic: str) -> list[StoredEvent]:
        """Read a page on in the table; the place moves with it. A database that is away has nothing yet."""
        try:
            async with self._database.recording(self._workspace_id) as connection:
                events = await queries.events_after(connection, self._workspace_id, topic, self.places[topic], PAGE)
        except DatabaseUnavailable:
            return []
        if len(events) == PAGE:
            self.unread.add(topic)
        if events:
            self.places[topic] = events[-1].seq
        return events

    async def begin(self, recent: Recent) -> list[StoredEvent]:
        """Read what there is of the streams: those that began here a moment ago without the table."""
        known: list[StoredEvent] = []
        must_read: set[str] = set()
        for topic, place in self.places.items():
            events = recent.find((self._workspace_id, topic))
            if events and place <= events[-1].seq:
                known += events
            else:
                must_read.add(topic)
        return await self.accept(known, must_read)

    async def accept(self, events: Sequence[StoredEvent], must_read: set[str]) -> list[StoredEvent]:
        """Sort what the bus brought: pass what follows directly, drop what was seen, read the table over a hole.

        At most a page of a stream is read at a time; `unread` names those that have more to read before any waiting.
        """
        must_read, self.unread = must_read | self.unread, set()
        passed: list[StoredEvent] = []
        for event in events:
            if event.topic in must_read or event.seq <= self.places[event.topic]:
                continue
            if event.seq == self.places[event.topic] + 1:
                self.places[event.topic] = event.seq
                passed.append(event)
            else:
                must_read.add(event.topic)
        for topic in must_read:
            passed.extend(await self.read(topic))
        return passed

    async def next(self, subscription: Subscription, topics: set[str]) -> list[StoredEvent]:
        """Return what has arrived, events and texts; looks at the table of these streams when nothing has."""
        live, must_read, _ = subscription.take()
        texts = self._early | subscription.take_texts()
        must_read |= {text.place[1] for text in texts if text.after > self.places[text.place[1]]}
        if not live and not texts and not self.unread:
            must_read = must_read or topics
        return self.weave(await self.accept(live, must_read & topics), texts)

    def weave(self, events: Sequence[StoredEvent], texts: dict[LiveText, bool]) -> list[StoredEvent]:
        """Put what is new of texts between events: after the fact that a text follows, before the one that ends it."""
        woven: list[StoredEvent] = []
        for event in events:
            for text in [each for each in texts if each.until == event.seq and each.place[1] == event.topic]:
                woven += self._more_of(text, is_late=texts.pop(text))
            woven.append(event)
        self._early = {}
        for text, is_late in texts.items():
            place = self.places[text.place[1]]
            if text.after > place:
                self._early[text] = is_late
            elif text.until is None or text.until > place:
                woven += self._more_of(text, is_late=is_late)
        self._told = {text: size for text, size in self._told.items()
                      if text.until is None or text.until > self.places[text.place[1]]}
        return woven

    def _more_of(self, text: LiveText, *, is_late: bool) -> list[StoredEvent]:
        """Return what this reader has not got of a text: all of it as a whole, where it may have some of another."""
        told, self._told[text] = self._told.get(text), text.size
        if told == text.size:
            return []
        if told is not None:
            return [text.since(told)]
        has_other = any(each.of.about == text.of.about and each.place == text.place
                        for each in self._told if each is not text)
        return [text.whole() if is_late or has_other else text.since((0, 0))]


async def follow(
    bus: EventBus, database: Database, workspace_id: UUID, topic: str, after: int,
    is_last: Callable[[StoredEvent], bool], permitted: Permitted,
) -> AsyncGenerator[str]:
    """Yield a stream as server-sent event frames until its last event; a comment now and then keeps the line open.

    `permitted` is asked again every 20 s; when it says no the stream ends.
    """
    reader = _Reader(database, workspace_id, {topic: after})
    place = (workspace_id, topic)
    async with bus.subscribe(workspace_id, [topic]) as subscription:
        events = await reader.begin(bus.recent)
        if not any(map(is_last, events)):
            bus.texts.meet(place, subscription)
        checked = spoken = time.monotonic()
        while not subscription.is_released:
            if events:
                spoken = time.monotonic()
                yield "".join(_frame(str(event.seq), event) for event in events)
                if any(map(is_last, events)):
                    return
            elif time.monotonic() - spoken > SILENCE_S:
                spoken = time.monotonic()
                yield ": still here\n\n"
            if time.monotonic() - checked > PERMISSION_S:
                checked = time.monotonic()
                if not await _is_still(permitted):
                    return
                bus.texts.want(place)
            if not reader.unread:
                await subscription.wait(RECHECK_S)
            events = await reader.next(subscription, {topic})


async def follow_many(
    bus: EventBus, database: Database, workspace_id: UUID, places: dict[str, int], hints: Sequence[str],
    permitted: Permitted,
) -> AsyncGenerator[str]:
    """Yield several streams and hints in one, for a browser that may open only a few connections.

    `places` gives the last seq seen of each stream. The frame's id is a cursor over all of them. Hint topics have no
    history: each is sent once at the start, because anything may have changed while nobody listened.
    """
    reader = _Reader(database, workspace_id, dict(places))
    async with bus.subscribe(workspace_id, [*places, *hints]) as subscription:
        events = await reader.begin(bus.recent)
        for topic in places:
            bus.texts.meet((workspace_id, topic), subscription)
        changed = set(hints)
        checked = spoken = time.monotonic()
        while not subscription.is_released:
            cursor = cursor_of(reader.places)
            frames = [_frame(cursor, event) for event in events]
            frames += [f'event: changed\ndata: {{"topic":"{topic}"}}\n\n' for topic in sorted(changed)]
            if frames or time.monotonic() - spoken > SILENCE_S:
                spoken = time.monotonic()
                yield "".join(frames) or ": still here\n\n"
            if time.monotonic() - checked > PERMISSION_S:
                checked = time.monotonic()
                if not await _is_still(permitted):
                    return
                for topic in places:
                    bus.texts.want((workspace_id, topic))
            if not reader.unread:
                await subscription.wait(RECHECK_S)
            changed = subscription.hints & set(hints)
            events = await reader.next(subscription, set(places))


async def _is_still(permitted: Permitted) -> bool:
    """Whether the reader may go on; while the database is away nobody knows, and there is nothing to read either."""
    try:
        return await permitted()
    except DatabaseUnavailable:
        return True


def _frame(cursor: str, event: StoredEvent) -> str:
    """Write an event; text that is being written has no number, so that it moves no reader's place."""
    number = f"id: {cursor}\n" if event.seq else ""
    return f"{number}event: {event.type}\ndata: {event.envelope()}\n\n"
