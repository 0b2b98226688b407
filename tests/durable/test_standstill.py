"""A process that stood still does not know what others did meanwhile: it begins nothing until its lease is renewed."""

import asyncio
import time

import pytest

from automatos.durable.types import HeldJob, Interruption
from automatos.kernel.db import Database
from tests.durable.conftest import Process, Processes, Queue, Seen, until


def stand_still(process: Process) -> None:
    """What is left after a standstill that was longer than the lease."""
    process.presence._certain_until = time.monotonic()


async def test_a_process_that_stood_still_begins_nothing_until_its_lease_is_renewed(processes: Processes) -> None:
    process = await processes.start(lease_s=60)
    async with asyncio.timeout(5):
        await process.presence.until_certain()
    stand_still(process)
    asking = asyncio.create_task(process.presence.until_certain())
    await asyncio.sleep(0.05)
    assert not asking.done()

    await process.presence._renew()

    async with asyncio.timeout(5):
        await asking


async def test_a_process_that_was_buried_while_it_stood_still_is_interrupted_and_begins_nothing(
    processes: Processes, queue: Queue, database: Database
) -> None:
    begun = list[str]()

    async def begin(job: HeldJob) -> None:
        await process.presence.until_certain()
        begun.append(job.key)

    seen = Seen(begin)
    process = await processes.start(seen.handlers(), lease_s=60)
    stand_still(process)
    await queue.add("x")
    await until(lambda: seen.driven)
    async with database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", process.presence.id)

    await process.presence._renew()
    await until(lambda: seen.interrupted)

    assert seen.interrupted == [("x", Interruption.LEASE_LOST)]
    await until(lambda: begun)
    assert seen.driven == ["x", "x"], "it was begun once more, under the new lease"


@pytest.mark.parametrize("is_stopped", [True, False])
async def test_a_process_that_has_no_lease_to_lose_waits_for_none(
    processes: Processes, is_stopped: bool
) -> None:
    process = await processes.start(lease_s=60)
    if is_stopped:
        stand_still(process)
        await process.presence.stop()
    async with asyncio.timeout(5):
        await process.presence.until_certain()
