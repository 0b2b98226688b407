"""Connections are lent one after the other: whoever held one before leaves nothing on it and can do nothing with it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.kernel import pool
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.ids import new_id
from tests.durable.conftest import until

PID = "SELECT pg_backend_pid()"
ONE, OTHER = new_id(), new_id()


@pytest.fixture
async def narrow(migrated: Migrated) -> AsyncIterator[Database]:
    """A process with two connections inside workspaces."""
    opened = Database(migrated.url, role=migrated.role, pool_size=2)
    await opened.open()
    yield opened
    await opened.close()


async def pid(database: Database) -> int:
    async with database.recording(ONE) as connection:
        return connection.get_server_pid()


async def test_a_free_connection_is_lent_without_a_task_or_a_timer(
    narrow: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    await pid(narrow)
    loop = asyncio.get_running_loop()
    made: list[object] = []

    def make_task(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        made.append(work)
        return asyncio.Task(work, loop=loop, **more)

    monkeypatch.setattr(loop, "call_at", lambda *given, **_: made.append(given))
    loop.set_task_factory(make_task)
    try:
        async with narrow.recording(ONE), narrow.recording(None):
            pass
    finally:
        loop.set_task_factory(None)

    assert made == []


async def test_the_connection_used_last_is_lent_first(narrow: Database) -> None:
    async with narrow.recording(ONE) as first, narrow.recording(ONE) as second:
        pids = [await first.fetchval(PID), await second.fetchval(PID)]

    assert [await pid(narrow), await pid(narrow)] == [pids[0], pids[0]]  # the outer block ended last


async def test_nothing_can_be_done_with_a_connection_after_its_block(narrow: Database) -> None:
    async with narrow.recording(ONE) as kept:
        prepared = await kept.prepare(PID)

    async with narrow.recording(OTHER):
        with pytest.raises(asyncpg.InterfaceError):
            await kept.fetchval(PID)
        with pytest.raises(asyncpg.InterfaceError):
            await prepared.fetchval()


async def test_a_transaction_left_open_is_rolled_back_before_the_next_one_gets_the_connection(narrow: Database) -> None:
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    usual = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: failures.append(context["message"]))
    try:
        async with narrow.recording(ONE) as connection:
            before = await connection.fetchval(PID)
            await connection.execute("BEGIN;")
            await connection.execute("SET LOCAL lock_timeout = 7")
    finally:
        loop.set_exception_handler(usual)

    async with narrow.recording(OTHER) as connection:
        assert await connection.fetchval(PID) == before
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SHOW lock_timeout") != "7ms"
    assert failures  # it is a mistake, and said to be one


async def test_a_block_that_is_cancelled_ends_when_its_statement_has_ended(narrow: Database) -> None:
    began = asyncio.Event()
    pids: list[int] = []

    async def sleep() -> None:
        async with narrow.recording(ONE) as connection:
            pids.append(connection.get_server_pid())
            began.set()
            await connection.execute("SELECT pg_sleep(60)")

    task = asyncio.create_task(sleep())
    await began.wait()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    async with narrow.recording(OTHER) as connection:
        assert await connection.fetchval(PID) == pids[0]
        assert await connection.fetchval("SELECT 1") == 1


async def test_a_connection_that_was_cut_off_is_replaced(narrow: Database, migrated: Migrated) -> None:
    before = await pid(narrow)
    async with narrow.recording(ONE) as connection:
        with pytest.raises(asyncpg.PostgresError):
            await connection.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    assert await pid(narrow) != before


async def test_who_waits_longest_gets_the_next_connection_and_who_gave_up_gets_none(narrow: Database) -> None:
    served: list[str] = []
    lent: list[object] = []
    enough = asyncio.Event()

    async def hold() -> None:
        async with narrow.recording(ONE) as connection:
            lent.append(connection)
            await enough.wait()

    async def ask(name: str) -> None:
        async with narrow.recording(ONE):
            served.append(name)

    holders = [asyncio.create_task(hold()) for _ in range(2)]
    await until(lambda: len(lent) == 2)
    asking: list[asyncio.Task[None]] = []
    for name in ("first", "gives up", "second", "third"):
        asking.append(asyncio.create_task(ask(name)))
        await asyncio.sleep(0)
    asking[1].cancel()
    enough.set()
    await asyncio.gather(*holders, *asking, return_exceptions=True)

    assert served == ["first", "second", "third"]
    assert asking[1].cancelled()


async def test_a_waiter_that_is_cancelled_as_it_is_served_hands_its_connection_on(narrow: Database) -> None:
    async with narrow.recording(ONE), narrow.recording(ONE):
        asked = asyncio.create_task(pid(narrow))
        await asyncio.sleep(0)
    asked.cancel()  # the connection is on its way to it
    with pytest.raises(asyncio.CancelledError):
        await asked

    async with narrow.recording(ONE) as one, narrow.recording(ONE) as other:
        assert await one.fetchval(PID) != await other.fetchval(PID)


async def test_who_waits_too_long_is_told_that_the_database_is_not_available(
    narrow: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with narrow.recording(ONE), narrow.recording(ONE):
        monkeypatch.setattr("automatos.kernel.pool.CONNECT_TIMEOUT_S", 0.01)
        with pytest.raises(DatabaseUnavailable):
            await pid(narrow)

    assert await pid(narrow)


async def test_connections_that_nobody_needed_are_closed_but_for_one(
    narrow: Database, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pool, "IDLE_S", 0.01)
    async with narrow.recording(ONE) as one, narrow.recording(ONE) as other:
        pids = {await one.fetchval(PID), await other.fetchval(PID)}
    async with narrow.recording(None) as watching:
        async def is_one_left() -> bool:
            open_ones = await watching.fetch("SELECT FROM pg_stat_activity WHERE pid = ANY($1)", list(pids))
            return len(open_ones) == 1

        await until(is_one_left)

    assert await pid(narrow) in pids


async def test_a_connection_that_sent_very_much_is_replaced(narrow: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    before = await pid(narrow)
    monkeypatch.setattr(pool, "MOST_STATEMENTS", 1)
    assert await pid(narrow) == before
    monkeypatch.undo()

    assert await pid(narrow) != before


async def test_closing_waits_for_what_is_lent_and_lends_nothing_more(migrated: Migrated) -> None:
    database = Database(migrated.url, role=migrated.role, pool_size=2)
    await database.open()
    async with database.recording(ONE) as connection:
        closing = asyncio.create_task(database.close())
        await asyncio.sleep(0)
        with pytest.raises(DatabaseUnavailable):
            await pid(database)
        assert await connection.fetchval("SELECT 1") == 1
        assert not closing.done()

    await until(closing.done)
    await closing
