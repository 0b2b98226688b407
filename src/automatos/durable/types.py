"""Words of durable work: jobs, how a job ends, events."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from automatos.kernel.clock import now
from automatos.kernel.recording import dump_json

BACKLOG = 256
"""Events a slow reader may have waiting before it is sent to the table."""

Encoded = str
"""JSON that is already text; events are written once and sent as they are."""
StreamPlace = tuple[UUID, str]
"""A workspace and one of its streams."""


@dataclass(frozen=True)
class Job:
    """A kind of work, named `package.verb`; the key says which row it works on, and that row is all its state."""

    name: str


class GroupMode(StrEnum):
    """Whether jobs of a group run: open up to its capacity, held back, or let through for handlers to end them."""

    OPEN = "open"
    HELD = "held"
    CLOSED = "closed"


LEASES, TEMPORAL = "leases", "temporal"
"""How an executor gets its jobs: by its lease, or from Temporal."""
LEASES_KEPT = {LEASES: 1, TEMPORAL: 2}
"""For how many leases after the last renewal an executor has its row, and so its jobs, if nobody says that it died."""
PAUSE = "pause"
"""The word that asks a job to stop at its next good moment; unlike an interruption it cuts nothing off."""


class Interruption(StrEnum):
    """Why a running job was told to stop before its end."""

    CANCEL = "cancel"
    STOP = "stop"
    SHUTDOWN = "shutdown"
    LEASE_LOST = "lease_lost"


@dataclass
class HeldJob:
    """A job in the hands of this process. A handler that has deleted its row itself sets `is_finished`.

    `attempts` counts how often it was begun without progress, `crashes` how often a process died with it, whoever was
    to blame. `again_in` gives it back, to begin again after so long. `wants_pause` asks the handler to stop at its next
    good moment. What was `begun` when the job was accepted goes on, once, in place of its handler's `drive`.
    One that may go on as the job of what comes next says so before (`expect`), so that nothing told of it is lost, and
    then that it does (`go_to`), or that it does not (`decline`); `keeper` is told.
    """

    name: str
    key: str
    workspace_id: UUID
    attempts: int
    executor_id: UUID
    group: str = ""
    group_mode: GroupMode = GroupMode.OPEN
    crashes: int = 0
    is_finished: bool = False
    wants_pause: bool = False
    is_settling: bool = False
    expected: str | None = None
    keeper: "Keeper | None" = field(default=None, repr=False)
    begun: "Callable[[HeldJob], Awaitable[None]] | None" = field(default=None, repr=False)
    again_in: timedelta | None = None
    interruption: Interruption | None = None
    task: asyncio.Task[None] | None = field(default=None, repr=False)

    def receive(self, word: str, group: str) -> None:
        """Act on a word left for this job; one meant for the jobs of a group that it has left says nothing to it."""
        if word == Interruption.CANCEL:
            self.interrupt(Interruption.CANCEL)
        elif group == self.group and word == PAUSE:
            self.wants_pause = True
        elif group == self.group:
            self.interrupt(Interruption(word))

    def interrupt(self, why: Interruption) -> None:
        """Cancel the handler; the first reason given stays.

        A task cancelled before its first step never runs at all and could not give its job back: it is let begin first.
        """
        if self.interruption is None and self.task and not self.task.done() and not self.is_settling:
            self.interruption = why
            asyncio.get_running_loop().call_soon(self._strike)

    def expect(self, key: str) -> None:
        """Say that the job may go on under another key."""
        self.expected = key
        if self.keeper:
            self.keeper.expect(self, key)

    def decline(self) -> None:
        """Say that it does not go on."""
        if self.expected and self.keeper:
            self.keeper.forget(self, self.expected)
        self.expected = None

    def go_to(self, group: str) -> None:
        """Say that it goes on as the job that was expected, in a group; what was counted of it before is over."""
        if self.expected is None:
            raise RuntimeError("a job goes on as one that was not expected")
        before, self.key, self.expected = self.key, self.expected, None
        self.group, self.group_mode, self.wants_pause = group, GroupMode.OPEN, False
        self.attempts, self.crashes = 1, 0
        if self.keeper:
            self.keeper.passed_on(self, before)

    def go_on(self) -> None:
        """Forget an interruption that the handler has dealt with, so that it can be interrupted again."""
        self.interruption = None
        if task := asyncio.current_task():
            task.uncancel()

    def _strike(self) -> None:
        """Cancel, unless the handler ended meanwhile: giving the row back must not be cut off."""
        if self.task and not self.is_settling:
            self.task.cancel()


class Keeper(Protocol):
    """Who knows which jobs this process holds."""

    def expect(self, job: HeldJob, key: str) -> None:
        """Know a job by another key, too."""
        ...

    def forget(self, job: HeldJob, key: str) -> None:
        """Know a job by a key no longer."""
        ...

    def passed_on(self, job: HeldJob, before: str) -> None:
        """Know a job by its key; it had another one before."""
        ...


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


@dataclass(frozen=True)
class StoredEvent:
    """An event with its place in its stream; text that is being written has none, its `seq` is 0."""

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


@dataclass(frozen=True)
class TextOf:
    """What a text is: `about` names it within its stream, as members of JSON, and two types of event tell of it.

    One of type `piece` goes on where the one before ended, one of type `whole` has all there is by now.
    """

    about: str
    piece: str
    whole: str


@dataclass(eq=False)
class LiveText:
    """One text as far as it has come, reasoning apart. It follows the fact `after`; the fact `until` ends it.

    `is_told` says that readers may have seen some of it, `is_from_start` that this process knows it from its beginning,
    `sent` what other processes have of it.
    """

    place: StreamPlace
    of: TextOf
    after: int
    id: str
    is_own: bool = False
    is_told: bool = False
    is_from_start: bool = True
    until: int | None = None
    text: str = ""
    reasoning: str = ""
    sent: tuple[int, int] = (0, 0)
    _text: list[str] = field(default_factory=list[str], repr=False)
    _reasoning: list[str] = field(default_factory=list[str], repr=False)

    @property
    def size(self) -> tuple[int, int]:
        """How long the text and the reasoning are."""
        return len(self.text), len(self.reasoning)

    def take(self, more: str, *, is_reasoning: bool) -> None:
        """Take what was written; `gather` joins it to the rest, so that a long text is not copied with each word."""
        (self._reasoning if is_reasoning else self._text).append(more)

    def gather(self) -> bool:
        """Join what was taken to the rest; says whether there was any."""
        more, thought = "".join(self._text), "".join(self._reasoning)
        self._text, self._reasoning = [], []
        self.text, self.reasoning = self.text + more, self.reasoning + thought
        return bool(more or thought)

    def join(self, at: tuple[int, int], more: str, thought: str) -> bool:
        """Take a part that begins at a size; says False where something between is missing."""
        if at[0] > len(self.text) or at[1] > len(self.reasoning):
            return False
        self.text += more[len(self.text) - at[0]:]
        self.reasoning += thought[len(self.reasoning) - at[1]:]
        return True

    def reach(self, first: tuple[int, int], most: int) -> tuple[int, int]:
        """Return the size that is reached from another within so many characters, the reasoning first."""
        thought = min(len(self.reasoning), first[1] + most)
        return min(len(self.text), first[0] + most - (thought - first[1])), thought

    def since(self, told: tuple[int, int]) -> StoredEvent:
        """Return what has come since as a piece."""
        return self._told(self.of.piece, self.text[told[0]:], self.reasoning[told[1]:])

    def whole(self) -> StoredEvent:
        """Return all there is by now."""
        return self._told(self.of.whole, self.text, self.reasoning)

    def _told(self, type_: str, text: str, reasoning: str) -> StoredEvent:
        thought = f',"reasoning":{dump_json(reasoning)}' if reasoning else ""
        data = f'{{{self.of.about},"text":{dump_json(text)}{thought}}}'
        return StoredEvent(self.place[1], 0, type_, now().isoformat(), data)


class Subscription:
    """One reader's place on the bus: a bounded backlog of events, and a flag that says "read the table".

    `texts` are those that have grown since it last looked; the value says whether it came after their beginning.
    """

    def __init__(self) -> None:
        self.events: list[StoredEvent] = []
        self.hints: set[str] = set()
        self.must_read: set[str] = set()
        self.texts: dict[LiveText, bool] = {}
        self.is_released = False
        self._awake = asyncio.Event()

    async def wait(self, timeout_s: float) -> None:
        """Wait until something arrived or the time is over."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._awake.wait()
        self._awake.clear()

    def take(self) -> tuple[list[StoredEvent], set[str], set[str]]:
        """Return and forget what has arrived: events, topics to read from the table, hints."""
        taken = self.events, self.must_read, self.hints
        self.events, self.must_read, self.hints = [], set(), set()
        return taken

    def offer(self, events: Sequence[StoredEvent]) -> None:
        """Add events; a reader that does not keep up is told to read the table instead, so memory stays bounded."""
        if len(self.events) + len(events) > BACKLOG:
            self.must_read.update(event.topic for event in (*self.events, *events))
            self.events = []
        else:
            self.events.extend(events)
        self._awake.set()

    def tell(self, text: LiveText, *, is_late: bool) -> None:
        """Say that a text has grown; however much it grows meanwhile, a slow reader holds it once."""
        self.texts.setdefault(text, is_late)
        self._awake.set()

    def take_texts(self) -> dict[LiveText, bool]:
        """Return and forget which texts have grown."""
        taken, self.texts = self.texts, {}
        return taken

    def nudge(self, topic: str, *, hint: bool) -> None:
        """Say that a topic has something new."""
        (self.hints if hint else self.must_read).add(topic)
        self._awake.set()

    def release(self) -> None:
        """Tell the reader to end its stream, because this process stops."""
        self.is_released = True
        self._awake.set()


