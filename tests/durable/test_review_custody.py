"""No job stays in the hands of a process that has forgotten it, whatever was lost on the way."""

import asyncio

import asyncpg
import pytest

from automatos.durable import queries
from automatos.durable.types import HeldJob, Interruption
from automatos.kernel.errors import DatabaseUnavailable
from tests.durable.conftest import Processes, Queue, Seen, forever, until


async def test_jobs_whose_grant_was_committed_but_never_answered_are_worked_on(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, grant, lost = Seen(), queries.grant_jobs, list[int]()

    async def lose_the_answer(*args: object) -> list[asyncpg.Record]:
        rows = await grant(*args)  # type: ignore[arg-type]
        if rows and not lost:
            lost.append(len(rows))
            raise ConnectionResetError
        return rows

    monkeypatch.setattr(queries, "grant_jobs", lose_the_answer)
    await queue.add("one")
    await processes.start(seen.handlers())

    await until(lambda: seen.driven == ["one"], 8)

    assert lost == [1]


async def test_a_job_that_could_not_be_given_back_for_long_is_given_back_later(
    processes: Processes, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    release, refusals = queries.release, list[str]()

    async def away(*args: object, **named: object) -> None:
        if len(refusals) < 5:
            refusals.append("no")
            raise DatabaseUnavailable
        await release(*args, **named)  # type: ignore[arg-type]

    async def fail_once(_: HeldJob) -> None:
        if len(seen.driven) == 1:
            raise DatabaseUnavailable

    sleep = asyncio.sleep
    monkeypatch.setattr(queries, "release", away)
    monkeypatch.setattr("automatos.durable.worker.asyncio.sleep", lambda s: sleep(min(s, 0.2)))
    seen = Seen(fail_once)
    await queue.add("one")
    await processes.start(seen.handlers())

    await until(lambda: len(seen.driven) == 2, 10)


async def test_a_job_that_is_told_to_stop_while_it_is_being_given_back_is_given_back(
    processes: Processes, queue: Queue
) -> None:
    async def fail_when_told(job: HeldJob) -> None:
        if len(seen.driven) == 1:
            told.append(job)
            await fail.wait()
            raise DatabaseUnavailable

    fail, told, seen = asyncio.Event(), list[HeldJob](), Seen(fail_when_told)
    await queue.add("one")
    await processes.start(seen.handlers())
    await until(lambda: told)

    fail.set()
    told[0].interrupt(Interruption.CANCEL)

    await until(lambda: len(seen.driven) == 2, 5)


async def test_a_job_taken_again_after_a_lost_lease_waits_for_its_old_self_and_still_hears_signals(
    processes: Processes, queue: Queue
) -> None:
    at_work: list[str] = []

    async def slow_to_let_go(job: HeldJob) -> None:
        at_work.append(f"begin {job.attempts}")
        try:
            await forever(job)
        finally:
            if len(seen.driven) == 1:
                await asyncio.sleep(2)
            at_work.append(f"end {job.attempts}")

    seen = Seen(slow_to_let_go)
    await queue.add("one")
    process = await processes.start(seen.handlers())
    await until(lambda: len(seen.driven) == 1)

    async with process.database.recording(None) as connection:
        await connection.execute("DELETE FROM durable.executors WHERE id = $1", process.lease.id)
    await until(lambda: len(seen.driven) == 2, 8)
    await asyncio.sleep(0.3)
    row = await queue.row("one")
    process.bus.send_word("signal", "test.work one cancel -")

    await until(lambda: len(seen.interrupted) == 2, 5)
    assert [word.split()[0] for word in at_work] == ["begin", "end", "begin", "end"]
    assert row is not None
    assert row["executor_id"] == process.lease.id
