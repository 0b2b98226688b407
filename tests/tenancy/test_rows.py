"""Row-level security alone: what SQL finds inside a workspace when no query filters by it."""

from collections.abc import AsyncIterator

import asyncpg
import pytest
from sqlalchemy import text

from automatos.entrypoints.tables import metadata
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from tests.tenancy.world import World

OF_THE_ENGINE = {"durable.jobs"}
"""Names its workspace only so that workspaces take turns; holds ids, no content, and no route reads it."""

OWNED = {table.name: "workspace_id" for table in metadata.sorted_tables
         if "workspace_id" in table.c and table.fullname not in OF_THE_ENGINE} | {"workspaces": "id"}
SHARED = {"patterns", "personas", "skills", "skill_versions", "skill_files"}
"""Tables whose rows without a workspace came with the product."""

OTHERWISE_GUARDED = {
    "alembic_version",  # may only be read
    "credential_types", "llm_models",  # everybody's
    "user_sessions", "users",  # people belong to no workspace; found by secrets and ids only
}

pytestmark = pytest.mark.capability("S160")


@pytest.fixture(params=["session", "recording"])
async def ask(request: pytest.FixtureRequest, world: World, database: Database) -> AsyncIterator:
    """Ask for one number inside Bob's workspace, over either kind of connection."""
    if request.param == "session":
        async with database.session(world.bob.home) as session:
            yield lambda sql: session.scalar(text(sql))
    else:
        async with database.recording(world.bob.home) as connection:
            yield connection.fetchval


async def test_every_table_of_a_workspace_is_under_forced_row_level_security(superuser: asyncpg.Connection) -> None:
    rows = await superuser.fetch(
        "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AS forced, "
        "       EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid) AS has_policy "
        "FROM pg_class c WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace")
    guarded = {row["relname"] for row in rows if row["forced"] and row["has_policy"]}

    assert guarded >= OWNED.keys()
    assert {row["relname"] for row in rows} - guarded == OTHERWISE_GUARDED


