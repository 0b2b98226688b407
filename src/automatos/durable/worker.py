"""The worker: claims jobs while it has room, drives each in a task of its own, and lets go in order when stopped."""

import asyncio
import random
from collections.abc import Mapping
from datetime import timedelta

import structlog

from automatos.durable import queries
from automatos.durable.bus import Bus
from automatos.durable.periodic import PeriodicTask, PeriodicTasks
from automatos.durable.presence import Presence
from automatos.durable.types import Handler, HeldJob, Interruption, LaneMode
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.refusals import is_platform_fault

log = structlog.get_logger("automatos.durable")
IDLE_POLL_S = 1.0
LONGEST_DOUBLING = 8
PLATFORM_PAUSE_S = 1
MAX_ATTEMPTS = 3
CLAIM_AT_ONCE = 8
"""Few at a time, so that several workers share what waits instead of the first one taking it all."""
BUSY_S = 0.02
SIGNAL_POLL_S = 1.0
LOOK_EVERY_S = 5.0
"""How often this process compares what it holds with what the database says it holds."""
WORD_JOBS = "jobs"
WORD_SIGNAL = "signal"


class Worker:
    """Runs jobs of this process.

    A job is tried again when its worker died; one that was to blame for MAX_ATTEMPTS deaths is ended by its handler's
    `give_up`.
    `stop` refuses new jobs, gives running ones `grace_s` to end, then hands the rest back to the queue unharmed.
    """

    def __init__(
        self, database: Database, presence: Presence, bus: Bus, handlers: Mapping[str, Handler], *, capacity: int,
        periodic: tuple[PeriodicTask, ...] = (),
    ) -> None:
        self._database = database
        self._presence = presence
        self._handlers = handlers
        self._capacity = capacity
        self._periodic = PeriodicTasks(database, presence, periodic)
        self._held: dict[tuple[str, str], HeldJob] = {}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._look_at = 0.0
        self._bus = bus
        bus.on_word(WORD_JOBS, lambda _: self._wake.set())
        bus.on_ask(WORD_JOBS, self._take_word)
        bus.on_word(WORD_SIGNAL, self._hear_signal)
        presence.on_lost(self._let_go)

    @property
    def running(self) -> int:
        """How many jobs this process is working on."""
        return len(self._held)

    async def start(self) -> None:
        """Begin claiming, and asking for periodic tasks."""
        self._tasks = [
            asyncio.create_task(self._claim_forever(), name="durable.claim"),
            asyncio.create_task(self._watch_signals(), name="durable.signals"),
        ]
        await self._periodic.start()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Stop in order; nothing is lost, whatever has not ended goes on elsewhere or at the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._periodic.stop()
        running = [job.task for job in self._held.values() if job.task]
        if running:
            await asyncio.wait(running, timeout=grace_s)
        for job in list(self._held.values()):
            job.interrupt(Interruption.SHUTDOWN)
        await asyncio.gather(*(job.task for job in list(self._held.values()) if job.task), return_exceptions=True)

    async def _claim_forever(self) -> None:
        while True:
            try:
                claimed = await self._claim()
            except DatabaseUnavailable as error:
                log.warning("durable.claim_failed", error=str(error) or type(error).__name__)
                await asyncio.sleep(0.5)
                continue
            except Exception:
                log.exception("durable.claim_failed")
                await asyncio.sleep(IDLE_POLL_S)
                continue
            if claimed and len(self._held) >= self._capacity:
                self._bus.ask_one(WORD_JOBS)  # more may wait, and others have room
            if not claimed or len(self._held) >= self._capacity:
                await self._sleep_until_woken()

    def _take_word(self, is_own: bool) -> bool:
        """Look for jobs if there is room; for those that come in here, only with little to do, so that all share."""
        if len(self._held) >= (min(CLAIM_AT_ONCE, self._capacity) if is_own else self._capacity):
            return False
        self._wake.set()
        return True

    async def _claim(self) -> int:
        room = min(self._capacity - len(self._held), CLAIM_AT_ONCE)
        self._wake.clear()
        await self._give_back_the_unknown()
        if room <= 0:
            return 0
        await self._let_requests_go_first()
        if not await self._database.has_room():
            return 0  # what could not be recorded would be done, and paid for, again
        holder = self._presence.id
        async with self._database.recording(None) as connection:
            rows = await queries.claim(connection, holder, room, tuple(self._handlers), self._capacity)
        if holder != self._presence.id:
            return 0  # buried before the answer came: they are not ours, and are freed or will be
        for row in rows:
            job = HeldJob(row["name"], row["key"], row["workspace_id"], row["attempts"], holder, row["lane"],
                          LaneMode(row["mode"]), row["crashes"])
            before = self._held.get((job.name, job.key))
            self._held[job.name, job.key] = job
            job.task = asyncio.create_task(self._work(job, before), name=f"{job.name}:{job.key}")
            if row["signal"]:
                job.hear(row["signal"], row["lane"])
        return len(rows)

    async def _give_back_the_unknown(self) -> None:
        """Give back what the database says this process holds and it does not.

        The answer to a claim may be lost after its commit, and so may a job's return while the database is away. Only
        the claiming task does this, so that no claim is under way meanwhile.
        """
        loop = asyncio.get_running_loop()
        if loop.time() < self._look_at:
            return
        async with self._database.recording(None) as connection:
            await queries.release_all_but(connection, self._presence.id, tuple(self._held))
        self._look_at = loop.time() + LOOK_EVERY_S

    async def _let_requests_go_first(self) -> None:
        """Wait while this process is so busy that its people wait: work that has not begun can wait best."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await asyncio.sleep(0)
        if (late_s := loop.time() - began) > BUSY_S:
            await asyncio.sleep(min(late_s, 1.0))

    async def _sleep_until_woken(self) -> None:
        try:
            async with asyncio.timeout(IDLE_POLL_S * random.uniform(0.8, 1.2)):  # noqa: S311
                await self._wake.wait()
        except TimeoutError:
            return

    async def _work(self, job: HeldJob, before: HeldJob | None) -> None:
        try:
            error, is_attempt = await self._attempt(job, before)
            job.is_settling = True
            if not job.is_finished:
                await self._settle(job, error, is_attempt=is_attempt)
        finally:
            if self._held.get((job.name, job.key)) is job:
                del self._held[job.name, job.key]
            if job.leaves_waiting or job.crashes or len(self._held) == self._capacity - 1:
                self._wake.set()

    async def _attempt(self, job: HeldJob, before: HeldJob | None) -> tuple[str | None, bool]:
        """Drive a job, after its own earlier self; returns what went wrong and whether that counts as an attempt."""
        error: str | None = None
        is_attempt = False
        try:
            if before and before.task:
                job.again_in = timedelta()  # told to stop while it waits, it has not begun and goes back
                await asyncio.wait([before.task])
                job.again_in = None
            await self._drive(job)
        except asyncio.CancelledError:
            if job.interruption is None:
                raise
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
            is_attempt = not is_platform_fault(problem)
            pause_s = 2 ** min(job.attempts, LONGEST_DOUBLING) if is_attempt else PLATFORM_PAUSE_S
            job.again_in = timedelta(seconds=pause_s)
            if is_attempt:
                log.exception("durable.job_failed", job=job.name, job_key=job.key, attempt=job.attempts)
            else:
                log.warning("durable.job_waits", job=job.name, job_key=job.key, error=error)
        return error, is_attempt

    async def _drive(self, job: HeldJob) -> None:
        handler = self._handlers[job.name]
        if job.attempts > MAX_ATTEMPTS:
            await handler.give_up(job, f"its worker stopped {MAX_ATTEMPTS} times while it ran, without progress")
        else:
            await handler.drive(job)

    async def _settle(self, job: HeldJob, error: str | None, *, is_attempt: bool) -> None:
        """Finish or give back a job whose handler ended; patient with a database that is away."""
        holder = job.executor_id
        goes_back = error is not None or job.again_in is not None or job.interruption in {
            Interruption.SHUTDOWN, Interruption.LEASE_LOST}
        for pause_s in (0.1, 0.5, 1, 2, 4):
            try:
                async with self._database.recording(None) as connection:
                    if goes_back:
                        await queries.release(connection, job.name, job.key, holder, job.again_in or timedelta(), error,
                                              is_attempt=is_attempt)
                    else:
                        await queries.finish(connection, job.name, job.key, holder)
                    if job.lane and not job.leaves_waiting:
                        job.leaves_waiting = await queries.lane_has_waiting(connection, job.lane)
            except DatabaseUnavailable:
                await asyncio.sleep(pause_s)
            else:
                return
        log.error("durable.job_not_settled", job=job.name, job_key=job.key)

    async def _watch_signals(self) -> None:
        """Look for signals whose wake-up was lost."""
        while True:
            await asyncio.sleep(SIGNAL_POLL_S)
            if not self._held:
                continue
            try:
                async with self._database.recording(None) as connection:
                    rows = await queries.signals(connection, self._presence.id)
            except DatabaseUnavailable:
                continue
            except Exception:
                log.exception("durable.signals_not_read")
                continue
            for row in rows:
                self._pass_on(row["name"], row["key"], row["signal"], row["lane"])

    def _hear_signal(self, rest: str) -> None:
        self._pass_on(*rest.split(" "))

    def _pass_on(self, name: str, key: str, word: str, lane: str) -> None:
        if job := self._held.get((name, key)):
            job.hear(word, lane)

    def _let_go(self) -> None:
        for job in self._held.values():
            job.interrupt(Interruption.LEASE_LOST)
