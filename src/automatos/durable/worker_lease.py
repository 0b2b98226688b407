"""The registry of living processes: a lease that is renewed while this process lives, and the burial of the dead."""

import asyncio
import contextlib
import math
import os
import socket
import time
from collections.abc import Callable, Collection
from contextvars import ContextVar
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import psutil
import structlog

from automatos.durable import queries
from automatos.durable.types import LEASES, LEASES_KEPT
from automatos.kernel import clock
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.ids import new_id

log = structlog.get_logger("automatos.durable")
acting_as: ContextVar[UUID | None] = ContextVar("acting_as", default=None)
"""The id under which this process was given the job that the current task works on."""


class WorkerLease:
    """This process's entry in the registry.

    It takes `places` jobs at once, by a `delivery`, of the kinds it offers; `others` counts who else lives, and
    `dispatcher_id` names who gives jobs out.
    While the lease is renewed the process's jobs are its own. A process that could not renew in time is reaped by any
    other; when it notices, it calls `on_lost` and registers anew under a new id. Where the delivery
    notices who died, the row lasts longer than the lease (`row_s`), so that it may speak first.
    """

    def __init__(
        self, database: Database, lease_s: float, places: int = 0, *, delivery: str = LEASES
    ) -> None:
        self.id: UUID = new_id()
        self.others = 0
        self.dispatcher_id: UUID | None = None
        self._kinds: tuple[str, ...] = ()
        self.places = places
        self._database = database
        self.lease_s = lease_s
        self.row_s = lease_s * LEASES_KEPT[delivery]
        self.delivery = delivery
        self._certain_until = math.inf
        self._renewed = asyncio.Event()
        self._back_at = math.inf
        self._may_reap_at = -math.inf
        self._on_lost: list[Callable[[], None]] = []
        self._on_burial: list[Callable[[datetime], None]] = []
        self._on_vacancy: list[Callable[[], None]] = []
        self._task: asyncio.Task[None] | None = None

    def on_lost(self, callback: Callable[[], None]) -> None:
        """Call `callback` when this process was declared dead and must let go of what it held."""
        self._on_lost.append(callback)

    def on_burial(self, callback: Callable[[datetime], None]) -> None:
        """Call `callback(alive_at)` when this process has reaped others: when the first of them was last heard of."""
        self._on_burial.append(callback)

    async def until_certain(self) -> None:
        """Return as long as this process is certainly not reaped; wait for the lease's renewal when it stood still.

        Whoever begins what cannot be taken back asks first: a process that was frozen does not know how long it was
        away, and others may have done by now what it is about to do. When it was reaped, its jobs are interrupted
        while they wait here; one that held out until this process had a new id is ended here, and begins nothing.
        """
        while time.monotonic() >= self._certain_until:
            self._renewed.clear()
            await self._renewed.wait()
        if acting_as.get() not in {None, self.id}:
            raise asyncio.CancelledError

    @property
    def may_reap(self) -> bool:
        """Whether this process may say who is dead: it was renewed in time, and everybody has had the time for it."""
        return self._may_reap_at <= time.monotonic() < self._certain_until

    async def reap(self, dead: Collection[UUID]) -> None:
        """Reap processes that are known to be dead, and free what they held."""
        async with self._database.recording(None) as connection:
            for executor_id in dead:
                await queries.end_lease(connection, executor_id)
            await self._reap(connection)

    def on_vacancy(self, callback: Callable[[], None]) -> None:
        """Call `callback` when nobody gives out jobs any more."""
        self._on_vacancy.append(callback)

    def on_dispatcher(self, rest: str) -> None:
        """Hear who gives out jobs from now on; nothing means that nobody does."""
        self.dispatcher_id = UUID(rest) if rest else None
        if not rest:
            for callback in self._on_vacancy:
                callback()

    async def offer(self, kinds: tuple[str, ...]) -> None:
        """Take jobs of those kinds from now on; of none, take none any more."""
        self._kinds = kinds
        async with self._database.recording(None) as connection:
            await queries.offer_places(connection, self.id, kinds)

    async def note_listening(self) -> None:
        """Say that this process holds the lock that shows that it is there."""
        async with self._database.recording(None) as connection:
            await queries.note_listening(connection, self.id)

    async def start(self) -> None:
        """Register and keep the lease renewed until `stop`; what died on this machine is reaped at once."""
        await self._register()
        await self._reap_neighbours()
        self._task = asyncio.create_task(self._keep(), name="durable.presence")

    async def stop(self) -> None:
        """Leave the registry."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._is_certain_until(math.inf)
        with contextlib.suppress(DatabaseUnavailable):
            async with self._database.recording(None) as connection:
                await queries.retire(connection, self.id)

    async def try_write(self) -> None:
        """Write this process's own row; raises DatabaseUnavailable when PostgreSQL takes no changes."""
        async with self._database.recording(None) as connection:
            await queries.write_own_row(connection, self.id)

    async def _register(self) -> None:
        async with self._database.recording(None) as connection:
            await queries.register(connection, self.id, _machine(), os.getpid(), self.row_s, self.places,
                                   self._kinds, self.delivery)
            self.others = await self._renew_row(connection) or 0

    async def _reap_neighbours(self) -> None:
        """Do not wait for the lease of a process that ran on this machine and is gone: its work goes on now."""
        async with self._database.recording(None) as connection:
            for row in await queries.executors_on(connection, _machine()):
                if row["id"] != self.id and not psutil.pid_exists(row["pid"]):
                    await queries.end_lease(connection, row["id"])
            await self._reap(connection)

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(self.lease_s / 4)
            try:
                await self._renew()
            except DatabaseUnavailable as error:
                log.warning("durable.lease_not_renewed", error=str(error) or type(error).__name__)
            except Exception:
                log.exception("durable.lease_not_renewed")

    async def _renew(self) -> None:
        async with self._database.recording(None) as connection:
            others = await self._renew_row(connection)
            await self._reap(connection)
        if others is not None:
            self.others = others
            return
        log.error("durable.lease_lost", executor_id=str(self.id))
        self.id = new_id()
        for callback in self._on_lost:
            callback()
        await self._register()

    async def _renew_row(self, connection: asyncpg.Connection) -> int | None:
        """Renew the lease and go by the database's clock; returns how many others live, None when the lease ended."""
        asked = time.monotonic()
        row = await queries.renew(connection, self.id, self.row_s)
        if row is None:
            return None
        self._is_certain_until(asked + self.lease_s)
        clock.follow(row["at"], asked, time.monotonic())
        self.dispatcher_id = row["dispatcher_id"]
        if row["is_vacant"]:
            self.on_dispatcher("")
        return row["others"]

    def _is_certain_until(self, moment: float) -> None:
        self._certain_until = moment
        self._renewed.set()

    async def _reap(self, connection: asyncpg.Connection) -> None:
        """Reap the dead, unless another process that gives out jobs does so, and let it be when all were away."""
        if self._comes_back() or self.dispatcher_id not in {None, self.id}:
            return
        buried = await queries.recover(connection)
        if buried and buried["first_ended_at"]:
            log.info("durable.process_buried", jobs_freed=buried["jobs"])
            for callback in self._on_burial:
                callback(buried["first_ended_at"] - timedelta(seconds=self.row_s))

    def _comes_back(self) -> bool:
        """Say whether the database was away so long, until just now, that the leases of others ran out with it.

        Whoever lives gets a lease's time to renew: burying them would throw away what their models answered meanwhile.
        """
        moment = time.monotonic()
        if moment - self._back_at > self.lease_s * 3 / 4:
            self._may_reap_at = moment + self.lease_s
        self._back_at = moment
        return moment < self._may_reap_at


async def count_living(connection: asyncpg.Connection) -> int:
    """Return how many processes work on a database; one of this machine that was killed does not."""
    machine = _machine()
    rows = await queries.living_executors(connection)
    return sum(row["host"] != machine or psutil.pid_exists(row["pid"]) for row in rows)


def _machine() -> str:
    """Name the machine whose process numbers ours is one of: two containers may share a host name, not that."""
    with contextlib.suppress(OSError):
        return f"{socket.gethostname()}/{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116 - not a file to follow
    return socket.gethostname()
