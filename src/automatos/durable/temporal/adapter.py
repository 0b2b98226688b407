"""Temporal as a delivery: each grant is a standalone activity, begun by whichever worker has room first.

Temporal carries the name of a job, its key and the number of its grant, and nothing else. It retries nothing: an
activity that ends without its job is void, and the dispatcher grants again. What it has forgotten is started again from
the rows. A job that runs goes on whatever becomes of its activity.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path

import asyncpg
import structlog
from temporalio import activity
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import ActivityExecutionStatus, Client
from temporalio.common import ActivityIDConflictPolicy, ActivityIDReusePolicy, RetryPolicy
from temporalio.exceptions import ActivityAlreadyStartedError
from temporalio.runtime import LoggingConfig, Runtime, TelemetryConfig, TelemetryFilter
from temporalio.service import RPCError, RPCStatusCode, TLSConfig
from temporalio.worker import Worker as ActivityWorker

from automatos.durable import queries
from automatos.durable.bus import Bus
from automatos.durable.delivery import Grant, Runner
from automatos.durable.dispatcher import WORD_JOBS
from automatos.durable.errors import EngineRefused
from automatos.durable.temporal import queries as grants_of
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.config import TemporalAddress
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable

log = structlog.get_logger("automatos.durable")
ACTIVITY = "automatos.job"
NO_LIMIT = timedelta(days=365)
"""How long a job may take is decided here, by deadlines in the rows."""
ONCE = RetryPolicy(maximum_attempts=1)
CONNECT_TIMEOUT_S = 5.0
CALL_TIMEOUT = timedelta(seconds=5)
AGAIN_S = 1.0
UNKNOWN_KIND_AGAIN = timedelta(seconds=1)
"""After how long a job is granted again that a worker of another version was handed."""
LEAVE_TIMEOUT_S = 5.0
ASKED_AT_ONCE = 16


async def connect(address: TemporalAddress) -> Client:
    """Connect to a Temporal server that takes activities without workflows.

    Raises:
        EngineRefused: it does not answer, has no such namespace, or is too old; a file that it is to be shown cannot
            be read.
    """
    tls = _tls_of(address)
    try:
        async with asyncio.timeout(CONNECT_TIMEOUT_S):
            client = await Client.connect(address.target, namespace=address.namespace,
                                          runtime=_runtime(), tls=tls, api_key=_key_of(address))
            found = await client.workflow_service.describe_namespace(
                DescribeNamespaceRequest(namespace=address.namespace))
    except (RPCError, RuntimeError, TimeoutError, OSError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            raise EngineRefused(
                f"Temporal at {address.target} has no namespace {address.namespace}. Create it (temporal operator "
                f"namespace create -n {address.namespace}), or correct AUTOMATOS_ENGINE.") from error
        raise EngineRefused(
            f"No Temporal could be reached at {address.target} ({_said(error)}). Start it, or correct "
            "AUTOMATOS_ENGINE; without it the built-in engine is used, which needs no other server.") from error
    if not found.namespace_info.capabilities.standalone_activities:
        raise EngineRefused(
            f"Temporal at {address.target} takes no activities without workflows. Use Temporal server 1.31 or newer, "
            "and switch standalone activities on for the namespace (activity.enableStandalone).")
    return client


def _tls_of(address: TemporalAddress) -> TLSConfig | bool:
    """Return how the connection is encrypted; False leaves it in the clear, which the library alone would not do."""
    if not address.is_encrypted:
        return False
    return TLSConfig(server_root_ca_cert=_read(address.ca_file), client_cert=_read(address.cert_file),
                     client_private_key=_read(address.key_file))


def _key_of(address: TemporalAddress) -> str | None:
    return address.api_key.get_secret_value() if address.api_key else None


def _read(file: Path | None) -> bytes | None:
    try:
        return file.read_bytes() if file else None
    except OSError as error:
        raise EngineRefused(
            f"What Temporal is to be shown could not be read from {file} ({error.strerror}). Correct the setting that "
            "names it (AUTOMATOS_TEMPORAL_CA_FILE, _CERT_FILE or _KEY_FILE).") from error


@cache
def _runtime() -> Runtime:
    """Return this process's threads for Temporal; what they would say of each retry, our own log says once."""
    quiet = LoggingConfig(filter=TelemetryFilter(core_level="ERROR", other_level="ERROR"))
    return Runtime(telemetry=TelemetryConfig(logging=quiet))


