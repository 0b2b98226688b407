"""The built-in delivery: a job is granted to a process, which begins it; its lease says whether it lives.

Grants of the process that gives out jobs to itself are a function call. Others are told by NOTIFY, and look now and
then, because notices are lost. Who dies is found by its lease (presence.py).
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import structlog

from automatos.durable import queries
from automatos.durable.bus import Bus
from automatos.durable.delivery import Grant, Runner
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable

log = structlog.get_logger("automatos.durable")
LOOK_EVERY_S = 5.0
"""How often this process reads whether it was given jobs that nobody could tell it of."""
COMPARE_EVERY_S = 60.0
"""How often it compares what it holds with what the rows say; after a return that failed, at its next look."""
LOOK_DEAF_S = 1.0
"""How often where nobody can tell it."""
EVERY_NUMBER = 2**63 - 1
WORD_GRANTED = "granted"


class LeaseDelivery:
    """Delivers to processes that hold a lease, each of which is given its jobs by name."""

    is_shared = False

    def __init__(self, database: Database, lease: WorkerLease, bus: Bus) -> None:
        self._database = database
        self._lease = lease
        self._runner: Runner
        self._number = 0
        self._granted = asyncio.Event()
        self._looks: asyncio.Task[None] | None = None
        bus.on_word(WORD_GRANTED, lambda _: self._granted.set())

    async def open(self, runner: Runner) -> None:
        """Offer this process's places, and look for what it is given."""
        self._runner = runner
        await self._lease.offer(runner.kinds)
        self._looks = asyncio.create_task(self._look_forever(), name="durable.look")

    def deliver(self, grants: Sequence[Grant]) -> None:
        """Begin granted jobs; each grant once, however often it is told."""
        for grant in grants:
            if grant["number"] > self._number:
                self._number = grant["number"]
                self._runner.begin(grant)

    def recall(self, name: str, key: str, word: str, group: str) -> None:
        """Pass a word on to the runner here; every process hears of it, and one of them has the job."""
        self._runner.receive(name, key, word, group)

    async def lost(self) -> None:
        """Give back what the database says this process holds, and it does not."""
        await self._give_back_the_unknown(self._number)

    async def probe(self) -> None:
        """Raise nothing: what it needs is the database, which is looked at by itself."""

    async def close(self, let_end: Callable[[], Awaitable[None]]) -> None:
        """Offer nothing more, and give back what this process was given and did not hear of."""
        if self._looks:
            self._looks.cancel()
            await asyncio.gather(self._looks, return_exceptions=True)
        with contextlib.suppress(DatabaseUnavailable):  # whoever reaps this process frees what it was given
            await self._lease.offer(())
            await self._give_back_the_unknown(EVERY_NUMBER)
        await let_end()

    async def _look_forever(self) -> None:
        """Begin what was granted by another process, and what nobody could tell."""
        compare_at = 0.0
        while True:
            try:
                async with asyncio.timeout(LOOK_EVERY_S if self._database.can_listen else LOOK_DEAF_S):
                    await self._granted.wait()
            except TimeoutError:
                pass
            self._granted.clear()
            try:
                await self._read_granted()
                moment = asyncio.get_running_loop().time()
                if self._runner.is_unsure or moment >= compare_at:
                    await self._compare()
                    compare_at = moment + COMPARE_EVERY_S
            except DatabaseUnavailable as error:
                log.warning("durable.grants_not_read", error=str(error) or type(error).__name__)
            except Exception:
                log.exception("durable.grants_not_read")

    async def _compare(self) -> None:
        """Give back what is not held; what becomes doubtful while the rows are read is compared at the next look."""
        self._runner.is_unsure = False
        try:
            await self.lost()
        except BaseException:
            self._runner.is_unsure = True
            raise

    async def _read_granted(self) -> None:
        holder = self._lease.id
        async with self._database.recording(None) as connection:
            grants = await queries.granted_since(connection, holder, self._number)
        if grants and holder == self._lease.id:
            self.deliver(grants)
            self._runner.begun(self._number)

    async def _give_back_the_unknown(self, up_to: int) -> None:
        """Give back what the rows say this process holds by grants up to a number, and it does not."""
        holder = self._lease.id
        async with self._database.recording(None) as connection:
            for row in await queries.granted_since(connection, holder, -1):
                if row["number"] <= up_to and not self._runner.has(row["name"], row["key"]):
                    await queries.give_back(connection, row["name"], row["key"], holder, row["number"])
