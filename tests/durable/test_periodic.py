"""Periodic tasks: once per period in the whole system, whoever is there to do them."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest

from automatos.durable import periodic, queries
from automatos.durable.periodic import PeriodicTask
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import Process, Processes, Seen, until

DUE = "UPDATE durable.periodic_tasks SET next_at = clock_timestamp() - interval '1 s' WHERE name = $1"


async def test_of_many_that_ask_one_gets_a_task_that_is_due_and_nobody_before_its_next_time(
    database: Database
) -> None:
    executors = [new_id() for _ in range(6)]
    async with database.recording(None) as connection:
        for executor in executors:
            await queries.register(connection, executor, "machine", 1, 60, 64)
            await queries.take_periodic(connection, executor, ["sweep"], [3600.0])
        taken = []
        for _ in range(5):
            await connection.execute(DUE, "sweep")
            for executor in executors:
                rows = await queries.take_periodic(connection, executor, ["sweep"], [3600.0])
                taken += [(executor, row["is_due"]) for row in rows]

    assert len({executor for executor, _ in taken}) == 1
    assert [is_due for _, is_due in taken] == [True] * 5


async def test_two_that_ask_at_the_same_moment_do_not_both_get_it(database: Database) -> None:
    executors = [new_id() for _ in range(4)]
    async with database.recording(None) as connection:
        for executor in executors:
            await queries.register(connection, executor, "machine", 1, 60, 64)
        await queries.take_periodic(connection, new_id(), ["sweep"], [3600.0])
        for _ in range(20):
            await connection.execute(DUE + " OR executor_id IS NOT NULL", "sweep")
            await connection.execute("UPDATE durable.periodic_tasks SET executor_id = NULL")

            async def ask(executor: UUID) -> int:
                async with database.recording(None) as own:
                    return len(await queries.take_periodic(own, executor, ["sweep"], [3600.0]))

            assert sum(await asyncio.gather(*map(ask, executors))) == 1


async def test_a_task_whose_process_is_gone_is_taken_over_and_neither_early_nor_twice(database: Database) -> None:
    first, second = new_id(), new_id()
    async with database.recording(None) as connection:
        for executor in (first, second):
            await queries.register(connection, executor, "machine", 1, 60, 64)
        await queries.take_periodic(connection, first, ["sweep"], [3600.0])
        await queries.take_periodic(connection, first, ["sweep"], [3600.0])
        assert await queries.take_periodic(connection, second, ["sweep"], [3600.0]) == []
        await queries.end_lease(connection, first)

        taken_over = await queries.take_periodic(connection, second, ["sweep"], [3600.0])
        again = await queries.take_periodic(connection, second, ["sweep"], [3600.0])

    assert [(row["name"], row["is_due"]) for row in taken_over] == [("sweep", False)]
    assert again == []


async def test_four_processes_do_a_task_as_often_as_one_and_go_on_when_its_owner_goes(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "ASK_EVERY_S", 0.05)
    done: Counter[int] = Counter()
    at_once = 0
    most = 0

    def task_of(number: int) -> PeriodicTask:
        async def sweep() -> None:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            try:
                await asyncio.sleep(0.02)
                done[number] += 1
            finally:  # also when its process is stopped in the middle
                at_once -= 1

        return PeriodicTask("sweep", 0.05, sweep)

    started: list[Process] = [
        await processes.start(Seen().handlers(), periodic=(task_of(number),)) for number in range(4)]
    await until(lambda: done.total() >= 10)
    (owner,) = done
    await processes.stop(started[owner])
    before = done.copy()
    await until(lambda: done.total() >= before.total() + 5)

    assert most == 1
    assert len(done) == 2
    assert done[owner] == before[owner]


async def test_a_task_that_fails_is_done_again_next_time_and_keeps_no_other_waiting(processes: Processes) -> None:
    done: Counter[str] = Counter()

    async def fail() -> None:
        done["fails"] += 1
        raise ValueError("no luck")

    async def work() -> None:
        done["works"] += 1

    await processes.start(
        Seen().handlers(), periodic=(PeriodicTask("fails", 0.05, fail), PeriodicTask("works", 0.05, work)))

    await until(lambda: min(done["fails"], done["works"]) >= 3)
