"""News of a job wakes one worker that has room, however many there are; none is left waiting for it."""

import asyncio

import asyncpg
import pytest

from automatos.durable import queries, worker
from automatos.durable.service import wake
from automatos.durable.types import HeldJob
from automatos.kernel.ids import new_id
from tests.durable.conftest import Process, Processes, Queue, Seen, until

WORKERS = 6


@pytest.fixture
def claims(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many jobs each claim took; no worker looks by itself meanwhile."""
    monkeypatch.setattr(worker, "IDLE_POLL_S", 3600.0)
    taken: list[int] = []
    real = queries.claim

    async def counted(*arguments: object) -> list[asyncpg.Record]:
        rows = await real(*arguments)  # type: ignore[arg-type]
        taken.append(len(rows))
        return rows

    monkeypatch.setattr(queries, "claim", counted)
    return taken


async def all_know_of_each_other(processes: Processes) -> None:
    working = sum(1 for process in processes.alive if process.worker)
    await until(lambda: all(
        len(process.presence.workers) == working - (process.worker is not None) and process.bus.is_listening
        for process in processes.alive))


async def test_a_job_costs_two_claims_with_six_workers_as_with_one(
    processes: Processes, queue: Queue, claims: list[int]
) -> None:
    seen = Seen()
    for _ in range(WORKERS):
        await processes.start(seen.handlers())
    sender = await processes.start()
    await all_know_of_each_other(processes)
    claims.clear()

    for number in range(20):
        await queue.add(str(number))
        wake(sender.bus)
        await until(lambda wanted=number + 1: len(seen.driven) == wanted)

    assert sum(claims) == 20
    assert len(claims) <= 2 * 20


async def test_a_word_that_meets_a_full_worker_goes_on_to_one_with_room(
    processes: Processes, queue: Queue, claims: list[int]
) -> None:
    hold = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await hold.wait()

    full, free = Seen(wait), Seen()
    await queue.add("long", new_id())
    await processes.start(full.handlers(), capacity=1)
    await until(lambda: full.driven == ["long"])
    await processes.start(free.handlers(), capacity=1)
    sender = await processes.start()
    await all_know_of_each_other(processes)

    for number in range(10):
        await queue.add(str(number), new_id())
        wake(sender.bus)
        await until(lambda wanted=number + 1: len(free.driven) == wanted)

    assert full.driven == ["long"]
    hold.set()
    assert claims


async def test_a_worker_that_has_filled_itself_tells_another_of_what_is_left(
    processes: Processes, queue: Queue, claims: list[int]
) -> None:
    hold = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await hold.wait()

    seen = Seen(wait)
    started: list[Process] = [await processes.start(seen.handlers(), capacity=3) for _ in range(3)]
    await all_know_of_each_other(processes)
    for number in range(9):
        await queue.add(str(number), new_id())

    wake(started[0].bus)

    await until(lambda: len(seen.driven) == 9)
    assert sum(claims) == 9
    hold.set()


async def test_a_process_that_lost_its_lease_is_told_under_its_new_name(
    processes: Processes, queue: Queue, claims: list[int]
) -> None:
    seen = Seen()
    process = await processes.start(seen.handlers(), lease_s=1.0)
    old = process.presence.id
    async with queue.database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", old)
    await until(lambda: process.presence.id != old)
    sender = await processes.start()
    await until(lambda: sender.presence.workers == [process.presence.id])
    await until(lambda: process.bus.is_listening)

    await queue.add("found")
    async with asyncio.timeout(30):
        while not seen.driven:
            wake(sender.bus)
            await asyncio.sleep(0.1)

    assert claims
