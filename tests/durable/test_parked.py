"""Work whose time has not come, and work that may not begin, is in nobody's way: it is not even read."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from automatos.durable import queries
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import KINDS, Processes, Queue, Seen, give_out, registered, until

TIMERS = """
SELECT durable.enqueue('test.work', 'timer ' || n, md5((n % 50)::text)::uuid, n % 4, now() + interval '1 hour',
                       'agent:' || n % 200) FROM generate_series(1, $1::int) AS n
"""
HELD_BACK = """
WITH held AS (SELECT durable.set_lane('held:' || n, 1, 'held') FROM generate_series(1, 200) AS n)
SELECT durable.enqueue('test.work', 'held ' || n, md5((n % 50)::text)::uuid, n % 4, NULL, 'held:' || 1 + n % 200)
FROM generate_series(1, $1::int) AS n, (SELECT count(*) FROM held) AS made
"""
READ = ("SELECT seq_tup_read + coalesce(idx_tup_fetch, 0) FROM pg_stat_xact_user_tables "
        "WHERE schemaname = 'durable' AND relname = 'jobs'")
DUE_NOW = "UPDATE durable.jobs SET run_at = now() - interval '1 s' WHERE key = ANY($1)"


async def rows_read_for_one(database: Database, key: str) -> int:
    """Return how many rows of the queue are read from the news of one job until it is given to a process."""
    async with database.recording(None) as connection:
        holder = await registered(connection)
        epoch = await connection.fetchval("SELECT epoch FROM durable.dispatcher")
        seen = await queries.snapshot(connection)
    async with database.recording(None) as other:
        await other.execute("SELECT durable.enqueue('test.work', $1, $2, 0, NULL, 'agent:7')", key, new_id())
    async with database.recording(None) as connection, connection.transaction():
        before = await connection.fetchval(READ)
        news = await queries.changes(connection, list(KINDS), seen)
        assert [row["key"] for row in news] == [key]
        soon = await queries.due_soon(connection, list(KINDS), now(), now() + timedelta(seconds=10))
        assert soon == []
        given = await queries.grant_jobs(connection, epoch, new_id(), [("test.work", key, "agent:7", holder)])
        assert [row["key"] for row in given] == [key]
        return await connection.fetchval(READ) - before


async def rows_read_again_and_again(database: Database) -> dict[str, int]:
    """Return how many rows each statement reads that every process, or the dispatcher, sends now and then."""
    read: dict[str, int] = {}
    async with database.recording(None) as connection:
        holder = await registered(connection)
        seen = await queries.snapshot(connection)
        soon = now() + timedelta(seconds=10)
        for name, arguments in {
            "changes": (list(KINDS), seen), "due_soon": (list(KINDS), now(), soon), "held_jobs": (),
            "granted_since": (holder, 0), "signals": (holder,), "recover": (),
            "renew": (holder, 60.0), "takers": (holder, "leases"),
        }.items():
            async with connection.transaction():
                before = await connection.fetchval(READ)
                await getattr(queries, name)(connection, *arguments)
                read[name] = await connection.fetchval(READ) - before
    return read


@pytest.mark.parametrize("parked", [TIMERS, HELD_BACK], ids=["timers", "work of held groups"])
async def test_giving_out_a_job_reads_no_more_rows_with_100_000_parked_than_with_none(
    own_ground: Migrated, database: Database, parked: str
) -> None:
    """The statements were planned, and the table was analysed, when there was nothing in it."""
    assert own_ground.embedded
    admin = await asyncpg.connect(own_ground.embedded.admin_database_url)
    await admin.execute("VACUUM ANALYZE durable.jobs")
    await admin.close()
    async with database.recording(None) as connection:
        await connection.execute("SELECT durable.set_lane('agent:7', 5, 'open')")
    with_none = await rows_read_for_one(database, "first")
    at_rest = await rows_read_again_and_again(database)
    async with database.recording(None) as connection:
        await connection.execute(parked, 100_000, timeout=120)

    with_many = await rows_read_for_one(database, "second")

    for name, count in (await rows_read_again_and_again(database)).items():
        assert count <= at_rest[name] + 2, name
    assert with_none > 0
    assert with_many <= with_none + 2


async def test_giving_out_waits_for_no_disk(database: Database, queue: Queue) -> None:
    """What a crash of PostgreSQL forgets of it is given out again."""
    await queue.add("soon")
    async with database.recording(None) as connection:
        holder = await registered(connection)
        async with connection.transaction():
            await connection.execute("SET LOCAL synchronous_commit = on")
            assert await give_out(connection, holder)
            assert await connection.fetchval("SHOW synchronous_commit") == "off"


async def test_a_timer_is_given_out_when_its_time_has_come_and_the_others_stay_parked(database: Database) -> None:
    async with database.recording(None) as connection:
        await connection.execute(TIMERS, 10)
        holder = await registered(connection)
        assert await give_out(connection, holder) == []
        await connection.execute(DUE_NOW, ["timer 3", "timer 7"])
        given = await give_out(connection, holder)
        parked = await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE is_parked")

    assert {row["key"] for row in given} == {"timer 3", "timer 7"}
    assert parked == 8


async def test_a_timer_that_comes_after_the_dispatcher_has_read_rings_in_its_time(
    processes: Processes, queue: Queue
) -> None:
    began: list[timedelta] = []

    async def note(_: object) -> None:
        began.append(now() - due_at)

    await processes.start(Seen(note).handlers())
    await queue.add("warm-up")
    due_at = now() + timedelta(seconds=60)
    await until(lambda: began)
    began.clear()
    due_at = now() + timedelta(seconds=0.4)
    await queue.add("timer", run_at=due_at)

    await until(lambda: began)

    assert began[0] >= timedelta()


@pytest.mark.parametrize("first_is_later", [True, False])
async def test_a_job_that_is_added_twice_waits_for_the_earlier_of_both(
    database: Database, first_is_later: bool
) -> None:
    later, workspace_id = "now() + interval '1 hour'", new_id()
    async with database.recording(None) as connection:
        for time in (later, "NULL") if first_is_later else ("NULL", later):
            await connection.execute(
                f"SELECT durable.enqueue('test.work', 'twice', $1, 0, {time}, '')", workspace_id)
        given = await give_out(connection, await registered(connection))

    assert keys_of(given) == ["twice"]


async def test_a_job_given_back_for_later_is_parked_and_one_given_back_at_once_is_not(
    database: Database, queue: Queue
) -> None:
    async with database.recording(None) as connection:
        holder = await registered(connection)
        for key, again_in in (("later", timedelta(hours=1)), ("at once", timedelta())):
            await queue.add(key)
            await give_out(connection, holder)
            await queries.release(connection, "test.work", key, holder, again_in, None, is_attempt=False)
        given = await give_out(connection, holder)

    assert keys_of(given) == ["at once"]
    assert (await queue.row("later") or {})["is_parked"]


async def test_a_worker_of_the_version_before_that_gives_back_for_later_parks_nothing_and_nothing_comes_early(
    database: Database, queue: Queue
) -> None:
    await queue.add("old")
    async with database.recording(None) as connection:
        holder = await registered(connection)
        await give_out(connection, holder)
        seen = await queries.snapshot(connection)
        await connection.execute(
            "UPDATE durable.jobs SET executor_id = NULL, run_at = now() + interval '1 hour' WHERE key = 'old'")
        news = await queries.changes(connection, list(KINDS), seen)
        assert await give_out(connection, holder) == []
        await connection.execute(DUE_NOW, ["old"])
        given = await give_out(connection, holder)

    assert keys_of(news) == ["old"]
    assert keys_of(given) == ["old"]


def keys_of(rows: Sequence[asyncpg.Record]) -> list[str]:
    return [row["key"] for row in rows]
