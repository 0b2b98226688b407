"""Processes in one test: each has connections, a lease, a bus and perhaps a worker of its own, on one database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.durable import queries
from automatos.durable.bus import Bus
from automatos.durable.engine import open_delivery
from automatos.durable.leases import LeaseDelivery
from automatos.durable.service import PeriodicTask, set_group
from automatos.durable.temporal.adapter import TemporalDelivery
from automatos.durable.types import LEASES, TEMPORAL, GroupMode, Handler, HeldJob, StoredEvent
from automatos.durable.waiting import HeldPlace, Taker, WaitingJob, WaitingSet
from automatos.durable.worker import Worker
from automatos.durable.worker_lease import WorkerLease
from automatos.entrypoints.migrate import Migrated, prepare_embedded
from automatos.kernel.clock import now
from automatos.kernel.db import Database, Scope
from automatos.kernel.embedded import EmbeddedPostgres
from automatos.kernel.ids import new_id
from tests.conftest import FAST_AND_FORGETFUL, open_to_server_user
from tests.temporal_server import TemporalServer


@pytest.fixture(scope="session")
def own_ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """A database of this package alone: the server of other tests would take its jobs."""
    directory = tmp_path_factory.mktemp("durable")
    open_to_server_user(directory)
    embedded = EmbeddedPostgres(directory / "postgres", extra_settings=FAST_AND_FORGETFUL)
    try:
        yield asyncio.run(prepare_embedded(embedded))
    finally:
        embedded.stop()


@pytest.fixture(scope="session")
async def own_database(own_ground: Migrated) -> AsyncIterator[Database]:
    opened = Database(own_ground.url, role=own_ground.role)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def database(own_database: Database) -> Database:
    """The package's database with an empty queue."""
    async with own_database.recording(None) as connection:
        await connection.execute(
            "DELETE FROM durable.jobs; DELETE FROM durable.executors; DELETE FROM durable.lanes; "
            "DELETE FROM durable.periodic_tasks; UPDATE durable.dispatcher SET executor_id = NULL")
    return own_database


@dataclass
class Process:
    """What one process has of durable work."""

    database: Database
    lease: WorkerLease
    bus: Bus
    worker: Worker | None

    async def stop(self) -> None:
        if self.worker:
            await self.worker.stop(0.1)
        await self.bus.stop()
        await self.lease.stop()
        await self.database.close()


@dataclass
class Processes:
    """Starts processes; all are stopped when the test ends."""

    migrated: Migrated
    database: Database
    temporal: TemporalServer | None = None
    alive: list[Process] = field(default_factory=list)

    async def start(
        self, handlers: Mapping[str, Handler] | None = None, *, capacity: int = 4, lease_s: float = 2.0,
        redis_url: str | None = None, periodic: tuple[PeriodicTask, ...] = (),
    ) -> Process:
        database = Database(self.migrated.url, role=self.migrated.role, pool_size=4)
        await database.open()
        temporal = self.temporal.address if self.temporal and handlers else None
        lease = WorkerLease(
            database, lease_s, capacity if handlers else 0, delivery=TEMPORAL if temporal else LEASES)
        bus = Bus(database, lease, redis_url)
        await lease.start()
        await self._move_to_another_machine(lease)
        await bus.start()
        delivery = await open_delivery(temporal, database, lease, bus)
        worker = Worker(database, lease, bus, handlers, periodic=periodic, delivery=delivery) if handlers else None
        process = Process(database, lease, bus, worker)
        self.alive.append(process)
        if worker:
            await worker.start()
        return process

    async def _move_to_another_machine(self, lease: WorkerLease) -> None:
        """Whoever starts later on the same machine takes one of its own process number for dead."""
        async with self.database.recording(None) as connection:
            await connection.execute(
                "UPDATE durable.executors SET host = 'host-' || id WHERE id = $1", lease.id)

    async def stop(self, process: Process) -> None:
        self.alive.remove(process)
        await process.stop()

    async def kill(self, process: Process) -> set[str]:
        """End a process as kill -9 does: its connections close, its rows say that it lives.

        Returns the jobs that it held, which may have been done without a trace of it.
        """
        self.alive.remove(process)
        held = {key for _, key in process.worker._held} if process.worker else set[str]()
        owned = [process.lease._task, *process.bus._tasks]
        if worker := process.worker:
            owned += [worker._dispatcher._task, worker._signals, *(job.task for job in worker._held.values())]
            if isinstance(worker._delivery, LeaseDelivery):
                owned.append(worker._delivery._looks)
            if isinstance(worker._delivery, TemporalDelivery):
                owned += [*worker._delivery._tasks, *worker._delivery._starting.values()]
            await worker._periodic.stop()
        for job in (*worker._held.values(),) if worker else ():
            job.is_finished = True  # nothing is given back any more
        for task in owned:
            if task:
                task.cancel()
        await asyncio.gather(*(task for task in owned if task), return_exceptions=True)
        await process.database.close()
        return held