class TemporalDelivery:
    """Delivers through one task queue to the workers of every process."""

    is_shared = True

    def __init__(self, database: Database, lease: WorkerLease, bus: Bus, client: Client) -> None:
        self._database = database
        self._lease = lease
        self._bus = bus
        self._client = client
        self._lease_s = lease.lease_s
        self._runner: Runner
        self._queue = ""
        self._starting: dict[int, asyncio.Task[None]] = {}
        self._taking: set[int] = set()
        self._worker: ActivityWorker | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._is_closing = False
        lease.on_lost(self._forget)

    async def open(self, runner: Runner) -> None:
        """Offer this process's places, take activities, and look after what was granted."""
        self._runner = runner
        async with self._database.recording(None) as connection:
            self._queue = await grants_of.queue_name(connection)
        await self._lease.offer(runner.kinds)
        self._tasks = [
            asyncio.create_task(self._take_forever(), name="durable.temporal.take"),
            asyncio.create_task(self._look_forever(), name="durable.temporal.look"),
        ]

    def deliver(self, grants: Sequence[Grant]) -> None:
        """Start an activity for each grant; patient with a Temporal that is away."""
        for grant in grants:
            self._start_soon(grant["name"], grant["key"], grant["number"])

    def recall(self, name: str, key: str, word: str, group: str) -> None:
        """Pass a word on to the runner here: words travel by the bus and stand in the rows, not in Temporal."""
        self._runner.receive(name, key, word, group)

    async def lost(self) -> None:
        """Start again what Temporal has forgotten, give back what it has ended, and reap the runners nobody hears of.

        A runner is dead when Temporal has had no heartbeat of its activity in time and the registry no renewal: one
        of the two may be away by itself.
        """
        async with self._database.recording(None) as connection:
            # Its row outlives the lease, so that Temporal's word comes first: see Presence.
            found = await grants_of.open_grants(
                connection, self._lease.id, timedelta(seconds=self._lease.row_s - self._lease_s),
                of_all=self._runner.is_leading)
            for row in found:
                if row["has_begun"] and row["executor_id"] == self._lease.id and not self._is_at_work(row):
                    await queries.give_back(connection, row["name"], row["key"], row["executor_id"], row["number"])
        waiting = [row for row in found if not row["has_begun"] and row["number"] not in self._starting]
        silent = [row for row in found if row["has_begun"] and row["is_silent"]]
        states = await self._states_of([*waiting, *silent])
        await self._look_after(waiting, states)
        dead = {row["executor_id"] for row in silent if states[row["number"]] is not ActivityExecutionStatus.RUNNING}
        if dead and self._lease.may_reap:
            await self._lease.reap(dead)

    async def close(self, let_end: Callable[[], Awaitable[None]]) -> None:
        """Take nothing more, give back what has not begun, let the rest end, and leave Temporal."""
        self._is_closing = True
        leaving = asyncio.create_task(self._leave(), name="durable.temporal.leave")
        self._forget()
        with contextlib.suppress(DatabaseUnavailable):  # whoever reaps this process frees what it was given
            await self._lease.offer(())
            async with self._database.recording(None) as connection:
                for row in await grants_of.open_grants(connection, self._lease.id, timedelta(), of_all=False):
                    await grants_of.give_back(connection, row["name"], row["key"], row["number"])
        await let_end()
        await asyncio.wait([leaving], timeout=LEAVE_TIMEOUT_S)
        for task in (leaving, *self._tasks):
            task.cancel()
        await asyncio.gather(leaving, *self._tasks, return_exceptions=True)

    async def probe(self) -> None:
        """Raise what Temporal says, or that it says nothing, when it cannot deliver now."""
        await self._client.service_client.check_health(timeout=CALL_TIMEOUT)

    # Starting activities

    def _start_soon(self, name: str, key: str, number: int) -> None:
        if number not in self._starting and not self._is_closing:
            self._starting[number] = asyncio.create_task(
                self._start(name, key, number), name=f"durable.temporal.start:{number}")

    async def _start(self, name: str, key: str, number: int) -> None:
        """Start the activity of one grant, whose id is the grant: started twice, it is there once."""
        try:
            while True:
                try:
                    await self._client.start_activity(
                        ACTIVITY, args=[name, key, number], id=_id_of(name, number), task_queue=self._queue,
                        start_to_close_timeout=NO_LIMIT, heartbeat_timeout=timedelta(seconds=self._lease_s),
                        retry_policy=ONCE, id_conflict_policy=ActivityIDConflictPolicy.USE_EXISTING,
                        id_reuse_policy=ActivityIDReusePolicy.REJECT_DUPLICATE, rpc_timeout=CALL_TIMEOUT)
                except ActivityAlreadyStartedError:
                    break
                except RPCError as error:
                    log.warning("durable.activity_not_started", job=name, job_key=key, error=_said(error))
                    await asyncio.sleep(AGAIN_S)
                else:
                    break
            self._runner.begun(number)
        finally:
            self._starting.pop(number, None)

    def _forget(self) -> None:
        """Start nothing more of what this process was granted: it gives it back, or others have freed it."""
        for task in self._starting.values():
            task.cancel()

    # Running activities

    async def _take_forever(self) -> None:
        """Take activities; a worker that Temporal has ended, as when its namespace was gone, is made anew."""
        while not self._is_closing:
            self._worker = ActivityWorker(
                self._client, task_queue=self._queue, activities=[self._run],
                max_concurrent_activities=self._lease.places,
                max_heartbeat_throttle_interval=timedelta(seconds=self._lease_s / 4),
                graceful_shutdown_timeout=NO_LIMIT)
            try:
                await self._worker.run()
            except Exception as error:  # noqa: BLE001  # whatever it was, the jobs of this process go on
                log.warning("durable.temporal_worker_ended", error=_said(error))
                await asyncio.sleep(AGAIN_S)

    async def _leave(self) -> None:
        if self._worker and self._worker.is_running:
            await self._worker.shutdown()

    @activity.defn(name=ACTIVITY)
    async def _run(self, name: str, key: str, number: int) -> None:
        self._taking.add(number)
        try:
            grant = await self._begin(name, key, number)
            task = self._runner.begin(grant).task if grant else None
        finally:
            self._taking.discard(number)
        if task:
            await self._stay_with(task)

    async def _begin(self, name: str, key: str, number: int) -> asyncpg.Record | None:
        """Take a job over from whoever granted it; None when it is not ours to begin.

        What goes wrong is written into our log and not into Temporal's: the job has not begun, and is given back when
        that is seen.
        """
        try:
            async with self._database.recording(None) as connection:
                if not self._is_closing and name in self._runner.kinds:
                    return await grants_of.begin(connection, self._lease.id, name, key, number)
                await grants_of.give_back(connection, name, key, number, UNKNOWN_KIND_AGAIN)
            self._bus.tell_dispatcher(WORD_JOBS)
        except DatabaseUnavailable as error:
            log.warning("durable.job_not_begun", job=name, job_key=key, error=_said(error))
        except Exception:
            log.exception("durable.job_not_begun", job=name, job_key=key)
        return None

    async def _stay_with(self, task: asyncio.Task[None]) -> None:
        """Tell Temporal that a job is at work until it has ended; the job outlives an activity that was ended."""
        with contextlib.suppress(asyncio.CancelledError):
            while not task.done():
                activity.heartbeat()
                await asyncio.wait([task], timeout=self._lease_s / 4)

    # Looking after what was granted

    async def _look_forever(self) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 4)
            try:
                await self.lost()
            except (DatabaseUnavailable, RPCError) as error:
                log.warning("durable.grants_not_read", error=_said(error))
            except Exception:
                log.exception("durable.grants_not_read")

    def _is_at_work(self, row: asyncpg.Record) -> bool:
        return row["number"] in self._taking or self._runner.has(row["name"], row["key"])

    async def _look_after(
        self, waiting: Iterable[asyncpg.Record], states: dict[int, ActivityExecutionStatus | None]
    ) -> None:
        """Start what Temporal does not know; give back what it ended before a worker began it."""
        ended: list[asyncpg.Record] = []
        for row in waiting:
            state = states[row["number"]]
            if state is None:
                self._start_soon(row["name"], row["key"], row["number"])
            elif state is not ActivityExecutionStatus.RUNNING:
                ended.append(row)
        if not ended:
            return
        async with self._database.recording(None) as connection:
            for row in ended:
                await grants_of.give_back(connection, row["name"], row["key"], row["number"])
        self._bus.tell_dispatcher(WORD_JOBS)

    async def _states_of(self, rows: Sequence[asyncpg.Record]) -> dict[int, ActivityExecutionStatus | None]:
        """Ask what became of activities, by number; None for one that Temporal does not know."""
        states: dict[int, ActivityExecutionStatus | None] = {}
        for first in range(0, len(rows), ASKED_AT_ONCE):
            some = rows[first:first + ASKED_AT_ONCE]
            found = await asyncio.gather(*(self._state_of(_id_of(r["name"], r["number"])) for r in some))
            states.update(zip((row["number"] for row in some), found, strict=True))
        return states

    async def _state_of(self, activity_id: str) -> ActivityExecutionStatus | None:
        try:
            return (await self._client.get_activity_handle(activity_id).describe(rpc_timeout=CALL_TIMEOUT)).status
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise


def _id_of(name: str, number: int) -> str:
    """Return an activity's id; it has no key, because a job may go on under another one."""
    return f"{name}:{number}"


def _said(error: BaseException) -> str:
    """Return an error's words as one line without a full stop."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
