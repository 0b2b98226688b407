"""A process that stood still does not know what others did meanwhile: it begins nothing until its lease is renewed."""

import asyncio
import time
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.durable import queries
from automatos.durable.types import HeldJob, Interruption
from automatos.kernel.db import Database
from tests.durable.conftest import Process, Processes, Queue, Seen, until


def stand_still(process: Process) -> None:
    """What is left after a standstill that was longer than the lease."""
    process.lease._certain_until = time.monotonic()


async def test_a_process_that_stood_still_begins_nothing_until_its_lease_is_renewed(processes: Processes) -> None:
    process = await processes.start(lease_s=60)
    async with asyncio.timeout(5):
        await process.lease.until_certain()
    stand_still(process)
    asking = asyncio.create_task(process.lease.until_certain())
    await asyncio.sleep(0.05)
    assert not asking.done()

    await process.lease._renew()

    async with asyncio.timeout(5):
        await asking


async def test_a_process_that_was_buried_while_it_stood_still_is_interrupted_and_begins_nothing(
    processes: Processes, queue: Queue, database: Database
) -> None:
    begun = list[str]()

    async def begin(job: HeldJob) -> None:
        await process.lease.until_certain()
        begun.append(job.key)

    seen = Seen(begin)
    process = await processes.start(seen.handlers(), lease_s=60)
    stand_still(process)
    await queue.add("x")
    await until(lambda: seen.driven)
    async with database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", process.lease.id)

    await process.lease._renew()
    await until(lambda: seen.interrupted)

    assert seen.interrupted == [("x", Interruption.LEASE_LOST)]
    await until(lambda: begun)
    assert seen.driven == ["x", "x"], "it was begun once more, under the new lease"


async def test_work_that_outlasts_its_interruption_begins_nothing_under_the_new_lease(
    processes: Processes, queue: Queue, database: Database
) -> None:
    """The second giving of the job may begin; what still goes on of the first, in a task that nobody cancelled, not."""
    renewed, outlasting = asyncio.Event(), list[asyncio.Task[None]]()
    begun = list[int]()

    async def begin(turn: int) -> None:
        await renewed.wait()
        await process.lease.until_certain()
        begun.append(turn)

    async def work(job: HeldJob) -> None:
        outlasting.append(asyncio.create_task(begin(len(outlasting))))
        await asyncio.shield(outlasting[-1])

    process = await processes.start(Seen(work).handlers(), lease_s=60)
    await queue.add("x")
    await until(lambda: outlasting)
    async with database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", process.lease.id)
    await process.lease._renew()
    await until(lambda: len(outlasting) == 2)
    renewed.set()
    await asyncio.wait(outlasting)

    assert begun == [1]
    assert outlasting[0].cancelled()


async def test_jobs_given_under_a_lease_that_was_lost_meanwhile_are_not_begun(
    processes: Processes, queue: Queue, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    holders, lost = list[UUID](), list[UUID]()

    async def note(job: HeldJob) -> None:
        holders.append(job.executor_id)

    def and_be_buried(give: Any) -> Any:
        async def give_and_be_buried(
            connection: asyncpg.Connection, epoch: int, dispatcher_id: UUID, *more: Any
        ) -> list[Any]:
            rows = await give(connection, epoch, dispatcher_id, *more)
            if any(row["number"] for row in rows) and not lost:
                lost.append(dispatcher_id)
                async with database.recording(None) as other:
                    await other.execute("DELETE FROM durable.executors WHERE id = $1", dispatcher_id)
                await process.lease._renew()
            return rows

        return give_and_be_buried

    process = await processes.start(Seen(note).handlers(), lease_s=0.8)
    for name in ("changes_granted", "grant_jobs"):
        monkeypatch.setattr(queries, name, and_be_buried(getattr(queries, name)))
    await queue.add("x")
    await until(lambda: holders)

    assert lost
    assert lost[0] not in holders


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_a_process_that_has_no_lease_to_lose_waits_for_none(
    processes: Processes, is_stopped: bool
) -> None:
    process = await processes.start(lease_s=60)
    if is_stopped:
        stand_still(process)
        await process.lease.stop()
    async with asyncio.timeout(5):
        await process.lease.until_certain()
