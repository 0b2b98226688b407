"""Logins and databases as hosts hand them out: each works, or is refused in one paragraph with nothing left behind."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from automatos.entrypoints import inspection
from automatos.entrypoints.inspection import inspect
from automatos.entrypoints.migrate import prepare_external
from automatos.kernel.db import Database, Scope
from automatos.kernel.errors import DatabaseRefused
from automatos.kernel.pooler import Pooler
from tests.hosts.conftest import Host, refusal

TABLES = "SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"


async def refused(url: str) -> str:
    with pytest.raises(DatabaseRefused) as found:
        await prepare_external(url)
    assert "\n" not in found.value.detail
    assert ":pw@" not in found.value.detail
    return found.value.detail


async def works_bound(url: str, role: str | None) -> None:
    """See that a workspace can be made, seen inside and not seen outside, in both manners."""
    database = Database(url, role=role, pooler=Pooler.NONE)
    await database.open()
    try:
        async with database.recording(None, Scope.AUTH) as connection:
            await connection.execute("INSERT INTO workspaces (id, name, slug) VALUES (gen_random_uuid(), 'W', 'w')")
            assert await connection.fetchval("SELECT count(*) FROM workspaces WHERE slug = $1", "w") == 1
        async with database.recording(None) as connection:
            assert await connection.fetchval("SELECT count(*) FROM workspaces WHERE slug = $1", "w") == 0
        async with database.session(None) as session:
            assert (await session.execute(text("SELECT count(*) FROM workspaces"))).scalar_one() == 0
    finally:
        await database.close()


async def test_a_hosted_owner_that_bypasses_without_being_superuser_steps_down(host: Host) -> None:
    url = await host.database("hosted", rights="BYPASSRLS CREATEROLE")
    if await host.value("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'automatos_app')"):
        await host.run("GRANT automatos_app TO hosted WITH ADMIN TRUE, SET FALSE")

    migrated = await prepare_external(url)

    assert migrated.role == "automatos_app"
    await works_bound(migrated.url, migrated.role)


async def test_one_that_may_not_become_the_role_is_told_what_an_administrator_runs(host: Host) -> None:
    url = await host.database("bypassing", rights="BYPASSRLS")
    await host.run("DO $$ BEGIN CREATE ROLE automatos_app; EXCEPTION WHEN duplicate_object THEN NULL; END $$")

    said = await refused(url)
    assert 'GRANT automatos_app TO "bypassing" WITH SET TRUE' in said

    await host.run('GRANT automatos_app TO "bypassing" WITH SET TRUE')
    migrated = await prepare_external(url)
    await works_bound(migrated.url, migrated.role)


async def test_a_plain_login_that_owns_nothing_is_told_its_missing_right_and_nothing_is_left(host: Host) -> None:
    url = await host.database("plain", owns=False)

    assert "permission denied" in await refused(url)
    assert await host.value(TABLES, "plain") == 0

    await host.run("GRANT CREATE ON DATABASE plain TO plain", "GRANT CREATE ON SCHEMA public TO plain",
                   database="plain")
    migrated = await prepare_external(url)
    assert migrated.role is None
    await works_bound(migrated.url, migrated.role)


async def test_a_schema_of_its_own_in_the_search_path_is_used(host: Host) -> None:
    url = await host.database("schooled", owns=False)
    await host.run("CREATE SCHEMA own AUTHORIZATION schooled",
                   "GRANT CREATE ON DATABASE schooled TO schooled", database="schooled")

    migrated = await prepare_external(url + "?options=-csearch_path%3Down,public&sslmode=prefer&keepalives=1")

    assert await host.value(TABLES, "schooled") == 0
    assert "keepalives" in migrated.notes[0]
    await works_bound(migrated.url, migrated.role)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
async def test_an_encoding_that_cannot_hold_every_character_is_refused(host: Host, encoding: str) -> None:
    url = await host.database("narrow", creation=f"ENCODING '{encoding}' TEMPLATE template0 LOCALE 'C'")

    assert f"encoding is {encoding}" in await refused(url)
    assert await host.value(TABLES, "narrow") == 0


async def test_a_database_that_can_only_be_read_is_refused(host: Host) -> None:
    url = await host.database("readonly")
    await host.run("ALTER DATABASE readonly SET default_transaction_read_only = on")

    assert "can only be read" in await refused(url)


async def test_a_missing_extension_is_named(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    url = await host.database("bare")
    found = await inspect(url)
    monkeypatch.setattr(inspection, "look_at", lambda _: _answer(found))
    monkeypatch.setattr("automatos.entrypoints.migrate.look_at", lambda _: _answer(found))
    object.__setattr__(found, "has_vector", False)

    assert f"postgresql-{found.major}-pgvector" in await refused(url)


async def _answer(found: object) -> object:
    return found


async def test_one_that_is_too_old_is_refused(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    url = await host.database("aged")
    monkeypatch.setattr(inspection, "OLDEST_MAJOR", 99)

    assert "too old; use 99 or newer" in await refused(url)


async def test_what_cannot_be_reached_says_what_to_correct(host: Host, tmp_path: Path) -> None:
    url = await host.database("reached")

    assert "Create that database" in await refusal(url.rpartition("/")[0] + "/missing")
    assert "Correct the user or password" in await refusal(url.replace(":pw@", ":wrong@"))
    assert "SSL" in await refusal(f"{url}?sslmode=require")
    garbage = tmp_path / "ca.pem"
    garbage.write_text("no certificate")
    assert "No PostgreSQL could be reached" in await refusal(f"{url}?sslmode=verify-full&sslrootcert={garbage}")


async def test_a_policy_that_does_not_bind_is_noticed_on_the_next_connection(host: Host) -> None:
    url = await host.database("loosened")
    await prepare_external(url)
    database = Database(url, pooler=Pooler.NONE)
    await host.run("ALTER TABLE agents NO FORCE ROW LEVEL SECURITY", database="loosened")

    with pytest.raises(DatabaseRefused, match="past row-level security"):
        await database.open()
    with pytest.raises(DatabaseRefused, match="past row-level security"):
        async with database.session(None):
            pass
    await database.close()


async def test_several_processes_that_start_at_once_migrate_once(host: Host) -> None:
    url = await host.database("crowded")

    grounds = await asyncio.gather(*(prepare_external(url) for _ in range(4)))

    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
    await connection.close()
    assert {migrated.role for migrated in grounds} == {None}


async def test_a_clock_that_is_far_from_ours_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    url = await host.database("late")
    real = inspection.machine_now
    monkeypatch.setattr(inspection, "machine_now", lambda: real() + inspection.timedelta(seconds=90))

    migrated = await prepare_external(url)

    assert "90 s behind this machine's" in migrated.notes[0]
