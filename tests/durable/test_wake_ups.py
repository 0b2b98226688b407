"""News of a job costs one look and one grant, however many workers there are; none is left waiting for it."""

import asyncio
from collections import Counter

import pytest

from automatos.durable import dispatcher, leases, queries
from automatos.durable.service import wake
from automatos.durable.types import HeldJob
from automatos.kernel.ids import new_id
from tests.durable.conftest import Process, Processes, Queue, Seen, until

WORKERS = 6
STATEMENTS = ("changes", "changes_granted", "grant_jobs", "granted_since", "held_jobs", "takers", "jobs_named",
              "waiting_jobs")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each statement was sent that finds or gives out jobs; nobody looks by itself meanwhile."""
    for module, name in ((dispatcher, "LOOK_EVERY_S"), (dispatcher, "RECOUNT_EVERY_S"), (leases, "LOOK_EVERY_S")):
        monkeypatch.setattr(module, name, 3600.0)
    counted: Counter[str] = Counter()
    for name in STATEMENTS:
        monkeypatch.setattr(queries, name, counting(counted, name))
    return counted


def counting(counted: Counter[str], name: str) -> object:
    real = getattr(queries, name)

    def count(*arguments: object) -> object:
        counted[name] += 1
        return real(*arguments)

    return count


async def all_know_who_gives_out(processes: Processes) -> None:
    async def they_do() -> bool:
        async with processes.database.recording(None) as connection:
            leading = await connection.fetchval("SELECT executor_id FROM durable.dispatcher")
        return leading is not None and all(
            process.lease.dispatcher_id == leading and process.bus.is_listening for process in processes.alive)

    await until(they_do)
    await asyncio.sleep(0.1)  # what they told each other meanwhile has been read


async def test_a_job_costs_one_look_and_one_grant_with_six_workers_as_with_one(
    processes: Processes, queue: Queue, sent: Counter[str]
) -> None:
    seen = Seen()
    for _ in range(WORKERS):
        await processes.start(seen.handlers())
    sender = await processes.start()
    await all_know_who_gives_out(processes)
    sent.clear()

    for number in range(20):
        await queue.add(str(number))
        wake(sender.bus)
        await until(lambda wanted=number + 1: len(seen.driven) == wanted)

    # A word that arrives during a look is looked into once more; six workers that looked each would send 120.
    assert sent["changes"] + sent["changes_granted"] <= 2 * 20
    assert sent["grant_jobs"] + sent["granted_since"] <= 2 * 20
    assert sent.total() <= 3 * 20


async def test_jobs_go_to_a_worker_with_room_and_not_to_a_full_one(
    processes: Processes, queue: Queue, sent: Counter[str]
) -> None:
    hold = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await hold.wait()

    full, free = Seen(wait), Seen()
    first = await processes.start(full.handlers(), capacity=1)
    await queue.add("long", new_id())
    wake(first.bus)
    await until(lambda: full.driven == ["long"])
    await processes.start(free.handlers(), capacity=1)
    sender = await processes.start()
    await all_know_who_gives_out(processes)

    for number in range(10):
        await queue.add(str(number), new_id())
        wake(sender.bus)
        await until(lambda wanted=number + 1: len(free.driven) == wanted)

    assert full.driven == ["long"]
    hold.set()
    assert sent


async def test_one_word_for_many_jobs_fills_every_worker(
    processes: Processes, queue: Queue, sent: Counter[str]
) -> None:
    hold = asyncio.Event()

    async def wait(_: HeldJob) -> None:
        await hold.wait()

    seen = Seen(wait)
    started: list[Process] = [await processes.start(seen.handlers(), capacity=3) for _ in range(3)]
    await all_know_who_gives_out(processes)
    for number in range(9):
        await queue.add(str(number), new_id())

    wake(started[1].bus)

    await until(lambda: len(seen.driven) == 9)
    assert sent["grant_jobs"] == 1
    hold.set()


async def test_a_process_that_lost_its_lease_is_told_under_its_new_name(
    processes: Processes, queue: Queue, sent: Counter[str]
) -> None:
    seen = Seen()
    process = await processes.start(seen.handlers(), lease_s=1.0)
    old = process.lease.id
    async with queue.database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", old)
    await until(lambda: process.lease.id != old)
    sender = await processes.start()
    await until(lambda: sender.lease.dispatcher_id == process.lease.id)
    await until(lambda: process.bus.is_listening)

    await queue.add("found")
    async with asyncio.timeout(30):
        while not seen.driven:
            wake(sender.bus)
            await asyncio.sleep(0.1)

    assert sent