@pytest.fixture(scope="session")
async def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TemporalServer]:
    """A Temporal server for the tests of this package that ask for one."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    await server.start()
    yield server
    server.end()


@pytest.fixture
async def processes(own_ground: Migrated, database: Database) -> AsyncIterator[Processes]:
    started = Processes(own_ground, database)
    yield started
    for process in list(started.alive):
        await started.stop(process)


@dataclass
class Queue:
    """Puts jobs of one kind in the queue and looks at them."""

    database: Database
    name: str = "test.work"

    async def add(self, key: str, workspace_id: UUID | None = None, *, priority: int = 0,
                  run_at: datetime | None = None, name: str | None = None, lane: str = "") -> None:
        async with self.database.recording(None) as connection:
            await connection.execute("SELECT durable.enqueue($1, $2, $3, $4, $5, $6)", name or self.name, key,
                                     workspace_id or new_id(), priority, run_at, lane)

    async def set_group(self, name: str, capacity: int, mode: str = "open") -> None:
        async with self.database.session(None) as session:
            await set_group(session, name, capacity, GroupMode(mode))

    async def row(self, key: str) -> dict[str, Any] | None:
        async with self.database.recording(None) as connection:
            row = await connection.fetchrow("SELECT * FROM durable.jobs WHERE key = $1", key)
        return dict(row) if row else None

    async def change(self, key: str, changes: str) -> None:
        async with self.database.recording(None) as connection:
            await connection.execute(f"UPDATE durable.jobs SET {changes} WHERE key = $1", key)


@pytest.fixture
def queue(database: Database) -> Queue:
    return Queue(database)


KINDS = ("test.work",)


async def read_waiting(connection: asyncpg.Connection, takers: Sequence[Taker]) -> WaitingSet:
    """Return what the dispatcher knows when it has read all rows."""
    waiting = WaitingSet()
    waiting.set_takers(takers)
    held = await queries.held_jobs(connection)
    waiting.recount([
        ((row["name"], row["key"]), HeldPlace(row["executor_id"], row["workspace_id"], row["lane"], row["crashes"]))
        for row in held])
    async with connection.transaction():
        async for row in queries.waiting_jobs(connection, sorted(waiting.kinds), now()):
            if row["run_at"] <= now():
                waiting.add(
                    WaitingJob(row["name"], row["key"], row["workspace_id"], row["lane"], row["priority"],
                               row["run_at"].timestamp(), row["crashes"]),
                    row["capacity"], GroupMode(row["mode"] or "open"))
    return waiting


async def give_out(
    connection: asyncpg.Connection, holder: UUID, most: int = 8, *, places: int = 64, kinds: Sequence[str] = KINDS
) -> list[asyncpg.Record]:
    """Give a registered process what it may have, as the dispatcher does; returns the grants."""
    waiting = await read_waiting(connection, [Taker(holder, places, frozenset(kinds))])
    picked = [(job.name, job.key, job.group, taker.id) for job, taker in waiting.pick(most)]
    epoch = await connection.fetchval("SELECT epoch FROM durable.dispatcher")
    return await queries.grant_jobs(connection, epoch, new_id(), picked) if picked else []


async def pass_on(database: Database, job: HeldJob, key: str, lane: str, priority: int = 1) -> str:
    """Let a held job go on as another one, as the record of a step's end does; returns the answer."""
    job.expect(key)
    async with database.recording(None) as connection:
        answer = str(await connection.fetchval(
            "SELECT durable.pass_on($1, $2, $3, $4, $5, $6)", job.name, job.key, job.executor_id, key, lane, priority))
    if answer == "open":
        job.go_to(lane)
    else:
        job.decline()
    return answer


async def registered(connection: asyncpg.Connection, *, places: int = 64, kinds: Sequence[str] = KINDS) -> UUID:
    """Return a process with a lease of a minute that takes jobs."""
    executor_id = new_id()
    await queries.register(connection, executor_id, f"host-{executor_id}", 1, 60, places, kinds)
    return executor_id


@dataclass
class Seen:
    """A handler that notes what it was called with."""

    do: Callable[[HeldJob], Awaitable[None]] | None = None
    driven: list[str] = field(default_factory=list)
    given_up: list[tuple[str, str]] = field(default_factory=list)
    interrupted: list[tuple[str, str | None]] = field(default_factory=list)

    def handlers(self, name: str = "test.work") -> dict[str, Handler]:
        return {name: Handler(self._drive, self._give_up)}

    async def _drive(self, job: HeldJob) -> None:
        self.driven.append(job.key)
        try:
            if self.do:
                await self.do(job)
        except asyncio.CancelledError:
            self.interrupted.append((job.key, job.interruption))
            raise

    async def _give_up(self, job: HeldJob, why: str) -> None:
        self.given_up.append((job.key, why))


async def until(ready: Callable[[], Any], timeout_s: float = 60) -> None:
    """Wait until `ready()` holds; it may be asynchronous."""
    async with asyncio.timeout(timeout_s):
        while True:
            answer = ready()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return
            await asyncio.sleep(0.01)


async def forever(_: HeldJob) -> None:
    await asyncio.Event().wait()


@dataclass
class Log:
    """One stream of a workspace, written the way packages write theirs."""

    database: Database
    workspace_id: UUID
    topic: str = field(default_factory=lambda: f"run:{new_id()}")
    last: int = 0

    async def append(self, count: int = 1, *, text: str = "", type_: str = "step.delta") -> list[StoredEvent]:
        first, self.last = self.last, self.last + count
        bodies = [f'{{"n": {first + n}, "text": "{text}"}}' for n in range(1, count + 1)]
        async with self.database.recording(self.workspace_id) as connection:
            await connection.execute("SELECT durable.append_events($1, $2, $3, $4, $5, now())", self.workspace_id,
                                     self.topic, first, [type_] * count, bodies)
        at = "2026-01-01T00:00:00+00:00"
        return [StoredEvent(self.topic, first + n, type_, at, body) for n, body in enumerate(bodies, start=1)]


async def add_workspace(database: Database) -> UUID:
    fresh = new_id()
    async with database.recording(None, Scope.AUTH) as connection:
        await connection.execute("INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Test', $2)", fresh,
                                 f"test-{fresh.hex}")
    return fresh


@pytest.fixture
async def log(database: Database, workspace_id: UUID) -> Log:
    return Log(database, workspace_id)
