"""A job that kills its process is found out by itself: no job that was only beside it is given up."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest

from automatos.durable import queries, worker
from automatos.durable.types import HeldJob
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import KINDS, Processes, Queue, Seen, forever, give_out, pass_on, registered, until

MOST_DEATHS = 3 + worker.MAX_ATTEMPTS
"""Three that part the jobs by fours, then those that the guilty one died alone."""


class Life:
    """One process after another: each takes all it may, and dies with it when the poison is among it."""

    def __init__(self, database: Database, places: int) -> None:
        self.database, self.places = database, places
        self.deaths = 0
        self.ended: dict[str, int] = {}

    async def take(self, connection: asyncpg.Connection, holder: UUID) -> list[asyncpg.Record]:
        taken: list[asyncpg.Record] = []
        while rows := await give_out(connection, holder, min(8, self.places - len(taken)), places=self.places):
            taken += rows
            if len(taken) == self.places:
                break
        return taken

    async def live(self, poison: str) -> Sequence[str]:
        """Start a process and let it take jobs; returns what it took."""
        async with self.database.recording(None) as connection:
            holder = await registered(connection)
            taken = await self.take(connection, holder)
            for row in taken:
                if row["attempts"] > worker.MAX_ATTEMPTS:
                    self.ended[row["key"]] = row["attempts"]
                    await queries.finish(connection, row["name"], row["key"], holder)
            left = [row for row in taken if row["key"] not in self.ended]
            if any(row["key"] == poison for row in left):
                self.deaths += 1
                await queries.end_lease(connection, holder)
            else:
                for row in left:
                    self.ended[row["key"]] = row["attempts"]
                    await queries.finish(connection, row["name"], row["key"], holder)
                await queries.retire(connection, holder)
            await queries.recover(connection)
        return [row["key"] for row in taken]


@pytest.mark.parametrize(("innocents", "places"), [(63, 64), (5, 64), (200, 64), (3, 4), (7, 8), (0, 64)])
async def test_only_the_job_that_kills_its_process_is_given_up_whoever_else_was_beside_it(
    database: Database, queue: Queue, innocents: int, places: int
) -> None:
    for number in range(innocents):
        await queue.add(f"innocent {number}", new_id())
    await queue.add("poison", new_id())
    life = Life(database, places)

    while len(life.ended) <= innocents:
        await life.live("poison")

    assert life.ended.pop("poison") == worker.MAX_ATTEMPTS + 1
    assert set(life.ended.values()) <= {1}
    assert len(life.ended) == innocents
    assert life.deaths <= MOST_DEATHS


async def test_jobs_that_come_new_beside_it_each_time_are_not_given_up_either(
    database: Database, queue: Queue
) -> None:
    await queue.add("poison", new_id())
    life, added = Life(database, 8), 0

    while "poison" not in life.ended:
        for _ in range(7):
            await queue.add(f"new {added}", new_id())
            added += 1
        await life.live("poison")
    while len(life.ended) <= added:
        await life.live("poison")

    assert life.ended.pop("poison") == worker.MAX_ATTEMPTS + 1
    assert set(life.ended.values()) == {1}


async def test_a_job_that_was_in_a_dead_process_by_chance_is_not_given_up_for_the_next_ones_poison(
    database: Database, queue: Queue
) -> None:
    """It is the only one with a past when it meets a job that kills for the first time."""
    await queue.add("unlucky", new_id())
    await queue.change("unlucky", "crashes = 1, priority = 3")
    await queue.add("poison", new_id())
    life = Life(database, 64)

    while len(life.ended) < 2:
        await life.live("poison")

    assert life.ended == {"unlucky": 1, "poison": worker.MAX_ATTEMPTS + 1}


async def test_a_job_that_was_alone_when_its_process_died_is_to_blame_at_once(
    database: Database, queue: Queue
) -> None:
    await queue.add("alone", new_id())
    life = Life(database, 64)
    while not life.ended:
        await life.live("alone")

    assert life.deaths == worker.MAX_ATTEMPTS
    assert life.ended == {"alone": worker.MAX_ATTEMPTS + 1}


async def test_a_job_to_be_cancelled_is_taken_whatever_it_was_in(database: Database, queue: Queue) -> None:
    for key in ("suspect", "another", "cancelled"):
        await queue.add(key, new_id())
    async with database.recording(None) as connection:
        holder = await registered(connection)
        await queue.change("suspect", f"crashes = 3, executor_id = '{holder}'")
        await queue.change("another", "crashes = 1")
        await queue.change("cancelled", "crashes = 3, signal = 'cancel'")

        given = await give_out(connection, holder)

    assert [row["key"] for row in given] == ["cancelled"]


async def test_progress_clears_a_job_of_suspicion(processes: Processes, queue: Queue) -> None:
    held: list[HeldJob] = []

    async def work(job: HeldJob) -> None:
        held.append(job)
        await forever(job)

    workspace_id = new_id()
    await queue.add("first", workspace_id)
    await queue.add("second", workspace_id)
    await queue.change("first", "crashes = 3, priority = 1, attempts = 2")
    await queue.change("second", "crashes = 1")
    process = await processes.start(Seen(work).handlers())
    await until(lambda: len(held) == 1)
    assert (held[0].key, held[0].crashes, held[0].attempts) == ("first", 3, 3)

    assert await pass_on(process.database, held[0], "gone-on", "") == "open"

    await until(lambda: len(held) == 2)
    row = await queue.row("gone-on") or {}
    assert (row["attempts"], row["crashes"]) == (1, 0)


async def test_a_worker_of_the_version_before_takes_jobs_by_the_name_that_it_knows(
    database: Database, queue: Queue
) -> None:
    await queue.add("old way", new_id())
    async with database.recording(None) as connection:
        rows = await connection.fetch("SELECT * FROM durable.claim($1, 8, $2)", new_id(), list(KINDS))

    assert [(row["key"], row["attempts"], row["mode"]) for row in rows] == [("old way", 1, "open")]
    assert list(rows[0].keys()) == ["name", "key", "workspace_id", "attempts", "signal", "lane", "mode"]
