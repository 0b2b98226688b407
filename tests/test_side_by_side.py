"""During a deployment processes of the version before and of this one work on one database: each job is done once."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg
from alembic import command
from alembic.config import Config

from automatos.durable import queries
from automatos.entrypoints.migrate import Migrated, migrate, migrations_directory, newest_revision
from automatos.kernel.address import read_address
from automatos.kernel.clock import now
from automatos.kernel.ids import new_id
from tests.test_migrations import new_database


async def test_workers_of_the_version_before_and_of_this_one_share_what_waits_each_job_once(migrated: Migrated) -> None:
    """During a deployment: the statements are those that the version before sends."""
    async with new_database(migrated, "automatos_beside") as url:
        await upgrade_to(url, "0009")
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


async def test_a_migration_gives_way_to_statements_of_the_version_before_and_ends_none_of_them(
    migrated: Migrated
) -> None:
    """Both want what the other has: PostgreSQL would end one of them, and it could be the record of a paid answer."""
    async with new_database(migrated, "automatos_locked") as url:
        await upgrade_to(url, "0003")
        recording, watching = await asyncpg.connect(url), await asyncpg.connect(url)
        try:
            async with recording.transaction():
                await recording.execute("SELECT FROM events")
                migrating = asyncio.create_task(migrate(url))
                while not await watching.fetchval(SOMEBODY_WAITS):
                    await asyncio.sleep(0.02)
                await recording.execute("UPDATE recipe_executions SET status = status")
                await recording.execute("SELECT FROM events")
            await migrating
            revision = await watching.fetchval("SELECT version_num FROM alembic_version")
        finally:
            await recording.close()
            await watching.close()

    assert revision == newest_revision()


async def test_what_a_process_of_the_version_before_records_of_an_unknown_cost_is_counted(migrated: Migrated) -> None:
    async with new_database(migrated, "automatos_costs") as url:
        await migrate(url)
        connection = await asyncpg.connect(url)
        for known in (True, False):
            run_id = new_id()
            await connection.execute(BEGIN_BEFORE, run_id)
            await connection.execute(RECORD_BEFORE, run_id, known)
        found = await connection.fetch("SELECT unpriced_calls FROM recipe_executions ORDER BY id")
        await connection.close()

    assert [row["unpriced_calls"] for row in found] == [0, 1]


async def upgrade_to(url: str, revision: str) -> None:
    config = Config(attributes={"address": read_address(url)})
    config.set_main_option("script_location", str(migrations_directory()))
    await asyncio.to_thread(command.upgrade, config, revision)


async def take_as_before(connection: asyncpg.Connection, executor_id: UUID) -> list[tuple[str, int]]:
    """Take a job as workers of the version before do, while nobody gives jobs out, and finish it."""
    rows = await connection.fetch(CLAIM_BEFORE, executor_id)
    for row in rows:
        await connection.execute(FINISH_BEFORE, row["key"], executor_id)
    return [(row["key"], row["attempts"]) for row in rows]


BEFORE_ALL = "3:3:"
"""The snapshot of somebody who has seen no transaction yet."""
SOMEBODY_WAITS = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'relation')"
BEGIN_BEFORE = ("INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, kind) "
                "VALUES ($1, gen_random_uuid(), 1, 3, 'recipe')")
RECORD_BEFORE = "UPDATE recipe_executions SET is_cost_known = $2 WHERE id = $1 AND finished_at IS NULL"
REGISTER_BEFORE = ("INSERT INTO durable.executors (id, host, pid, expires_at) "
                   "VALUES ($1, 'before', 1, clock_timestamp() + interval '1 hour')")
ENQUEUE_BEFORE = "SELECT durable.enqueue('k', $1, gen_random_uuid(), 1, $2, 'agent:1')"
CLAIM_BEFORE = "SELECT * FROM durable.claim($1, 1, ARRAY['k'])"
FINISH_BEFORE = "DELETE FROM durable.jobs WHERE name = 'k' AND key = $1 AND executor_id = $2"