class Texts(Protocol):
    """What packages and readers need of the texts that are being written."""

    def begin(self, place: StreamPlace, of: TextOf, after: int) -> LiveText:
        """Begin a text that follows the fact `after` of its stream."""
        ...

    def add(self, text: LiveText, more: str, *, is_reasoning: bool = False) -> None:
        """Let a text grow; readers get it within a tenth of a second."""
        ...

    def end(self, text: LiveText, until: int | None, *, is_whole: bool = False) -> None:
        """Forget a text, just before the fact with the number `until` is published; without one it was given up."""
        ...

    def meet(self, place: StreamPlace, reader: Subscription) -> None:
        """Give a new reader the texts of a stream as far as they have come, and ask other processes for theirs."""
        ...

    def want(self, place: StreamPlace) -> None:
        """Ask other processes to go on sending the texts of a stream."""
        ...


class Recent(Protocol):
    """The streams that began in this process a moment ago."""

    def find(self, place: StreamPlace) -> Sequence[StoredEvent]:
        """Return a stream from its first event on; nothing where this process does not know it."""
        ...


class EventBus(Protocol):
    """What packages need of the bus: tell readers of events and lists, tell processes a word."""

    @property
    def texts(self) -> Texts:
        """The texts that are being written or read in this process."""
        ...

    @property
    def recent(self) -> Recent:
        """The streams that began in this process a moment ago."""
        ...

    def publish(self, workspace_id: UUID, events: Sequence[StoredEvent]) -> None:
        """Tell everybody about events that are stored by now."""
        ...

    def hint(self, workspace_id: UUID, topic: str) -> None:
        """Say that a list changed; readers fetch it again."""
        ...

    def send_word(self, word: str, rest: str) -> None:
        """Send a word to every process, this one too."""
        ...

    def tell_dispatcher(self, word: str, rest: str = "") -> None:
        """Send a word to the process that gives out jobs, this one or another."""
        ...

    def subscribe(self, workspace_id: UUID, topics: Sequence[str]) -> AbstractAsyncContextManager[Subscription]:
        """Hear about topics of one workspace while the block lasts."""
        ...
