"""A group's limit under bad timing: what is given out is in the group that was counted for it, in any isolation."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from automatos.durable import queries
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import Queue, give_out, registered, until

GROUPS = ("one", "two", "three")
CAPACITY = 3
WAITS_FOR_GROUP = "SELECT count(*) = 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


async def give(database: Database) -> list[asyncpg.Record]:
    async with database.recording(None) as connection:
        return await give_out(connection, await registered(connection))


async def test_a_job_that_changed_its_group_while_it_was_chosen_is_not_given_out_uncounted(
    database: Database, queue: Queue
) -> None:
    await queue.set_group("one", 1)
    await queue.set_group("two", 1)
    await queue.add("at work", lane="two")
    await queue.change("at work", f"executor_id = '{new_id()}'")
    await queue.add("moving", lane="one")

    async with database.recording(None) as other:
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock(7246300, hashtext('one'))")
            giving = asyncio.create_task(give(database))
            async with database.recording(None) as watcher:
                await until(lambda: watcher.fetchval(WAITS_FOR_GROUP))
            await queue.change("moving", "lane = 'two'")
        assert await giving == []

    assert (await queue.row("moving") or {})["executor_id"] is None


async def test_a_job_given_back_while_it_was_chosen_is_given_out_in_the_group_it_is_still_in(
    database: Database, queue: Queue
) -> None:
    await queue.set_group("one", 1)
    await queue.add("patient", lane="one")

    async with database.recording(None) as other:
        async with other.transaction():
            await other.execute("SELECT pg_advisory_xact_lock(7246300, hashtext('one'))")
            giving = asyncio.create_task(give(database))
            async with database.recording(None) as watcher:
                await until(lambda: watcher.fetchval(WAITS_FOR_GROUP))
            await queue.change("patient", "priority = 2")
        assert [row["key"] for row in await giving] == ["patient"]


@asynccontextmanager
async def defaulting_to(migrated: Migrated, isolation: str) -> AsyncIterator[Database]:
    """A process on a database whose operator chose another isolation for everybody."""
    assert migrated.embedded
    admin = await asyncpg.connect(migrated.embedded.admin_database_url)
    name = await admin.fetchval("SELECT current_database()")
    await admin.execute(f"ALTER DATABASE {name} SET default_transaction_isolation = '{isolation}'")
    database = Database(migrated.url, role=migrated.role, pool_size=8)
    await database.open()
    try:
        yield database
    finally:
        await database.close()
        await admin.execute(f"ALTER DATABASE {name} RESET default_transaction_isolation")
        await admin.close()


@pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
async def test_every_kind_of_transaction_reads_what_others_committed_whatever_the_database_defaults_to(
    own_ground: Migrated, database: Database, isolation: str
) -> None:
    del database
    shown = "SELECT current_setting('transaction_isolation')"
    async with defaulting_to(own_ground, isolation) as strict:
        found: list[str] = []
        for workspace_id in (None, new_id()):
            async with strict.recording(workspace_id) as connection:
                found += [await connection.fetchval(shown), await connection.fetchval(shown + " WHERE $1", True)]
                async with connection.transaction():
                    found.append(await connection.fetchval(shown))
                await connection.execute("SELECT 1; CREATE TEMPORARY TABLE seen AS " + shown + " AS level")
                found.append(await connection.fetchval("SELECT level FROM seen"))
                await connection.execute("DROP TABLE seen")
            async with strict.session(workspace_id) as session:
                found.append((await session.execute(text(shown))).scalar_one())

    assert set(found) == {"read committed"}


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read"])
async def test_no_group_overflows_while_many_give_out_move_give_back_and_end_at_random(
    own_ground: Migrated, database: Database, queue: Queue, isolation: str
) -> None:
    """Counts what the callers know: at work from the answer that says so until they begin to give it back."""
    del database
    for group in GROUPS:
        await queue.set_group(group, CAPACITY)
    async with defaulting_to(own_ground, isolation) as strict:
        crowd = Crowd(strict, queue)
        await asyncio.gather(*(crowd.take_part(random.Random(seed)) for seed in range(8)))

    assert crowd.given > 100
    assert max(crowd.most.values()) <= CAPACITY


class Crowd:
    """Callers of the queue's verbs, and how many of their jobs are at work in each group."""

    def __init__(self, database: Database, queue: Queue) -> None:
        self.database, self.queue = database, queue
        self.given = 0
        self.now = dict.fromkeys(GROUPS, 0)
        self.most = dict.fromkeys(GROUPS, 0)

    async def take_part(self, chance: random.Random) -> None:
        for _ in range(60):
            await self.queue.add(new_id().hex, UUID(int=chance.randrange(3)), lane=chance.choice(GROUPS))
            async with self.database.recording(None) as connection:
                holder = await registered(connection)
                for row in await give_out(connection, holder, 2):
                    self.given += 1
                    self._enter(row["lane"])
                    await self._work(connection, row["key"], holder, row["lane"], chance)

    async def _work(
        self, connection: asyncpg.Connection, key: str, holder: UUID, group: str, chance: random.Random
    ) -> None:
        is_at_work = True
        for _ in range(chance.randrange(3)):
            to = chance.choice(GROUPS)
            if is_at_work:
                self.now[group] -= 1
            following = new_id().hex
            answer = await connection.fetchval(
                "SELECT durable.pass_on('test.work', $1, $2, $3, $4, 1)", key, holder, following, to)
            if answer != "open":
                is_at_work = False
                break
            group, key = to, following
            self._enter(group)
        if is_at_work:
            self.now[group] -= 1
        if is_at_work and chance.random() < 0.5:
            await queries.finish(connection, "test.work", key, holder)
        else:
            await queries.release(connection, "test.work", key, holder, timedelta(), None, is_attempt=False)

    def _enter(self, group: str) -> None:
        self.now[group] += 1
        self.most[group] = max(self.most[group], self.now[group])
