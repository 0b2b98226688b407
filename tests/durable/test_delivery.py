"""What every delivery promises, whatever carries a granted job to who runs it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest

from automatos.durable import worker
from automatos.durable.delivery import Grant
from automatos.durable.service import pause_group, signal_cancel, stop_group, tell_cancel, wake
from automatos.durable.types import HeldJob, Interruption, Job
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.db import Database
from tests.durable.conftest import Process, Processes, Queue, Seen, forever, until
from tests.temporal_server import TemporalServer

WORK = Job("test.work")


@dataclass
class Carried(Processes):
    """Processes that all use one delivery, which can lose everything it knows."""

    async def lose_everything(self) -> None:
        """Forget what was delivered to whom: the leases, or all that Temporal had."""
        if self.temporal:
            await self.temporal.restart_empty()
            return
        async with self.database.recording(None) as connection:
            await connection.execute("DELETE FROM durable.executors")


@pytest.fixture(params=["leases", "temporal"])
def temporal(request: pytest.FixtureRequest) -> TemporalServer | None:
    return request.getfixturevalue("temporal_server") if request.param == "temporal" else None


@pytest.fixture
async def carried(own_ground: Migrated, database: Database, temporal: TemporalServer | None) -> AsyncIterator[Carried]:
    started = Carried(own_ground, database, temporal)
    yield started
    for process in list(started.alive):
        await started.stop(process)


async def test_a_granted_job_begins_once_however_often_it_is_delivered(carried: Carried, queue: Queue) -> None:
    one, other = Seen(lambda _: asyncio.sleep(0.05)), Seen(lambda _: asyncio.sleep(0.05))
    for seen in (one, other):
        deliver_twice(await carried.start(seen.handlers()))
    for n in range(24):
        await queue.add(f"job-{n}")
    wake(carried.alive[0].bus)

    await until(lambda: _is_empty(queue))

    assert Counter(one.driven + other.driven) == {f"job-{n}": 1 for n in range(24)}


@pytest.mark.parametrize("heard_by", ["a word", "a look at the rows"])
async def test_a_word_left_for_a_job_reaches_its_runner(
    carried: Carried, queue: Queue, monkeypatch: pytest.MonkeyPatch, heard_by: str
) -> None:
    is_told = heard_by == "a word"
    monkeypatch.setattr(worker, "SIGNAL_POLL_S", 3600.0 if is_told else 0.05)
    seen = Seen(pause_at_the_next_moment)
    await queue.set_group("agent:1", 5)
    await queue.set_group("agent:2", 5)
    await carried.start(seen.handlers())
    caller = await carried.start()
    if not is_told:
        monkeypatch.setattr(caller.bus, "send_word", lambda *_: None)
    for key, lane in (("cancelled", ""), ("stopped", "agent:1"), ("paused", "agent:2")):
        await queue.add(key, lane=lane)
    wake(caller.bus)
    await until(lambda: len(seen.driven) == 3 and caller.bus.is_listening)

    async with queue.database.recording(None) as connection:
        assert await signal_cancel(connection, WORK, ["cancelled"]) == ["cancelled"]
    tell_cancel(caller.bus, WORK, ["cancelled"])
    assert await stop_group(queue.database, caller.bus, "agent:1") == 1
    assert await pause_group(queue.database, caller.bus, "agent:2") == 1
    await until(lambda: len(seen.interrupted) == 2)
    await until(lambda: _is_empty(queue))

    assert sorted(seen.interrupted) == [("cancelled", Interruption.CANCEL), ("stopped", Interruption.STOP)]


async def test_a_runner_that_dies_is_noticed_and_its_jobs_are_granted_again_to_others_only(
    carried: Carried, queue: Queue
) -> None:
    dying, living = Seen(forever), Seen()
    killed = await carried.start(dying.handlers(), lease_s=1.0)
    for n in range(3):
        await queue.add(f"held-{n}")
    wake(killed.bus)
    await until(lambda: len(dying.driven) == 3)
    await carried.start(living.handlers(), lease_s=1.0)

    await carried.kill(killed)
    await until(lambda: _is_empty(queue))

    assert sorted(living.driven) == ["held-0", "held-1", "held-2"]
    assert len(dying.driven) == 3


async def test_nothing_is_delivered_after_close_and_what_has_not_begun_waits_uncounted(
    carried: Carried, queue: Queue
) -> None:
    seen = Seen(lambda _: asyncio.sleep(0.2))
    process = await carried.start(seen.handlers(), capacity=2)
    for n in range(20):
        await queue.add(f"job-{n}")
    wake(process.bus)
    await until(lambda: seen.driven)
    assert process.worker

    await process.worker.stop(5)
    begun = len(seen.driven)
    await queue.add("later")
    wake(process.bus)
    await asyncio.sleep(0.5)

    assert len(seen.driven) == begun < 20
    async with queue.database.recording(None) as connection:
        left = await connection.fetch("SELECT executor_id, attempts, crashes FROM durable.jobs")
    assert {tuple(row) for row in left} == {(None, 0, 0)}
    assert len(left) == 21 - begun


async def test_a_delivery_that_loses_all_it_knows_loses_no_job_and_repeats_no_recorded_work(
    carried: Carried, queue: Queue
) -> None:
    journal = Journal()
    for _ in range(2):
        await carried.start(Seen(journal.work).handlers(), capacity=6, lease_s=1.0)
    for n in range(18):
        await queue.add(f"job-{n}")
    wake(carried.alive[0].bus)
    await until(lambda: len(journal.recorded) == 12)  # six wait for a place, twelve have recorded their first step

    await carried.lose_everything()
    journal.may_go_on.set()
    await until(lambda: _is_empty(queue))

    assert journal.done.keys() == {(f"job-{n}", step) for n in range(18) for step in (1, 2)}
    # The second steps were under way: one that had not been recorded may be done again, as after any lost lease.
    assert {times for (_, step), times in journal.done.items() if step == 1} == {1}


@dataclass
class Journal:
    """What handlers have recorded: a job of two steps that waits in between, and does not repeat what stands here."""

    recorded: set[str] = field(default_factory=set)
    done: Counter[tuple[str, int]] = field(default_factory=Counter[tuple[str, int]])
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def work(self, job: HeldJob) -> None:
        if job.key not in self.recorded:
            self.recorded.add(job.key)
            self.done[job.key, 1] += 1
        await self.may_go_on.wait()
        await asyncio.sleep(0.02)
        self.done[job.key, 2] += 1


async def pause_at_the_next_moment(job: HeldJob) -> None:
    while not job.wants_pause:
        await asyncio.sleep(0.01)


def deliver_twice(process: Process) -> None:
    """Let a process hear of everything twice that it is granted."""
    assert process.worker
    delivery = process.worker._delivery
    deliver = delivery.deliver

    def twice(grants: Sequence[Grant]) -> None:
        deliver(grants)
        deliver(grants)

    delivery.deliver = twice  # type: ignore[method-assign]


async def _is_empty(queue: Queue) -> bool:
    async with queue.database.recording(None) as connection:
        return not await connection.fetchval("SELECT count(*) FROM durable.jobs")
