"""The bus: tells the readers of streams that something is there. Events are stored first; this is only the wake-up.

Inside the process events are handed over as they are, text that is being written as it grows. Other processes hear over
PostgreSQL's NOTIFY, sent in batches from short transactions of their own, and read the table. With Redis events are
published there too, for others to read; no process of ours listens to it.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, defaultdict
from collections.abc import AsyncGenerator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from contextvars import Context
from uuid import UUID

import asyncpg
import orjson
import structlog

from automatos.durable import queries
from automatos.durable.redis_link import RedisLink
from automatos.durable.texts import WORD_TEXT, WORD_WANTED, Carrier, LiveTexts
from automatos.durable.types import LiveText, StoredEvent, StreamPlace, Subscription
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable

log = structlog.get_logger("automatos.durable")
GONE = (DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError, OSError, TimeoutError)
"""What a connection of our own raises, and what those of the pools do."""
CHANNEL = "automatos"
WORD_HELLO = "hello"
"""What a process says that listens from now on."""
WORD_DISPATCHER = "dispatcher"
"""Who gives out jobs; without a name, that nobody does any more."""
WORD_WORKER = "worker"
"""For the dispatcher: a process can be given jobs, or no longer."""
BATCH_S = 0.01
TOLD_AFTER_S = 0.1
NOTIFY_BYTES = 7_500
RECONNECT_S = 1.0
PROBE_EVERY_S = 10.0
PROBE_TIMEOUT_S = 5.0
"""A connection that only listens says nothing for hours, and nobody notices that it leads nowhere any more."""

KEPT_S = 30.0
MOST_STREAMS = 256
MOST_BYTES = 32 * 1024


class Bus:
    """This process's end of the bus. Topics are scoped by workspace: nothing crosses."""

    def __init__(self, database: Database, lease: WorkerLease, redis_url: str | None = None) -> None:
        self._database = database
        self._lease = lease
        self._redis_url = redis_url
        self._readers: dict[tuple[UUID, str], set[Subscription]] = defaultdict(set)
        self._outgoing: dict[str, dict[str, None]] = defaultdict(dict)
        self.recent = RecentStreams()
        self.texts = LiveTexts(lease, Carrier(self._readers_of, self._tell_others, self._send_to, self._show))
        self._listeners: dict[str, Callable[[str], None]] = {
            WORD_TEXT: self.texts.on_text, WORD_WANTED: self.texts.on_wanted,
            WORD_HELLO: lambda _: self.texts.want_all()}
        self._reconnect = asyncio.Event()
        lease.on_lost(self._reconnect.set)
        self.on_word(WORD_DISPATCHER, lease.on_dispatcher)
        self._flush_soon = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._on_recorded: list[Callable[[UUID, Sequence[StoredEvent]], None]] = []
        self._recorded: list[tuple[UUID, Sequence[StoredEvent]]] = []
        self._redis: RedisLink | None = None
        self._deaf_since: float | None = time.monotonic()

    async def start(self) -> None:
        """Begin listening and sending."""
        if self._redis_url:
            self._redis = RedisLink(self._redis_url)
        self._tasks = [
            asyncio.create_task(self._listen(), name="durable.listen"),
            asyncio.create_task(self._send(), name="durable.send"),
        ]

    async def stop(self) -> None:
        """Stop listening; readers simply hear nothing more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._redis:
            await self._redis.close()

    @asynccontextmanager
    async def subscribe(self, workspace_id: UUID, topics: Sequence[str]) -> AsyncGenerator[Subscription]:
        """Hear about topics of one workspace while the block lasts."""
        subscription = Subscription()
        for topic in topics:
            self._readers[workspace_id, topic].add(subscription)
        try:
            yield subscription
        finally:
            for topic in topics:
                self._leave(workspace_id, topic, subscription)

    @property
    def is_listening(self) -> bool:
        """Whether other processes' words arrive here; while they do not, this one finds all by looking, a bit later."""
        return self._deaf_since is None

    @property
    def deaf_s(self) -> float:
        """For how many seconds this process has not been listening."""
        return 0.0 if self._deaf_since is None else time.monotonic() - self._deaf_since

    def release_readers(self) -> None:
        """End every reader's stream in this process; they come back to another, or to this one when it is up again."""
        for reader in {reader for readers in self._readers.values() for reader in readers}:
            reader.release()

    def publish(self, workspace_id: UUID, events: Sequence[StoredEvent]) -> None:
        """Tell everybody about events that are stored by now."""
        if not events:
            return
        if self._on_recorded:
            if not self._recorded:
                asyncio.get_running_loop().call_later(TOLD_AFTER_S, self.tell_recorded, context=Context())
            self._recorded.append((workspace_id, events))
        topic = events[0].topic
        self.recent.note((workspace_id, topic), events)
        for reader in self._readers.get((workspace_id, topic), ()):
            reader.offer(events)
        if self._redis:
            self._redis.publish(workspace_id, events)
        self._tell_others(f"e {workspace_id} {topic}")

    def hint(self, workspace_id: UUID, topic: str) -> None:
        """Say that a list changed; readers fetch it again."""
        for reader in self._readers.get((workspace_id, topic), ()):
            reader.nudge(topic, hint=True)
        self._tell_others(f"h {workspace_id} {topic}")

    def on_recorded(self, callback: Callable[[UUID, Sequence[StoredEvent]], None]) -> None:
        """Call `callback(workspace_id, events)` with what this process, and no other, has recorded, a moment later."""
        self._on_recorded.append(callback)

    def forget_recorded(self, callback: Callable[[UUID, Sequence[StoredEvent]], None]) -> None:
        """Call it no more."""
        self._on_recorded.remove(callback)

    def tell_recorded(self) -> None:
        """Tell now what was recorded, and not told yet."""
        recorded, self._recorded = self._recorded, []
        for workspace_id, events in recorded:
            for callback in self._on_recorded:
                callback(workspace_id, events)

    def on_word(self, word: str, callback: Callable[[str], None]) -> None:
        """Call `callback(rest)` when a process sends `word rest`."""
        self._listeners[word] = callback

    def tell_dispatcher(self, word: str, rest: str = "") -> None:
        """Send a word to the process that gives out jobs; where none does, the next one begins by reading all rows."""
        to = self._lease.dispatcher_id
        if to == self._lease.id:
            if callback := self._listeners.get(word):
                callback(rest)
        elif to:
            self._queue(own_channel(to), f"{word} {rest}")

    def send_word(self, word: str, rest: str) -> None:
        """Send a word to every process, this one too."""
        if callback := self._listeners.get(word):
            callback(rest)
        self._tell_others(f"{word} {rest}")

    def _leave(self, workspace_id: UUID, topic: str, subscription: Subscription) -> None:
        readers = self._readers[workspace_id, topic]
        readers.discard(subscription)
        if not readers:
            del self._readers[workspace_id, topic]
            self.texts.leave((workspace_id, topic))

    def _readers_of(self, place: StreamPlace) -> Collection[Subscription]:
        return self._readers.get(place, ())

    def _send_to(self, process: UUID, message: str) -> None:
        self._queue(own_channel(process), message)

    def _show(self, text: LiveText, told: tuple[int, int]) -> None:
        if self._redis:
            self._redis.publish(text.place[0], [text.since(told)])

    def _tell_others(self, message: str) -> None:
        if self._lease.others:
            self._queue(CHANNEL, message)

    def _queue(self, channel: str, message: str) -> None:
        self._outgoing[channel][message] = None
        self._flush_soon.set()

    async def _send(self) -> None:
        while True:
            await self._flush_soon.wait()
            self._flush_soon.clear()
            outgoing, self._outgoing = self._outgoing, defaultdict(dict)
            try:
                for channel, messages in outgoing.items():
                    await self._notify(channel, list(messages))
            except GONE as error:
                log.warning("durable.wake_up_not_sent", error=str(error) or type(error).__name__)
            await asyncio.sleep(BATCH_S)  # the first goes at once, those that follow are gathered

    async def _notify(self, channel: str, messages: list[str]) -> None:
        sender = str(self._lease.id)
        batch: list[str] = [sender]
        for message in [*messages, None]:
            if message is None or sum(map(len, batch)) + len(batch) + len(message) > NOTIFY_BYTES:
                payload = "\n".join(batch)
                async with self._database.recording(None) as connection:
                    await queries.notify(connection, channel, payload)
                batch = [sender]
            if message is not None:
                batch.append(message)

    async def _listen(self) -> None:
        if not self._database.can_listen:
            log.warning("durable.not_listening", reason="the pooler gives each transaction another backend; give "
                        "AUTOMATOS_DATABASE_DIRECT_URL, or other processes' news come only once in a few seconds")
            return
        while True:
            try:
                await self._listen_once()
            except GONE as error:
                log.warning("durable.listening_again", error=str(error) or type(error).__name__)
            await asyncio.sleep(RECONNECT_S)

    async def _listen_once(self) -> None:
        gone = self._reconnect
        gone.clear()
        connection = await self._database.connect()
        try:
            connection.add_termination_listener(lambda _connection: gone.set())  # pyright: ignore[reportUnknownLambdaType]
            executor_id = self._lease.id
            await queries.hold_own_lock(connection, executor_id)
            await connection.add_listener(CHANNEL, self._on_notice)
            await connection.add_listener(own_channel(executor_id), self._on_notice)
            await self._lease.note_listening()
            self.tell_dispatcher(WORD_WORKER)
            await self._notify(CHANNEL, [WORD_HELLO])
            self._everybody_reads()
            self._deaf_since = None
            while not await _happens(gone, PROBE_EVERY_S):
                if not await queries.listens(connection, CHANNEL, PROBE_TIMEOUT_S):
                    raise ConnectionError("the backend of the listening connection does not listen")
        finally:
            self._deaf_since = time.monotonic()
            connection.terminate()

    def _on_notice(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self._receive(str(payload))

    def _receive(self, payload: str) -> None:
        sender, *messages = payload.split("\n")
        if sender == str(self._lease.id):
            return
        self._lease.others = max(self._lease.others, 1)
        for message in messages:
            word, _, rest = message.partition(" ")
            if word in {"e", "h"}:
                workspace, _, topic = rest.partition(" ")
                place = (UUID(workspace), topic)
                self.recent.forget(place)
                for reader in self._readers.get(place, ()):
                    reader.nudge(topic, hint=word == "h")
            elif callback := self._listeners.get(word):
                callback(rest)

    def _everybody_reads(self) -> None:
        """After a (re)connect something may have been missed: every reader looks at the table."""
        self.recent.forget_all()
        for (_, topic), readers in self._readers.items():
            for reader in readers:
                reader.nudge(topic, hint=":" not in topic)
        self.texts.want_all()


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


def own_channel(executor_id: UUID) -> str:
    """Return the name of the channel that one process listens to."""
    return f"{CHANNEL}_{executor_id.hex}"


async def _happens(event: asyncio.Event, within_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            await event.wait()
    return event.is_set()


def cursor_of(places: dict[str, int]) -> str:
    """Write a multiplexed reader's place in each of its streams as one opaque word."""
    return orjson.dumps(places).hex()


def places_of(cursor: str) -> dict[str, int]:
    """Read a cursor back; anything malformed is the beginning."""
    try:
        found = orjson.loads(bytes.fromhex(cursor))
    except ValueError:
        return {}
    if not isinstance(found, dict):
        return {}
    return {str(topic): seq for topic, seq in found.items() if type(seq) is int and 0 <= seq < 2**31}