async def test_nothing_gets_around_it(superuser: asyncpg.Connection, database: Database) -> None:
    async with database.recording(None) as connection:
        role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = current_user")
        assert role
        assert not any((role["rolsuper"], role["rolbypassrls"], role["rolcreaterole"]))
        for statement in ("ALTER TABLE agents DISABLE ROW LEVEL SECURITY", "DROP POLICY inside ON agents",
                          "CREATE POLICY mine ON agents USING (true)"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    ways_around = await superuser.fetch(
        "SELECT proname FROM pg_proc WHERE prosecdef AND pronamespace::regnamespace::text IN ('public', 'durable')"
        " UNION ALL SELECT relname FROM pg_class WHERE relkind IN ('v', 'm') AND relnamespace = 'public'::regnamespace"
        "           AND NOT coalesce('security_invoker=true' = ANY(reloptions), false)")
    assert ways_around == []


async def test_no_foreign_row_is_seen_without_any_filter(world: World, superuser: asyncpg.Connection, ask) -> None:
    hers, his = world.hers["workspace_id"], world.bob.home

    for table, column in OWNED.items():
        there = await superuser.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", hers)
        assert there, f"Ada has no row in {table}: teach tests/tenancy/world.py to make one"
        assert await ask(f"SELECT count(*) FROM {table} WHERE {column} <> '{his}'") == 0, table
        assert await ask(f"SELECT count(*) FROM {table} WHERE {column} = '{hers}'") == 0, table


async def test_no_row_is_seen_outside_workspaces(world: World, database: Database) -> None:
    async with database.recording(None) as connection, database.session(None) as session:
        for table, column in OWNED.items():
            assert await connection.fetchval(f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL") == 0, table
            assert await session.scalar(text(f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL")) == 0, table


WRITTEN_ONCE = frozenset({"audit_log"})
"""Tables whose rows the application may add and read, and no more, not even its own workspace's."""


async def test_foreign_rows_can_be_neither_changed_nor_deleted(world: World, database: Database) -> None:
    hers = world.hers["workspace_id"]

    async with database.recording(world.bob.home) as connection:
        for table in WRITTEN_ONCE:
            for statement in (f"UPDATE {table} SET id = id", f"DELETE FROM {table}", f"TRUNCATE {table}"):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                    await connection.execute(statement)
        for table, column in OWNED.items():
            if table in WRITTEN_ONCE:
                continue
            for statement in (f"UPDATE {table} SET {column} = {column} WHERE {column} = $1",
                              f"DELETE FROM {table} WHERE {column} = $1"):
                assert (await connection.execute(statement, hers)).endswith(" 0"), statement


async def test_no_row_can_be_put_into_a_foreign_workspace(
    world: World, database: Database, superuser: asyncpg.Connection
) -> None:
    hers, his = world.hers["workspace_id"], world.bob.home

    async with database.recording(his) as connection:
        for table, column in OWNED.items():
            row = await superuser.fetchval(
                f"SELECT to_jsonb(t)::text FROM {table} t WHERE {column} = $1 LIMIT 1", hers)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE "
                    f"SELECT * FROM jsonb_populate_record(NULL::{table}, $1::jsonb)", row)
            if table not in WRITTEN_ONCE and await connection.fetchval(
                    f"SELECT count(*) FROM {table} WHERE {column} = $1", his):
                with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                    await connection.execute(f"UPDATE {table} SET {column} = $1 WHERE {column} = $2", hers, his)


async def test_what_came_with_the_product_is_read_by_everybody(
    world: World, superuser: asyncpg.Connection, database: Database, ask
) -> None:
    del world
    async with database.recording(None) as outside:
        for table in SHARED:
            there = await superuser.fetchval(f"SELECT count(*) FROM {table} WHERE workspace_id IS NULL")
            assert there, table
            assert await ask(f"SELECT count(*) FROM {table} WHERE workspace_id IS NULL") == there, table
            assert await outside.fetchval(f"SELECT count(*) FROM {table}") == there, table


@pytest.mark.parametrize("scope", [None, Scope.AUTH, Scope.ADMIN])
async def test_what_came_with_the_product_is_written_by_nobody(
    world: World, superuser: asyncpg.Connection, database: Database, scope: Scope | None
) -> None:
    hers = world.hers["workspace_id"]

    async with database.recording(hers, scope) as connection:
        for table in SHARED:
            for statement in (f"UPDATE {table} SET workspace_id = $1 WHERE workspace_id IS NULL",
                              f"DELETE FROM {table} WHERE workspace_id IS NULL OR workspace_id <> $1"):
                assert (await connection.execute(statement, hers)).endswith(" 0"), statement
            row = await superuser.fetchval(
                f"SELECT (to_jsonb(t) - 'workspace_id')::text FROM {table} t WHERE workspace_id = $1 LIMIT 1", hers)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(
                    f"INSERT INTO {table} OVERRIDING SYSTEM VALUE "
                    f"SELECT * FROM jsonb_populate_record(NULL::{table}, $1::jsonb)", row)
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(f"UPDATE {table} SET workspace_id = NULL WHERE workspace_id = $1", hers)


async def test_the_verbs_that_rooms_share_show_no_foreign_row(world: World, ask) -> None:
    hers = world.hers
    for call in (
        f"persona_for_run('{hers['persona_id']}')", f"persona_cards(ARRAY['{hers['persona_id']}'::uuid], NULL)",
        f"persona_cards(NULL, '{hers['persona_slug']}')", f"skills_for_run(ARRAY[{hers['skill_id']}])",
        f"skill_cards(ARRAY[{hers['skill_id']}], NULL)", f"skill_cards(NULL, ARRAY['{hers['skill_name']}'])",
        f"agent_for_start({hers['agent_id']})",
    ):
        assert await ask(f"SELECT {call}") is None, call


async def test_the_verbs_of_the_recording_path_write_into_no_foreign_workspace(
    world: World, database: Database
) -> None:
    hers = world.hers["workspace_id"]

    async with database.recording(world.bob.home) as connection:
        for statement in (
            "SELECT durable.append_events($1, 'run:x', 0, ARRAY['x'], ARRAY['{}'::jsonb], now())",
            f"""SELECT append_runs($1, '[{{"id": "{new_id()}", "opening": {{}}}}]')""",
            f"""SELECT append_turns($1, '[{{"run_id": "{new_id()}", "seq": 1, "kind": "model", "body": {{}}}}]')""",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await connection.execute(statement, hers)


async def test_a_connection_forgets_the_workspace_before_it(world: World, database: Database) -> None:
    """Whatever order connections are taken in, each shows only the workspace it was taken for."""
    hers, his = world.hers["workspace_id"], world.bob.home
    for place, other in [(hers, his), (his, hers)] * 3:
        async with database.recording(place) as connection:
            assert await connection.fetchval("SELECT count(*) FROM agents WHERE workspace_id = $1", place) > 0
            assert await connection.fetchval("SELECT count(*) FROM agents WHERE workspace_id = $1", other) == 0
        async with database.session(place) as session:
            assert await session.scalar(text(f"SELECT count(*) FROM agents WHERE workspace_id = '{other}'")) == 0
    async with database.session(None) as session:
        assert await session.scalar(text("SELECT count(*) FROM agents")) == 0


@pytest.mark.capability("S168")
async def test_a_workspace_takes_everything_it_had_with_it(world: World, superuser: asyncpg.Connection) -> None:
    """The last test of this module."""
    world.gate.set()
    hers = world.hers["workspace_id"]
    await superuser.execute("DELETE FROM workspaces WHERE id = $1", hers)

    left = [table for table, column in OWNED.items()
            if await superuser.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", hers)]
    assert left == []
