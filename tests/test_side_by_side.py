"""During a deployment processes of the version before and of this one work on one database: each job is done once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config

from automatos.durable import queries
from automatos.entrypoints.migrate import Ground, migrate, migrations_directory
from automatos.kernel.address import read_address
from automatos.kernel.clock import now
from automatos.kernel.ids import new_id
from tests.test_migrations import new_database


async def test_workers_of_the_version_before_and_of_this_one_share_what_waits_each_job_once(ground: Ground) -> None:
    """During a deployment: the statements are those that the version before sends."""
    async with new_database(ground, "automatos_beside") as url:
        config = Config(attributes={"address": read_address(url)})
        config.set_main_option("script_location", str(migrations_directory()))
        await asyncio.to_thread(command.upgrade, config, "0009")
        connection = await asyncpg.connect(url)
        old, gone, new = new_id(), new_id(), new_id()
        await connection.execute(REGISTER_BEFORE, old)
        for number in range(12):
            await connection.execute(ENQUEUE_BEFORE, f"waiting {number}", None)
        await connection.execute(ENQUEUE_BEFORE, "tomorrow", now() + timedelta(days=1))
        await connection.execute(ENQUEUE_BEFORE, "orphan", None)
        await connection.execute("UPDATE durable.jobs SET executor_id = $1, attempts = 1 WHERE key = 'orphan'", gone)

        await migrate(url)

        parked = await connection.fetch("SELECT key FROM durable.jobs WHERE is_parked")
        await queries.register(connection, new, "machine", 1, 60, 64, ["k"])
        await queries.recover(connection)
        await connection.execute(ENQUEUE_BEFORE, "added by the old", None)
        taken: list[tuple[str, int]] = []
        takes = [await take_as_before(connection, old)]
        epoch = await queries.bid(connection, new)
        assert epoch
        for _ in range(3):
            takes.append(await take_as_before(connection, old))
            assert takes[-1] == []
            news = await queries.changes(connection, ["k"], BEFORE_ALL)
            asked = [(row["name"], row["key"], row["lane"], new) for row in news if row["key"] and not row["is_parked"]]
            given = await queries.grant_jobs(connection, epoch, new, asked[:3])
            for row in given:
                await queries.finish(connection, "k", row["key"], new)
            taken += [(row["key"], row["attempts"]) for row in given]
        await queries.retire(connection, new)
        for _ in range(20):
            takes.append(await take_as_before(connection, old))
        taken += [one for take in takes for one in take]
        await connection.close()

    assert [row["key"] for row in parked] == ["tomorrow"]
    assert sorted(taken) == sorted(
        [*((f"waiting {number}", 1) for number in range(12)), ("orphan", 2), ("added by the old", 1)])


async def take_as_before(connection: asyncpg.Connection, executor_id: UUID) -> list[tuple[str, int]]:
    """Take a job as workers of the version before do, while nobody gives jobs out, and finish it."""
    rows = await connection.fetch(CLAIM_BEFORE, executor_id)
    for row in rows:
        await connection.execute(FINISH_BEFORE, row["key"], executor_id)
    return [(row["key"], row["attempts"]) for row in rows]


BEFORE_ALL = "3:3:"
"""The snapshot of somebody who has seen no transaction yet."""
REGISTER_BEFORE = ("INSERT INTO durable.executors (id, host, pid, expires_at) "
                   "VALUES ($1, 'before', 1, clock_timestamp() + interval '1 hour')")
ENQUEUE_BEFORE = "SELECT durable.enqueue('k', $1, gen_random_uuid(), 1, $2, 'agent:1')"
CLAIM_BEFORE = "SELECT * FROM durable.claim($1, 1, ARRAY['k'])"
FINISH_BEFORE = "DELETE FROM durable.jobs WHERE name = 'k' AND key = $1 AND executor_id = $2"
