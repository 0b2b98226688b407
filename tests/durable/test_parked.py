"""Work whose time has not come is in nobody's way: a claim reads no more for many timers than for none."""

from datetime import timedelta

import asyncpg
import orjson
import pytest

from automatos.durable import queries
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import Queue

KINDS = ["test.work"]
TIMERS = """
SELECT durable.enqueue('test.work', 'timer ' || n, md5((n % 50)::text)::uuid, n % 4, now() + interval '1 hour',
                       'agent:' || n % 200) FROM generate_series(1, $1::int) AS n
"""
DUE_NOW = "UPDATE durable.jobs SET run_at = now() - interval '1 s' WHERE key = ANY($1)"


async def blocks_of_a_claim(connection: asyncpg.Connection) -> int:
    """Return how many pages a claim looks at that finds nothing."""
    explained = await connection.fetchval(
        "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT * FROM durable.claim_v2($1, 8, $2, 64)", new_id(), KINDS)
    plan = (orjson.loads(explained) if isinstance(explained, str) else explained)[0]["Plan"]
    assert plan["Actual Rows"] == 0
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


async def test_a_claim_reads_no_more_with_many_timers_than_with_none(database: Database) -> None:
    async with database.recording(None) as connection:
        await blocks_of_a_claim(connection)
        with_none = await blocks_of_a_claim(connection)
        await connection.execute(TIMERS, 20_000)
        with_many = await blocks_of_a_claim(connection)

    assert with_many <= with_none + 20


async def test_claiming_waits_for_no_disk(database: Database) -> None:
    """What a crash of PostgreSQL forgets of it is claimed again."""
    async with database.recording(None) as connection, connection.transaction():
        await connection.execute("SET LOCAL synchronous_commit = on")
        await blocks_of_a_claim(connection)
        assert await connection.fetchval("SHOW synchronous_commit") == "off"


async def test_a_timer_is_claimed_when_its_time_has_come_and_the_others_stay_parked(database: Database) -> None:
    async with database.recording(None) as connection:
        await connection.execute(TIMERS, 10)
        assert await queries.claim(connection, new_id(), 8, KINDS, 64) == []
        await connection.execute(DUE_NOW, ["timer 3", "timer 7"])
        claimed = await queries.claim(connection, new_id(), 8, KINDS, 64)
        parked = await connection.fetchval("SELECT count(*) FROM durable.jobs WHERE is_parked")

    assert {row["key"] for row in claimed} == {"timer 3", "timer 7"}
    assert parked == 8


@pytest.mark.parametrize("first_is_later", [True, False])
async def test_a_job_that_is_added_twice_waits_for_the_earlier_of_both(
    database: Database, queue: Queue, first_is_later: bool
) -> None:
    later, workspace_id = "now() + interval '1 hour'", new_id()
    async with database.recording(None) as connection:
        for time in (later, "NULL") if first_is_later else ("NULL", later):
            await connection.execute(
                f"SELECT durable.enqueue('test.work', 'twice', $1, 0, {time}, '')", workspace_id)
        claimed = await queries.claim(connection, new_id(), 8, KINDS, 64)

    assert [row["key"] for row in claimed] == ["twice"]


async def test_a_job_given_back_for_later_is_parked_and_one_given_back_at_once_is_not(
    database: Database, queue: Queue
) -> None:
    holder = new_id()
    async with database.recording(None) as connection:
        for key, again_in in (("later", timedelta(hours=1)), ("at once", timedelta())):
            await queue.add(key)
            await queries.claim(connection, holder, 8, KINDS, 64)
            await queries.release(connection, "test.work", key, holder, again_in, None, is_attempt=False)
        claimed = await queries.claim(connection, holder, 8, KINDS, 64)

    assert [row["key"] for row in claimed] == ["at once"]
    assert (await queue.row("later") or {})["is_parked"]


async def test_a_worker_of_the_version_before_that_gives_back_for_later_parks_nothing_and_nothing_comes_early(
    database: Database, queue: Queue
) -> None:
    holder = new_id()
    await queue.add("old")
    async with database.recording(None) as connection:
        await queries.claim(connection, holder, 8, KINDS, 64)
        await connection.execute(
            "UPDATE durable.jobs SET executor_id = NULL, run_at = now() + interval '1 hour' WHERE key = 'old'")
        assert await queries.claim(connection, holder, 8, KINDS, 64) == []
        await connection.execute(DUE_NOW, ["old"])
        claimed = await queries.claim(connection, holder, 8, KINDS, 64)

    assert [row["key"] for row in claimed] == ["old"]
