"""The worker: takes the jobs it is given, drives each in a task of its own, and lets go in order when stopped."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID

import structlog

from automatos.durable import queries
from automatos.durable.bus import WORD_WORKER, Bus
from automatos.durable.delivery import Delivery, Grant
from automatos.durable.dispatcher import WORD_JOBS, Dispatcher
from automatos.durable.leases import LeaseDelivery
from automatos.durable.periodic import PeriodicTask, PeriodicTasks
from automatos.durable.reservation import Reservation
from automatos.durable.types import GroupMode, Handler, HeldJob, Interruption, Job
from automatos.durable.waiting import Backlog
from automatos.durable.worker_lease import WorkerLease, acting_as
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.refusals import is_platform_fault

log = structlog.get_logger("automatos.durable")
LONGEST_DOUBLING = 8
PLATFORM_PAUSE_S = 1
MAX_ATTEMPTS = 3
SIGNAL_POLL_S = 1.0
LOOK_FOR_STORED_S = 0.02
WORD_SIGNAL = "signal"


class Worker:
    """Runs what is delivered to this process, and is its candidate for giving out everybody's jobs.

    A job is tried again when its worker died; one that was to blame for MAX_ATTEMPTS deaths is ended by its handler's
    `give_up`.
    `stop` refuses new jobs, gives running ones `grace_s` to end, then hands the rest back to the queue unharmed.
    """

    def __init__(
        self, database: Database, lease: WorkerLease, bus: Bus, handlers: Mapping[str, Handler], *,
        periodic: tuple[PeriodicTask, ...] = (), delivery: Delivery | None = None,
    ) -> None:
        self._database = database
        self._lease = lease
        self._handlers = handlers
        self._periodic = PeriodicTasks(database, lease, periodic)
        self._delivery = delivery or LeaseDelivery(database, lease, bus)
        self._dispatcher = Dispatcher(database, lease, bus, self._delivery, self._doubt)
        self._held: dict[tuple[str, str], HeldJob] = {}
        self.is_unsure = False
        self._signals: asyncio.Task[None] | None = None
        self._bus = bus
        bus.on_word(WORD_SIGNAL, self._on_signal)
        lease.on_lost(self._let_go)

    @property
    def running(self) -> int:
        """How many jobs this process is working on."""
        return sum(key == job.key for (_, key), job in self._held.items())

    @property
    def backlog(self) -> Backlog | None:
        """What waits for a worker, in all processes; None where another process gives out jobs."""
        return self._dispatcher.waiting.backlog(now().timestamp()) if self._dispatcher.is_leading else None

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of jobs that this process can do."""
        return tuple(self._handlers)

    async def start(self) -> None:
        """Take jobs from now on, and ask for periodic tasks."""
        await self._delivery.open(self)
        self._signals = asyncio.create_task(self._watch_signals(), name="durable.signals")
        await self._dispatcher.start()
        self._bus.tell_dispatcher(WORD_WORKER)
        await self._periodic.start()

    async def stop(self, grace_s: float = 20.0) -> None:
        """Stop in order; nothing is lost, whatever has not ended goes on elsewhere or at the next start."""
        await self._dispatcher.stop()
        if self._signals:
            self._signals.cancel()
            await asyncio.gather(self._signals, return_exceptions=True)
        await self._periodic.stop()
        await self._delivery.close(partial(self._let_end, grace_s))

    async def _let_end(self, grace_s: float) -> None:
        """Give what runs the time to end, then hand the rest back."""
        clock = asyncio.get_running_loop().time
        ends_at = clock() + grace_s
        while clock() < ends_at and any(job.task is None for job in self._held.values()):  # noqa: ASYNC110
            await asyncio.sleep(LOOK_FOR_STORED_S)  # they are being stored, and only this process can give them back
        running = [job.task for job in self._held.values() if job.task]
        if running:
            await asyncio.wait(running, timeout=max(ends_at - clock(), 0))
        for job in list(self._held.values()):
            job.interrupt(Interruption.SHUTDOWN)
        await asyncio.gather(*(job.task for job in list(self._held.values()) if job.task), return_exceptions=True)

    def reserve(self, job: Job, key: str, workspace_id: UUID, group: str) -> Reservation | None:
        """Keep a place for a job that is about to be stored as held by this process; None where it has to be queued."""
        epoch = self._dispatcher.reserve(job.name, key, workspace_id, group)
        if epoch is None:
            return None
        held = HeldJob(job.name, key, workspace_id, 1, self._lease.id, group, keeper=self)
        self._held[job.name, key] = held
        return Reservation(held, epoch, self._begin_reserved, self._release)

    def _begin_reserved(self, job: HeldJob) -> None:
        if job.executor_id != self._lease.id:
            self._release(job, is_unsure=True)  # reaped meanwhile: whoever frees its jobs frees this one
            return
        self._dispatcher.began(job.name, job.key, job.workspace_id, job.group)
        job.task = asyncio.create_task(self._work(job, None), name=f"{job.name}:{job.key}")

    def _release(self, job: HeldJob, *, is_unsure: bool) -> None:
        self.is_unsure = self.is_unsure or is_unsure
        if self._held.get((job.name, job.key)) is job:
            del self._held[job.name, job.key]
            self._dispatcher.ended(job.name, job.key)

    def begin(self, grant: Grant) -> HeldJob:
        """Begin a granted job in a task of its own."""
        job = HeldJob(grant["name"], grant["key"], grant["workspace_id"], grant["attempts"], self._lease.id,
                      grant["lane"], GroupMode(grant["mode"]), grant["crashes"], keeper=self)
        before = self._held.get((job.name, job.key))
        self._held[job.name, job.key] = job
        job.task = asyncio.create_task(self._work(job, before), name=f"{job.name}:{job.key}")
        if grant["signal"]:
            job.receive(grant["signal"], grant["lane"])
        return job

    @property
    def is_leading(self) -> bool:
        """Whether this process gives out jobs."""
        return self._dispatcher.is_leading

    def has(self, name: str, key: str) -> bool:
        """Whether this process works on a job."""
        return (name, key) in self._held

    def begun(self, number: int) -> None:
        """Say to the dispatcher that what this process was given up to that grant is on its way."""
        self._dispatcher.begun(number)

    def receive(self, name: str, key: str, word: str, group: str) -> None:
        """Pass on a word that was left for a job, if this process works on it."""
        if job := self._held.get((name, key)):
            job.receive(word, group)

    async def _work(self, job: HeldJob, before: HeldJob | None) -> None:
        is_gone = False
        try:
            error, is_attempt = await self._attempt(job, before)
            job.is_settling = True
            is_gone = job.is_finished or await self._settle(job, error, is_attempt=is_attempt)
        finally:
            self.is_unsure = self.is_unsure or not is_gone
            job.decline()
            if self._held.get((job.name, job.key)) is job:
                del self._held[job.name, job.key]
                self._dispatcher.ended(job.name, job.key)

    def expect(self, job: HeldJob, key: str) -> None:
        """Hold a job also by the key under which it may go on (the `durable.types.Keeper` side)."""
        self._held[job.name, key] = job

    def forget(self, job: HeldJob, key: str) -> None:
        """Hold a job no longer by a key (the `durable.types.Keeper` side)."""
        if self._held.get((job.name, key)) is job:
            del self._held[job.name, key]

    def passed_on(self, job: HeldJob, before: str) -> None:
        """Hold a job by its new key alone (the `durable.types.Keeper` side)."""
        self.forget(job, before)
        self._dispatcher.passed_on(job.name, before, job.key, job.group)

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
        acting_as.set(job.executor_id)
        if job.begun:
            begun, job.begun = job.begun, None
            await begun(job)
        elif job.attempts > MAX_ATTEMPTS:
            await handler.give_up(job, f"its worker stopped {MAX_ATTEMPTS} times while it ran, without progress")
        else:
            await handler.drive(job)

    async def _settle(self, job: HeldJob, error: str | None, *, is_attempt: bool) -> bool:
        """Finish or give back a job whose handler ended, patient with a database that is away; say whether it is so."""
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
            except DatabaseUnavailable:
                await asyncio.sleep(pause_s)
            else:
                if goes_back:
                    self._bus.tell_dispatcher(WORD_JOBS)
                return True
        log.error("durable.job_not_settled", job=job.name, job_key=job.key)
        return False

    async def _watch_signals(self) -> None:
        """Look for signals whose wake-up was lost."""
        while True:
            await asyncio.sleep(SIGNAL_POLL_S)
            if not self._held:
                continue
            try:
                async with self._database.recording(None) as connection:
                    rows = await queries.signals(connection, self._lease.id)
            except DatabaseUnavailable:
                continue
            except Exception:
                log.exception("durable.signals_not_read")
                continue
            for row in rows:
                self._delivery.recall(row["name"], row["key"], row["signal"], row["lane"])

    def _on_signal(self, rest: str) -> None:
        name, key, word, group = rest.split(" ")
        self._delivery.recall(name, key, word, group)

    def _doubt(self) -> None:
        self.is_unsure = True

    def _let_go(self) -> None:
        for job in self._held.values():
            job.interrupt(Interruption.LEASE_LOST)
