"""The office: one process gives out jobs, another takes over when it is gone, and a late one gives out nothing."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.durable import dispatcher, leases, queries
from automatos.durable.service import drop_group, wake
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.ids import new_id
from tests.durable.conftest import Process, Processes, Queue, Seen, forever, registered, until


async def leading(database: Database) -> UUID | None:
    async with database.recording(None) as connection:
        return await connection.fetchval("SELECT executor_id FROM durable.dispatcher")


async def office_of(processes: Processes, *, count: int = 3, lease_s: float = 2.0) -> tuple[Process, list[Process]]:
    """Start processes that work; returns the one that gives out jobs, and the others."""
    seen = Seen()
    started = [await processes.start(seen.handlers(), lease_s=lease_s) for _ in range(count)]
    await until(lambda: all(process.bus.is_listening for process in started))
    holder = await leading(processes.database)
    (first,) = [process for process in started if process.lease.id == holder]
    return first, [process for process in started if process is not first]


async def test_of_many_processes_one_gives_out_jobs(processes: Processes) -> None:
    first, others = await office_of(processes)

    assert first.worker
    assert first.worker._dispatcher.is_leading
    assert [process.worker._dispatcher.is_leading for process in others if process.worker] == [False, False]
    await until(lambda: all(process.lease.dispatcher_id == first.lease.id for process in others))


async def test_when_it_stops_another_goes_on_at_once(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's lease is renewed meanwhile, so nobody could notice by himself."""
    first, others = await office_of(processes, lease_s=3600.0)

    await processes.stop(first)

    await until(lambda: any(process.worker and process.worker._dispatcher.is_leading for process in others))


async def test_when_it_is_killed_another_goes_on_long_before_its_lease_ends(
    processes: Processes, queue: Queue
) -> None:
    seen = Seen()
    first = await processes.start(seen.handlers(), lease_s=3600.0)
    await until(lambda: first.bus.is_listening)
    other = await processes.start(seen.handlers(), lease_s=1.0)
    assert await leading(queue.database) == first.lease.id

    await processes.kill(first)
    await queue.add("orphaned news")

    await until(lambda: seen.driven == ["orphaned news"])
    assert await leading(queue.database) == other.lease.id
    async with queue.database.recording(None) as connection:
        assert await connection.fetchval("SELECT expires_at > now() FROM durable.executors WHERE id = $1",
                                         first.lease.id)


async def test_a_killed_worker_is_given_nothing_long_before_its_lease_ends(processes: Processes, queue: Queue) -> None:
    seen, lost = Seen(), Seen()
    first = await processes.start(seen.handlers(), capacity=8)
    doomed = await processes.start(lost.handlers(), capacity=8, lease_s=3600.0)
    await until(lambda: doomed.bus.is_listening)
    assert await leading(queue.database) == first.lease.id

    await processes.kill(doomed)
    for number in range(8):
        await queue.add(str(number))
    wake(first.bus)

    await until(lambda: len(seen.driven) == 8)
    assert lost.driven == []


async def test_grants_of_an_earlier_epoch_give_nothing(database: Database, queue: Queue) -> None:
    await queue.add("fenced")
    async with database.recording(None) as connection:
        first, second = await registered(connection), await registered(connection)
        before = await queries.bid(connection, first)
        assert await queries.bid(connection, second) is None
        await queries.resign(connection, first)
        after = await queries.bid(connection, second)
        assert before
        assert after
        late = await queries.grant_jobs(connection, before, first, [("test.work", "fenced", "", first)])
        given = await queries.grant_jobs(connection, after, second, [("test.work", "fenced", "", second)])

    assert late == []
    assert [row["holder"] for row in given] == [second]


async def test_one_that_lost_the_office_without_noticing_leaves_it(processes: Processes, queue: Queue) -> None:
    seen = Seen()
    first = await processes.start(seen.handlers())
    await until(lambda: first.worker and first.worker._dispatcher.is_leading)
    async with queue.database.recording(None) as connection:
        usurper = await registered(connection)
        await connection.execute("UPDATE durable.dispatcher SET executor_id = $1, epoch = epoch + 1", usurper)
        await queue.add("waits")
        await until(lambda: first.worker and not first.worker._dispatcher.is_leading)
        assert seen.driven == []
        await queries.retire(connection, usurper)

    await until(lambda: seen.driven == ["waits"])


async def test_a_grant_whose_notice_is_lost_is_found(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.3)
    seen = Seen()
    process = await processes.start(seen.handlers())
    await queue.add("granted")
    async with queue.database.recording(None) as connection:
        await connection.execute(
            "UPDATE durable.jobs SET executor_id = $1, attempts = 1, number = nextval('durable.grant_numbers') "
            "WHERE executor_id IS NULL", process.lease.id)

    await until(lambda: seen.driven == ["granted"])


async def test_a_worker_that_does_not_say_it_has_begun_is_given_nothing_more_until_it_does(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dispatcher, "SILENT_AFTER_S", 0.1)
    near, far = Seen(forever), Seen(forever)
    first = await processes.start(near.handlers(), capacity=2)
    other = await processes.start(far.handlers(), capacity=50, lease_s=3600.0)
    await until(lambda: first.bus.is_listening and other.bus.is_listening)
    assert other.worker
    reading = other.worker._delivery
    assert isinstance(reading, leases.LeaseDelivery)
    assert reading._looks
    reading._looks.cancel()
    await asyncio.gather(reading._looks, return_exceptions=True)
    for number in range(3):
        await queue.add(f"{number}", new_id())
    wake(first.bus)

    async def is_given() -> bool:
        async with queue.database.recording(None) as connection:
            return bool(await connection.fetchval(
                "SELECT count(*) FROM durable.jobs WHERE executor_id = $1", other.lease.id))

    await until(is_given)
    await asyncio.sleep(0.3)
    async with queue.database.recording(None) as connection:
        before = await connection.fetchval(
            "SELECT count(*) FROM durable.jobs WHERE executor_id = $1", other.lease.id)
        for number in range(3, 30):
            await queue.add(f"{number}", new_id())
        wake(first.bus)
        await until(lambda: len(near.driven) == 2)
        await asyncio.sleep(0.2)
        assert before == await connection.fetchval(
            "SELECT count(*) FROM durable.jobs WHERE executor_id = $1", other.lease.id)

    reading._looks = asyncio.create_task(reading._look_forever())
    await until(lambda: len(far.driven) == 28)


