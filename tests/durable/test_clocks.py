"""One clock decides, the database's: a process whose own clock is hours off harms neither itself nor others."""

from datetime import UTC, datetime, timedelta

import pytest

from automatos.durable.types import HeldJob
from automatos.kernel import clock
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import Processes, Queue, Seen, until

HOUR = timedelta(hours=1)


@pytest.fixture(params=[2, -2], ids=["two hours ahead", "two hours behind"])
def wrong_clock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> timedelta:
    """A machine whose clock is off, and which has not asked a database yet."""
    off = timedelta(hours=request.param)
    monkeypatch.setattr(clock, "machine_now", lambda: datetime.now(UTC) + off)
    monkeypatch.setattr(clock._Followed, "at", None)
    return off


async def time_of(database: Database) -> datetime:
    async with database.recording(None) as connection:
        return await connection.fetchval("SELECT clock_timestamp()")


async def test_a_process_goes_by_the_databases_clock_from_its_start(
    processes: Processes, wrong_clock: timedelta
) -> None:
    assert abs(clock.now() - await time_of(processes.database) - wrong_clock) < HOUR

    await processes.start()

    assert abs(clock.now() - await time_of(processes.database)) < HOUR
    made_at = datetime.fromtimestamp((new_id().int >> 80) / 1000, tz=UTC)
    assert abs(made_at - await time_of(processes.database)) < HOUR


async def test_a_machine_whose_clock_is_set_while_it_works_does_not_notice(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await processes.start()
    before = clock.now()
    monkeypatch.setattr(clock, "machine_now", lambda: datetime.now(UTC) + timedelta(days=1))

    assert clock.now() - before < HOUR


def test_a_difference_that_the_answers_way_explains_moves_nothing_and_a_larger_one_does(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock._Followed, "at", None)
    monkeypatch.setattr(clock._Followed, "moment", 0.0)
    told = datetime(2026, 1, 1, tzinfo=UTC)
    clock.follow(told, 100.0, 101.0)
    clock.follow(told + timedelta(seconds=10.9), 110.0, 111.0)
    kept = clock._Followed.at, clock._Followed.moment
    clock.follow(told + timedelta(seconds=20.2), 120.5, 120.5)
    moved = clock._Followed.at, clock._Followed.moment

    assert kept == (told, 100.5)
    assert moved == (told + timedelta(seconds=20.2), 120.5)


async def test_a_job_given_back_by_a_process_with_a_wrong_clock_is_due_when_it_was_to_be(
    processes: Processes, queue: Queue, wrong_clock: timedelta
) -> None:
    del wrong_clock

    async def give_back(job: HeldJob) -> None:
        job.again_in = {"at once": timedelta(), "later": 2 * HOUR + 30 * timedelta(minutes=1)}[job.key]

    seen = Seen(give_back)
    await queue.add("at once")
    await queue.add("later")
    process = await processes.start(seen.handlers())
    await until(lambda: seen.driven.count("at once") > 1)
    await until(lambda: "later" in seen.driven)
    await processes.stop(process)

    assert seen.driven.count("later") == 1
    due_at = (await queue.row("later") or {})["run_at"] - await time_of(queue.database)
    assert 2 * HOUR < due_at < 3 * HOUR


async def test_a_failed_job_comes_back_after_its_pause_whatever_the_clock_of_its_process_says(
    processes: Processes, queue: Queue, wrong_clock: timedelta
) -> None:
    del wrong_clock

    async def fail(_: HeldJob) -> None:
        raise ValueError("no luck")

    await queue.add("bad")
    process = await processes.start(Seen(fail).handlers())

    async def is_back() -> bool:
        row = await queue.row("bad")
        return bool(row and row["executor_id"] is None and row["last_error"])

    await until(is_back)
    await processes.stop(process)
    assert abs((await queue.row("bad") or {})["run_at"] - await time_of(queue.database)) < HOUR
