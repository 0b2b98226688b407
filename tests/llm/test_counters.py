"""What is counted up while agents work is changed in its place: no index is written for it, no page left behind."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from automatos.agents.queries.stats import add_outcomes
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.llm.queries import insert_usage
from tests.durable.conftest import add_workspace, own_database, own_ground
from tests.llm.test_usage_days import call

__all__ = ["own_database", "own_ground"]
AGENTS, BATCHES = 24, 40
CHANGED = """
SELECT relname, n_tup_upd AS changed, n_tup_hot_upd AS in_place, pg_relation_size(relid) AS bytes
FROM pg_stat_user_tables WHERE relname = ANY($1)
"""
TABLES = ("agents", "llm_usage_days")


@pytest.fixture
async def superuser(own_ground: Migrated) -> AsyncIterator[asyncpg.Connection]:
    assert own_ground.embedded
    connection = await asyncpg.connect(own_ground.embedded.admin_database_url)
    yield connection
    await connection.close()


async def counts(superuser: asyncpg.Connection, tables: tuple[str, ...]) -> dict[str, asyncpg.Record]:
    return {row["relname"]: row for row in await superuser.fetch(CHANGED, list(tables))}


async def test_agents_numbers_and_sums_of_usage_are_changed_in_place(
    own_database: Database, superuser: asyncpg.Connection
) -> None:
    workspace_id = await add_workspace(own_database)
    async with own_database.recording(workspace_id) as connection:
        agents = [await connection.fetchval(
            "INSERT INTO agents (workspace_id, name, agent_type, status, description) "
            "VALUES ($1, $2, 'custom', 'active', repeat('x', 900)) RETURNING id", workspace_id, f"A{number}")
            for number in range(AGENTS)]
    before = await counts(superuser, TABLES)

    for batch in range(BATCHES):
        async with own_database.recording(workspace_id) as connection:
            await insert_usage(connection, workspace_id, [call(agent, batch) for agent in agents])
            await connection.execute("SELECT pg_stat_force_next_flush()")
        async with own_database.session(workspace_id) as session:
            await add_outcomes(session, workspace_id, [
                {"agent_id": agent, "succeeded": 1, "failed": 0, "failed_last": 0, "last_ok": True, "ended_at": now()}
                for agent in agents])
    after = await counts(superuser, TABLES)

    changed = {name: after[name]["changed"] - before[name]["changed"] for name in TABLES}
    in_place = {name: (after[name]["in_place"] - before[name]["in_place"]) / changed[name] for name in TABLES}
    assert changed["agents"] >= AGENTS * BATCHES
    assert {name: share for name, share in in_place.items() if share < 0.9} == {}
    assert after["agents"]["bytes"] < 400_000