async def test_places_that_others_took_without_telling_are_counted(
    processes: Processes, queue: Queue
) -> None:
    """As a process of the version before, or a job that changes its group, whose word is lost."""
    await queue.set_group("agent:1", 1)
    await queue.add("unheard of", lane="agent:1")
    async with queue.database.recording(None) as connection:
        holder = await registered(connection)
    await queue.change("unheard of", f"executor_id = '{holder}'")
    seen = Seen()
    process = await processes.start(seen.handlers())
    await until(lambda: process.worker and process.worker._dispatcher.is_leading)
    await queue.change("unheard of", "lane = 'elsewhere'")
    await queue.add("first", lane="agent:1")
    wake(process.bus)
    await until(lambda: seen.driven == ["first"])

    await queue.add("second", lane="agent:1")
    await queue.change("second", f"executor_id = '{holder}'")
    await queue.add("third", lane="agent:1")
    wake(process.bus)
    await asyncio.sleep(0.4)
    assert seen.driven == ["first"]
    async with queue.database.recording(None) as connection:
        await queries.finish(connection, "test.work", "second", holder)

    await until(lambda: seen.driven == ["first", "third"])


async def test_a_word_about_a_group_that_opens_or_goes_lets_its_jobs_begin(processes: Processes, queue: Queue) -> None:
    for name in ("opened", "gone"):
        await queue.set_group(name, 1, "held")
        await queue.add(f"in {name}", lane=name)
    seen = Seen()
    process = await processes.start(seen.handlers())
    await until(lambda: process.worker and process.worker._dispatcher.is_leading)

    await queue.set_group("opened", 1)
    wake(process.bus)
    await until(lambda: seen.driven == ["in opened"])
    async with queue.database.session(None) as session:
        await drop_group(session, "gone")
    wake(process.bus)

    await until(lambda: seen.driven == ["in opened", "in gone"])


@pytest.mark.parametrize("how", ["changes_granted", "grant_jobs"])
async def test_a_grant_whose_answer_was_lost_is_given_back_and_given_again(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """Although later grants have come since, by whose number it is no news any more."""
    monkeypatch.setattr(leases, "COMPARE_EVERY_S", 1e6)
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.05)
    give, lost = getattr(queries, how), list[str]()
    look, looks = queries.granted_since, list[UUID]()

    async def count_looks(connection: asyncpg.Connection, holder: UUID, number: int) -> list[asyncpg.Record]:
        looks.append(holder)
        return await look(connection, holder, number)

    async def and_lose(*arguments: Any) -> Any:
        rows = await give(*arguments)
        if not lost and (keys := [row["key"] for row in rows if row.get("number") is not None]):
            lost.extend(keys)
            await queue.add("later")
            raise DatabaseUnavailable
        return rows

    seen = Seen()
    process = await processes.start(seen.handlers(), capacity=4)
    await until(lambda: process.worker and process.worker._dispatcher.is_leading)
    monkeypatch.setattr(queries, "granted_since", count_looks)
    await until(lambda: len(looks) > 3)  # what it holds was compared with the rows once, as at every start
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 3.0)  # later than the dispatcher goes on
    compared = len(looks)
    await until(lambda: len(looks) > compared)
    monkeypatch.setattr(queries, how, and_lose)
    if how == "grant_jobs":
        monkeypatch.setattr(process.database, "has_room", _first_not(process.database.has_room))
    await queue.add("lost")
    wake(process.bus)

    await until(lambda: sorted(seen.driven) == ["later", "lost"])
    assert lost == ["lost"]


def _first_not(has_room: Callable[[], Awaitable[bool]]) -> Callable[[], Awaitable[bool]]:
    """Say once that there is no room: then news are read without being begun."""
    asked = list[bool]()

    async def first_not() -> bool:
        asked.append(True)
        return len(asked) > 1 and await has_room()

    return first_not


async def test_no_job_is_lost_or_begun_twice_while_processes_come_go_and_die(
    processes: Processes, queue: Queue
) -> None:
    done: Counter[str] = Counter()

    async def work(_: object) -> None:
        await asyncio.sleep(0.01)

    seen = Seen(work)
    for _ in range(3):
        await processes.start(seen.handlers(), capacity=4, lease_s=1.0)
    for number in range(150):
        await queue.add(str(number), UUID(int=number % 7))
        if number % 30 == 10:
            await processes.stop(processes.alive[0])
            await processes.start(seen.handlers(), capacity=4, lease_s=1.0)
        wake(processes.alive[-1].bus)
    held = await processes.kill(processes.alive[0])

    async def is_empty() -> bool:
        async with queue.database.recording(None) as connection:
            return not await connection.fetchval("SELECT count(*) FROM durable.jobs")

    await until(is_empty)
    done.update(seen.driven)
    assert set(done) == {str(number) for number in range(150)}
    interrupted = {key for key, _ in seen.interrupted}
    assert {key for key, times in done.items() if times > 1} <= interrupted | held
