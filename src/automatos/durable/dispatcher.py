"""The dispatcher: one process of all gives waiting jobs to workers with room, out of its memory.

Whoever works bids for the office. It is held as long as its process is there: lease, and the connection by which it
listens. The epoch of the office fences late grants off. PostgreSQL checks each grant against the rows, which are the
truth, and what the memory had wrong is read again.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog

from automatos.durable import queries
from automatos.durable.bus import CHANNEL, WORD_DISPATCHER, WORD_WORKER, Bus
from automatos.durable.delivery import Delivery
from automatos.durable.timers import Timers
from automatos.durable.types import GroupMode
from automatos.durable.waiting import HeldPlace, JobId, Taker, WaitingJob, WaitingSet, as_one
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable

log = structlog.get_logger("automatos.durable")
LOOK_EVERY_S = 1.0
"""How often the dispatcher looks for news that nobody told."""
RECOUNT_EVERY_S = 5.0
"""How often it compares what it thinks is held with the rows, while something waits."""
TIMERS_WITHIN = timedelta(seconds=10)
"""Timers that are due later stay in the database."""
AGAIN_AFTER_S = 0.1
"""How soon a refused grant is looked into."""
SILENT_AFTER_S = 1.0
"""How long a worker may take to say that it has begun; then it gets nothing more until it does."""
MOST_AT_ONCE = 32
BUSY_S = 0.02
WORD_JOBS = "jobs"
WORD_ENDED = "ended"
WORD_PASSED = "passed"
WORD_BEGUN = "begun"


class OfficeLost(Exception):
    """Another process gives out jobs by now."""


class Dispatcher:
    """This process's candidate for the office, and what it does while it holds it.

    The delivery gets the jobs that are granted to this process; `doubt` is called where it may have missed some. A
    worker tells what it does by `ended`, `passed_on` and `begun`.
    """

    def __init__(
        self, database: Database, lease: WorkerLease, bus: Bus, delivery: Delivery, doubt: Callable[[], None]
    ) -> None:
        self._database = database
        self._lease = lease
        self._bus = bus
        self._delivery = delivery
        self._doubt = doubt
        self.waiting = WaitingSet()
        self._epoch: int | None = None
        self._seen = ""
        self._told = self._asked = self._known = 0
        self._timers = Timers()
        self._refused, self._ended = set[JobId](), set[JobId]()
        self._awaited: dict[str, tuple[int, float]] = {}
        self._timers_until: datetime | None = None
        self._news_at = self._look_again_at = self._recount_at = self._takers_at = 0.0
        self._must_read_all = True
        self._wake, self._bid_soon = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        lease.on_vacancy(self._bid_soon.set)
        lease.on_lost(self._leave)
        bus.on_word(WORD_JOBS, self._on_news)
        bus.on_word(WORD_ENDED, self._on_ended)
        bus.on_word(WORD_PASSED, self._on_passed)
        bus.on_word(WORD_BEGUN, self._on_begun)
        bus.on_word(WORD_WORKER, self._on_worker)

    @property
    def is_leading(self) -> bool:
        """Whether this process gives out jobs."""
        return self._epoch is not None

    async def start(self) -> None:
        """Bid for the office from now on."""
        self._task = asyncio.create_task(self._serve(), name="durable.dispatch")

    async def stop(self) -> None:
        """Leave the office to others."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        if self._epoch is None:
            return
        self._epoch = None
        with contextlib.suppress(DatabaseUnavailable):  # who bids next finds that this process is gone
            async with self._database.recording(None) as connection:
                await queries.resign(connection, self._lease.id)
                await queries.notify(connection, CHANNEL, f"{self._lease.id}\n{WORD_DISPATCHER} ")

    def reserve(self, name: str, key: str, workspace_id: UUID, group: str) -> int | None:
        """Keep a place here for a job about to be stored as held; returns the epoch, None where others come first."""
        if self._epoch is None or self._delivery.is_shared or self._database.full_since is not None:
            return None
        if not self.waiting.may_begin(name, group, self._told - self._known):
            return None
        self.began(name, key, workspace_id, group)
        return self._epoch

    def began(self, name: str, key: str, workspace_id: UUID, group: str) -> None:
        """Say that this process holds a job that nobody gave it."""
        if self._epoch is not None:
            self.waiting.hold((name, key), HeldPlace(self._lease.id, workspace_id, group))

    def ended(self, name: str, key: str) -> None:
        """Say that this process holds a job no longer."""
        self._tell(WORD_ENDED, f"{name} {key}", self._on_ended)

    def passed_on(self, name: str, before: str, key: str, group: str) -> None:
        """Say that a job of this process goes on under another key, in a group."""
        self._tell(WORD_PASSED, f"{name} {group or '-'} {before} {key}", self._on_passed)

    def begun(self, number: int) -> None:
        """Say that this process has begun what it was granted up to a number."""
        self._tell(WORD_BEGUN, f"{self._lease.id} {number}", self._on_begun)

    def _tell(self, word: str, rest: str, receive: Callable[[str], None]) -> None:
        if self._epoch is not None:
            receive(rest)
        else:
            self._bus.tell_dispatcher(word, rest)

    async def _serve(self) -> None:
        while True:
            pause_s = 0.5
            try:
                await self._hold_office()
                pause_s = 0.0
            except DatabaseUnavailable as error:
                log.warning("durable.dispatch_failed", error=str(error) or type(error).__name__)
            except OfficeLost:
                log.warning("durable.office_lost", executor_id=str(self._lease.id))
            except Exception:
                log.exception("durable.dispatch_failed")
                pause_s = 1.0
            self._doubt()  # a grant may be stored whose answer was lost, and nobody here has heard of it
            self._epoch = None
            await asyncio.sleep(pause_s)

    async def _hold_office(self) -> None:
        self._bid_soon.clear()
        async with self._database.recording(None) as connection:
            epoch = await queries.bid(connection, self._lease.id)
        if epoch is None:
            await self._bid_soon.wait()
            return
        log.info("durable.dispatching", executor_id=str(self._lease.id), epoch=epoch)
        self._lease.dispatcher_id = self._lease.id
        self._bus.send_word(WORD_DISPATCHER, str(self._lease.id))
        self._epoch = epoch
        await self._read_all()
        while True:
            await self._read()
            await self._give_away()
            await self._sleep()

    def _leave(self) -> None:
        """The lease is lost, and the office with it."""
        self._epoch = None
        self._wake.set()
        self._bid_soon.set()

    # Reading

    async def _read_all(self) -> None:
        """Begin anew with what the rows say."""
        self.waiting = WaitingSet()
        self._timers.clear()
        self._refused.clear()
        self._awaited.clear()
        self._asked = self._told
        async with self._database.recording(None) as connection:
            self._seen = await queries.snapshot(connection)
            await self._read_takers(connection)
            await self._recount(connection)
            self._timers_until = now() + TIMERS_WITHIN
            async with connection.transaction():
                async for row in queries.waiting_jobs(connection, list(self.waiting.kinds), self._timers_until):
                    self._note(row)
        self._known, self._must_read_all = self._asked, False
        self._news_at = _moment() + LOOK_EVERY_S

    async def _read_takers(self, connection: asyncpg.Connection) -> None:
        before = self.waiting.kinds
        self._takers_at = _moment() + RECOUNT_EVERY_S
        rows = await queries.takers(connection, self._lease.id, self._lease.delivery)
        takers = [
            Taker(row["id"], row["places"], frozenset(row["kinds"]), row["id"] == self._lease.id) for row in rows]
        self.waiting.set_takers(as_one(self._lease.id, takers) if self._delivery.is_shared else takers)
        if self.waiting.kinds - before:
            self._must_read_all = True  # what nobody could do may be waiting since long ago

    async def _recount(self, connection: asyncpg.Connection) -> None:
        self._ended.clear()
        self._recount_at = _moment() + (RECOUNT_EVERY_S if self._database.can_listen else LOOK_EVERY_S)
        rows = await queries.held_jobs(connection)
        held = {(row["name"], row["key"]): HeldPlace(
            self._lease.id if self._delivery.is_shared else row["executor_id"], row["workspace_id"], row["lane"],
            row["crashes"]) for row in rows}
        for job_id in self._ended:
            held.pop(job_id, None)
        self.waiting.recount(held.items())

    async def _read_news(self, connection: asyncpg.Connection) -> None:
        """Read what changed; where that is all there is to do, it begins in this process within the same round trip."""
        self._asked = self._told
        self._news_at = _moment() + LOOK_EVERY_S
        kinds, room, holder = list(self.waiting.kinds), min(self.waiting.local_room, MOST_AT_ONCE), self._lease.id
        if room > 0 and self._epoch is not None and await self._database.has_room():
            rows = await queries.changes_granted(connection, self._epoch, holder, kinds, self._seen, room)
        else:
            rows = await queries.changes(connection, kinds, self._seen)
        if rows[0]["epoch"] != self._epoch or holder != self._lease.id:
            raise OfficeLost  # reaped before the answer came: what was given is freed, or will be
        self._seen = rows[0]["seen"]
        for row in rows:
            if row.get("number") is not None:
                self.waiting.hold((row["name"], row["key"]),
                               HeldPlace(self._lease.id, row["workspace_id"], row["lane"], row["crashes"]))
            elif row["key"] is not None:
                self._note(row)
            elif row["lane"] is not None:
                self.waiting.set_group(row["lane"], row["capacity"], GroupMode(row["mode"]))
        self._known = self._asked
        self._delivery.deliver([row for row in rows if row.get("number") is not None])

    async def _read_timers(self, connection: asyncpg.Connection) -> None:
        """Read the next stretch of parked jobs; what is parked into one already read comes as news."""
        until = now() + TIMERS_WITHIN
        if self._timers_until and until - self._timers_until > TIMERS_WITHIN / 2:
            for row in await queries.due_soon(connection, list(self.waiting.kinds), self._timers_until, until):
                self._note(row)
            self._timers_until = until

    async def _look_into_refusals(self, connection: asyncpg.Connection) -> None:
        """Read again what PostgreSQL did not grant, whom it could have been granted to, and what is held."""
        refused, self._refused = self._refused, set()
        names, keys = zip(*refused, strict=True)
        await self._read_takers(connection)
        await self._recount(connection)
        for row in await queries.jobs_named(connection, names, keys):
            self._note(row)

    def _note(self, row: asyncpg.Record) -> None:
        """Take up a job that waits: at once, when it is due, or not yet."""
        job_id = row["name"], row["key"]
        self._timers.forget(job_id)
        if row["run_at"] <= now():
            self.waiting.add(
                WaitingJob(row["name"], row["key"], row["workspace_id"], row["lane"], row["priority"],
                           row["run_at"].timestamp(), row["crashes"]),
                row["capacity"], GroupMode(row["mode"] or GroupMode.OPEN))
            return
        self.waiting.let_go(job_id)
        self.waiting.forget(job_id)
        if not row["is_parked"] or self._timers_until is None or row["run_at"] <= self._timers_until:
            self._timers.add(job_id, row)

    # Granting

    async def _read(self) -> None:
        """Take up what is new; one step of the office."""
        moment = _moment()
        is_time_for = (
            self._told > self._asked or moment >= self._news_at, moment >= self._takers_at, bool(self._refused) and
            moment >= self._look_again_at, bool(self.waiting.jobs) and moment >= self._recount_at)
        if any(is_time_for):
            await self._let_requests_go_first()
            has_news, has_takers, has_refusals, has_doubt = is_time_for
            async with self._database.recording(None) as connection:
                if has_news:
                    await self._read_news(connection)
                    await self._read_timers(connection)
                if has_takers:
                    await self._read_takers(connection)
                if has_refusals:
                    await self._look_into_refusals(connection)
                elif has_doubt:
                    await self._recount(connection)
        if self._must_read_all:
            await self._read_all()
        for row in self._timers.take_due(now().timestamp()):
            self._note(row)

    async def _give_away(self) -> None:
        """Give what waits to workers with room, as far as it goes."""
        self._silence()
        while self.waiting.jobs and self.waiting.has_free_places:
            await self._let_requests_go_first()
            if not await self._database.has_room():
                return  # what could not be recorded would be done, and paid for, again
            picked = self.waiting.pick(MOST_AT_ONCE)
            if not picked:
                return
            await self._grant(picked)

    async def _grant(self, picked: list[tuple[WaitingJob, Taker]]) -> None:
        if self._epoch is None:
            raise OfficeLost
        async with self._database.recording(None) as connection:
            rows = await queries.grant_jobs(
                connection, self._epoch, self._lease.id,
                [(job.name, job.key, job.group, taker.id) for job, taker in picked])
        granted = {(row["name"], row["key"]) for row in rows}
        self._delivery.deliver([row for row in rows if row["holder"] == self._lease.id])
        for row in rows:
            if row["holder"] != self._lease.id or self._delivery.is_shared:
                self._awaited.setdefault(str(row["holder"]), (row["number"], _moment() + SILENT_AFTER_S))
        refused = [(job, taker) for job, taker in picked if job.id not in granted]
        for job, _ in refused:
            self.waiting.let_go(job.id)
            self._refused.add(job.id)
            if job.group:
                self.waiting.doubt(job.group)
        if refused:
            self._look_again_at = _moment() + AGAIN_AFTER_S

    def _silence(self) -> None:
        """Give nothing to workers that were given something and have not said that they began it."""
        moment = _moment()
        for taker in self.waiting.takers.values():
            _, answers_by = self._awaited.get(str(taker.id), (0, moment))
            taker.is_silent = answers_by < moment

    async def _let_requests_go_first(self) -> None:
        """Wait while this process is so busy that its people wait: work that has not begun can wait best."""
        began = _moment()
        await asyncio.sleep(0)
        if (late_s := _moment() - began) > BUSY_S:
            await asyncio.sleep(min(late_s, 1.0))

    async def _sleep(self) -> None:
        """Sleep until somebody tells something, a timer is due, or it is time to look."""
        moment = _moment()
        left = [self._news_at - moment, self._takers_at - moment]
        if (next_at := self._timers.next_at) is not None:
            left.append(next_at - now().timestamp())
        if self._refused:
            left.append(self._look_again_at - moment)
        try:
            async with asyncio.timeout(max(min(left), 0.001)):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        if self._epoch is None:
            raise OfficeLost

    # Words

    def _on_news(self, _rest: str) -> None:
        """A job waits, or a group has changed."""
        self._told += 1
        self._wake.set()

    def _on_ended(self, rest: str) -> None:
        name, _, key = rest.partition(" ")
        self._ended.add((name, key))
        self.waiting.let_go((name, key))
        self._wake.set()

    def _on_passed(self, rest: str) -> None:
        name, group, before, key = rest.split(" ")
        self._ended.add((name, before))
        self.waiting.pass_on((name, before), (name, key), "" if group == "-" else group)
        self._wake.set()

    def _on_begun(self, rest: str) -> None:
        executor_id, _, number = rest.partition(" ")
        awaited = self._awaited.get(executor_id)
        if awaited and int(number) >= awaited[0]:
            del self._awaited[executor_id]
            self._wake.set()

    def _on_worker(self, _rest: str) -> None:
        self._takers_at = 0.0
        self._wake.set()


def _moment() -> float:
    return asyncio.get_running_loop().time()


