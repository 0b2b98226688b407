"""A job that begins where it is stored: held from its first moment, and only where nobody waits for its place."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from automatos.durable import leases
from automatos.durable.reservation import Reservation
from automatos.durable.service import wake
from automatos.durable.types import HeldJob, Interruption, Job
from automatos.durable.waiting import HeldPlace, Taker, WaitingJob, WaitingSet
from automatos.durable.worker import Worker
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import Process, Processes, Queue, Seen, forever, until

WORK = Job("test.work")
LANE = "agent:1"


async def stored(
    database: Database, place: Reservation, key: str, *, lane: str = LANE, priority: int = 1, epoch: int | None = None,
    holder: UUID | None = None,
) -> bool:
    """Store a job as held; says whether it is."""
    async with database.recording(None) as connection:
        return await connection.fetchval(
            "SELECT durable.enqueue_begun($1, $2, $3, $4, $5, $6, $7)", WORK.name, key, new_id(), priority, lane,
            holder or place.holder, place.epoch if epoch is None else epoch)


async def worker_of(process: Process) -> Worker:
    """The worker of a process that gives out jobs by now."""
    assert process.worker
    await until(lambda: process.worker and process.worker.is_leading and process.worker._dispatcher.waiting.takers)
    return process.worker


def reserved(worker: Worker, key: str, lane: str = LANE) -> Reservation:
    place = worker.reserve(WORK, key, new_id(), lane)
    assert place
    return place


async def test_a_reserved_job_begins_without_being_given_out(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 3600.0)
    await queue.set_group(LANE, 2)
    seen, begun = Seen(), list[str]()

    async def work(job: HeldJob) -> None:
        begun.append(job.key)

    process = await processes.start(seen.handlers())
    worker = await worker_of(process)
    place = reserved(worker, "one")
    assert await stored(queue.database, place, "one")
    row = await queue.row("one")
    place.begin(work)
    await until(lambda: begun)
    await until(lambda: not worker.running)

    assert row
    assert (row["executor_id"], row["attempts"], row["number"]) == (process.lease.id, 1, 0)
    assert (begun, seen.driven, await queue.row("one")) == (["one"], [], None)


async def test_what_it_does_not_finish_is_given_out_as_any_other_job(processes: Processes, queue: Queue) -> None:
    seen, begun = Seen(), list[str]()

    async def fail(job: HeldJob) -> None:
        begun.append(job.key)
        job.again_in = timedelta()

    worker = await worker_of(await processes.start(seen.handlers()))
    place = reserved(worker, "one")
    assert await stored(queue.database, place, "one")
    place.begin(fail)
    await until(lambda: seen.driven)

    assert (begun, seen.driven) == (["one"], ["one"])


@pytest.mark.parametrize(("capacity", "mode", "waits", "is_held"), [
    (2, "open", None, True), (1, "open", None, False), (2, "held", None, False), (2, "closed", None, False),
    (2, "open", 1, False), (2, "open", 2, False), (2, "open", 0, True),
])
async def test_it_is_held_only_where_its_lane_has_room_and_nobody_waits_there_who_comes_first(
    processes: Processes, queue: Queue, capacity: int, mode: str, waits: int | None, is_held: bool
) -> None:
    worker = await worker_of(await processes.start(Seen().handlers()))
    place = reserved(worker, "one")
    await queue.set_group(LANE, capacity, mode)
    async with queue.database.recording(None) as connection:  # unknown to the dispatcher: of a kind that nobody does
        await connection.execute("INSERT INTO durable.jobs (name, key, workspace_id, lane, executor_id) "
                                 "VALUES ('other', 'held', $1, $2, $1)", new_id(), LANE)
        if waits is not None:
            await connection.execute(
                "SELECT durable.enqueue('other', 'waiting', $1, $2, NULL, $3)", new_id(), waits, LANE)

    assert await stored(queue.database, place, "one") is is_held
    assert bool(await queue.row("one")) is is_held
    place.release()


async def test_two_that_are_stored_at_once_do_not_both_take_the_last_place(processes: Processes, queue: Queue) -> None:
    await queue.set_group(LANE, 1)
    worker = await worker_of(await processes.start(Seen().handlers()))
    places = {key: reserved(worker, key) for key in ("one", "two")}

    held = await asyncio.gather(*(stored(queue.database, place, key) for key, place in places.items()))

    assert sorted(held) == [False, True]
    for place in places.values():
        place.release()


async def test_who_gives_out_jobs_no_more_holds_none(processes: Processes, queue: Queue) -> None:
    worker = await worker_of(await processes.start(Seen().handlers()))
    place = reserved(worker, "one")

    assert not await stored(queue.database, place, "one", epoch=place.epoch - 1)
    assert not await stored(queue.database, place, "one", holder=new_id())
    place.release()


async def test_a_process_that_gives_out_no_jobs_reserves_nothing(processes: Processes, queue: Queue) -> None:
    await worker_of(await processes.start(Seen().handlers()))
    other = await processes.start(Seen().handlers())

    assert other.worker
    assert other.worker.reserve(WORK, "one", new_id(), LANE) is None


async def test_with_places_that_others_share_nothing_is_reserved(processes: Processes, temporal_server: Any) -> None:
    processes.temporal = temporal_server
    worker = await worker_of(await processes.start(Seen().handlers()))

    assert worker.reserve(WORK, "one", new_id(), LANE) is None


async def test_no_more_is_reserved_than_there_are_places(processes: Processes, queue: Queue) -> None:
    worker = await worker_of(await processes.start(Seen().handlers(), capacity=2))
    places = [reserved(worker, key) for key in ("one", "two")]

    assert worker.reserve(WORK, "three", new_id(), LANE) is None
    places[0].release()
    assert worker.reserve(WORK, "three", new_id(), LANE)


async def test_a_job_that_was_told_of_and_not_read_yet_keeps_its_place(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = await processes.start(Seen(forever).handlers(), capacity=1)
    worker = await worker_of(process)

    wake(process.bus)  # before anything else is done, as by a request that has queued a job

    assert worker.reserve(WORK, "one", new_id(), LANE) is None
    await until(lambda: worker.reserve(WORK, "one", new_id(), LANE))


async def test_one_that_may_be_stored_and_never_began_is_given_back(processes: Processes, queue: Queue) -> None:
    seen = Seen()
    process = await processes.start(seen.handlers())
    worker = await worker_of(process)
    place = reserved(worker, "one")
    assert await stored(queue.database, place, "one")

    place.release(is_unsure=True)  # its answer was lost
    await worker._delivery.lost()
    wake(process.bus)
    await until(lambda: seen.driven)

    assert seen.driven == ["one"]


async def test_one_whose_answer_is_lost_while_rows_are_compared_is_given_back_at_the_next_look(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "LOOK_EVERY_S", 0.05)
    seen = Seen()
    worker = await worker_of(await processes.start(seen.handlers()))
    place = reserved(worker, "one")
    assert await stored(queue.database, place, "one")
    compare = leases.LeaseDelivery.lost
    is_first = iter([True])

    async def lose_the_answer_meanwhile(delivery: leases.LeaseDelivery) -> None:
        await compare(delivery)
        if next(is_first, False):
            place.release(is_unsure=True)

    monkeypatch.setattr(leases.LeaseDelivery, "lost", lose_the_answer_meanwhile)
    worker.is_unsure = True
    await until(lambda: seen.driven, timeout_s=30)

    assert seen.driven == ["one"]


async def test_while_it_is_stored_it_is_not_taken_for_one_that_nobody_works_on(
    processes: Processes, queue: Queue
) -> None:
    worker = await worker_of(await processes.start(Seen().handlers()))
    place = reserved(worker, "one")
    assert await stored(queue.database, place, "one")

    await worker._delivery.lost()

    row = await queue.row("one")
    assert row
    assert row["executor_id"] == place.holder
    place.release(is_unsure=True)


async def test_of_one_whose_process_was_buried_meanwhile_nothing_begins_here(
    processes: Processes, queue: Queue
) -> None:
    begun: list[str] = []

    async def work(job: HeldJob) -> None:
        begun.append(job.key)

    process = await processes.start(Seen().handlers())
    worker = await worker_of(process)
    place = reserved(worker, "one")
    process.lease.id = new_id()  # it was declared dead, and has registered anew

    place.begin(work)

    assert (begun, worker.has(WORK.name, "one"), worker.is_unsure) == ([], False, True)


async def test_stopping_waits_for_what_is_being_stored_and_gives_it_back(processes: Processes, queue: Queue) -> None:
    interrupted: list[str | None] = []

    async def work(job: HeldJob) -> None:
        try:
            await forever(job)
        finally:
            interrupted.append(job.interruption)

    process = await processes.start(Seen().handlers())
    worker = await worker_of(process)
    place = reserved(worker, "one")
    assert await stored(queue.database, place, "one")
    stopping = asyncio.create_task(worker.stop(0.2))
    await until(lambda: not worker.is_leading)
    place.begin(work)
    await stopping

    row = await queue.row("one")
    assert row
    assert (interrupted, row["executor_id"], row["attempts"]) == ([Interruption.SHUTDOWN], None, 0)


def made(*others: int) -> tuple[WaitingSet, Taker]:
    local = Taker(new_id(), 2, frozenset({WORK.name}), is_local=True)
    waiting = WaitingSet()
    waiting.set_takers([local, *(Taker(new_id(), places, frozenset({WORK.name})) for places in others)])
    return waiting, local


def test_nobody_who_waits_for_a_turn_or_in_its_group_is_passed_by() -> None:
    workspace_id = new_id()
    waiting, local = made()
    assert waiting.may_begin(WORK.name, LANE, 0)
    assert not waiting.may_begin("other", LANE, 0)
    assert not waiting.may_begin(WORK.name, LANE, 2)

    waiting.add(WaitingJob(WORK.name, "held back", workspace_id, "paused", 1, 0.0), 0)
    assert waiting.may_begin(WORK.name, LANE, 0)
    assert not waiting.may_begin(WORK.name, "paused", 0)

    waiting.add(WaitingJob(WORK.name, "next", workspace_id, "", 1, 0.0))
    assert not waiting.may_begin(WORK.name, LANE, 0)
    assert [job.key for job, _ in waiting.pick(5)] == ["next"]
    assert waiting.may_begin(WORK.name, LANE, 0)

    waiting.hold((WORK.name, "last place"), HeldPlace(local.id, workspace_id, ""))
    assert not waiting.may_begin(WORK.name, LANE, 0)


def test_a_process_with_less_to_do_goes_before_this_one() -> None:
    waiting, local = made(2)
    assert waiting.may_begin(WORK.name, LANE, 0)

    waiting.hold((WORK.name, "one"), HeldPlace(local.id, new_id(), ""))

    assert not waiting.may_begin(WORK.name, LANE, 0)
