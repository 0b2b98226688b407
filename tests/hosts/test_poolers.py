"""PgBouncer before PostgreSQL: whatever it shares, a workspace's transactions see and write that workspace alone."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text

from automatos.entrypoints.migrate import prepare_external
from automatos.kernel.db import Database, RecordingConnection, Scope
from automatos.kernel.ids import new_id
from automatos.kernel.pooler import Pooler
from tests.hosts.conftest import Host, PgBouncer

OWNER = ("pooled", "pw")
BOUND = "SELECT current_user || ' ' || (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user"
INSIDE = "SELECT current_setting('automatos.workspace_id', true) || current_setting('automatos.scope', true)"


async def opened(url: str, role: str | None = None, pooler: Pooler | None = None) -> Database:
    database = Database(url, role=role, pool_size=4, pooler=pooler)
    await database.open()
    return database


async def make_workspaces(database: Database, count: int) -> list[UUID]:
    ids = [new_id() for _ in range(count)]
    for each in ids:
        async with database.recording(None, Scope.AUTH) as connection:
            await connection.execute(
                "INSERT INTO workspaces (id, name, slug) VALUES ($1, 'W', $2)", each, f"w-{each.hex}")
        async with database.recording(each) as connection:
            await connection.execute(
                "INSERT INTO agents (workspace_id, name, agent_type) VALUES ($1, $2, 'custom')", each, each.hex)
    return ids


async def see(database: Database, workspace_id: UUID) -> tuple[Sequence[str], Sequence[str]]:
    """Return the agents that a recording connection and a session of the workspace see."""
    async with database.recording(workspace_id) as connection:
        first = [row["name"] for row in await connection.fetch("SELECT name FROM agents WHERE id > $1", 0)]
    async with database.session(workspace_id) as session:
        second = (await session.execute(text("SELECT name FROM agents WHERE id > :low"), {"low": 0})).scalars().all()
    return first, second


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_workspaces_stay_apart_while_they_share_backends(host: Host, pgbouncer: PgBouncer, mode: str) -> None:
    await host.database("pooled")
    async with pgbouncer(mode, [OWNER], size=20 if mode == "session" else 2) as port:
        url = host.url(*OWNER, "pooled", port)
        migrated = await prepare_external(url)
        database = await opened(migrated.url, migrated.role)
        try:
            ids = await make_workspaces(database, 6)
            seen = await asyncio.gather(*(see(database, each) for each in ids * 10))
        finally:
            await database.close()

    assert database.pooler is Pooler(mode)
    assert all(found == ([each.hex], [each.hex]) for each, found in zip(ids * 10, seen, strict=True))


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_transactions_read_what_others_committed_whatever_the_database_defaults_to(
    host: Host, pgbouncer: PgBouncer, mode: str
) -> None:
    direct = await host.database("pooled")
    admin = await asyncpg.connect(direct)
    await admin.execute("ALTER DATABASE pooled SET default_transaction_isolation = 'repeatable read'")
    await admin.close()
    shown = "SELECT current_setting('transaction_isolation')"
    async with pgbouncer(mode, [OWNER], size=20 if mode == "session" else 2) as port:
        database = await opened(host.url(*OWNER, "pooled", port))
        found: list[str] = []
        try:
            for workspace_id in (None, new_id()):
                async with database.recording(workspace_id) as connection:
                    found += [await connection.fetchval(shown), await connection.fetchval(shown + " WHERE $1", True)]
                    async with connection.transaction():
                        found.append(await connection.fetchval(shown))
                async with database.session(workspace_id) as session:
                    found.append((await session.execute(text(shown))).scalar_one())
        finally:
            await database.close()

    assert found == ["read committed"] * 8


@pytest.mark.parametrize("mode", ["session", "transaction"])
async def test_a_superuser_steps_down_also_where_the_pooler_drops_what_it_does_not_know(
    host: Host, pgbouncer: PgBouncer, mode: str
) -> None:
    await host.database("pooled")
    async with pgbouncer(mode, [host.superuser], ignored="role,plan_cache_mode,search_path") as port:
        migrated = await prepare_external(host.url(*host.superuser, "pooled", port))
        database = await opened(migrated.url, migrated.role)
        try:
            ids = await make_workspaces(database, 2)
            async with database.recording(None) as connection:
                recording = [await connection.fetchval(BOUND), await connection.fetchval(
                    "SELECT count(*) FROM agents WHERE id > $1", 0)]
            async with database.session(None) as session:
                in_session = [(await session.execute(text(query))).scalar_one()
                              for query in (BOUND, "SELECT count(*) FROM agents")]
            seen = [await see(database, each) for each in ids]
        finally:
            await database.close()

    assert recording == in_session == ["automatos_app false", 0]
    assert seen == [([each.hex], [each.hex]) for each in ids]


async def test_a_backend_that_two_connections_share_is_never_told_the_others_workspace(
    host: Host, pgbouncer: PgBouncer
) -> None:
    await host.database("pooled")
    one, two = UUID(int=1), UUID(int=2)
    async with pgbouncer("transaction", [OWNER], size=1) as port:
        a, b = [await asyncpg.connect(host.url(*OWNER, "pooled", port), connection_class=RecordingConnection,
                                      statement_cache_size=0) for _ in range(2)]
        await a.enter(one)
        await b.enter(two)
        in_turn = [await connection.fetchval(INSIDE) for connection in (a, b, a)]
        async with a.transaction():
            await a.execute("SELECT 1")
            in_turn.append(await a.fetchval(INSIDE))
        await a.execute("CREATE TEMPORARY TABLE said ON COMMIT DROP AS " + INSIDE)
        await a.enter(None)
        left = await a.fetchval(INSIDE)
        a.terminate()
        b.terminate()

    assert in_turn == [str(one), str(two), str(one), str(one)]
    assert not left


async def test_a_statement_that_fails_leaves_the_backend_clean(host: Host, pgbouncer: PgBouncer) -> None:
    await host.database("pooled")
    async with pgbouncer("transaction", [OWNER], size=1) as port:
        database = await opened(host.url(*OWNER, "pooled", port))
        try:
            async with database.recording(UUID(int=1)) as connection:
                with pytest.raises(asyncpg.DivisionByZeroError):
                    await connection.fetchval("SELECT 1 / $1::int", 0)
                with pytest.raises(asyncpg.DataError):
                    await connection.fetchval("SELECT $1::int", "no number")
                after = await connection.fetchval(INSIDE)
            async with database.recording(None) as connection:
                left = await connection.fetchval(INSIDE)
        finally:
            await database.close()

    assert after == str(UUID(int=1))
    assert not left


async def test_listening_is_done_past_a_transaction_pooler_or_not_at_all(host: Host, pgbouncer: PgBouncer) -> None:
    direct = await host.database("pooled")
    async with pgbouncer("transaction", [OWNER]) as port:
        pooled = host.url(*OWNER, "pooled", port)
        without = await opened(pooled)
        beside = Database(pooled, pooler=Pooler.TRANSACTION, direct_url=direct)
        connection = await beside.connect()
        told = await connection.fetchval("SELECT inet_server_port()")
        own_backend = await connection.fetchval("SELECT pg_backend_pid()") == connection.get_server_pid()
        await connection.close()
        await without.close()

    assert (without.can_listen, beside.can_listen) == (False, True)
    assert (told, own_backend) == (host.port, True)


async def test_pooling_per_statement_is_refused_in_one_paragraph(host: Host, pgbouncer: PgBouncer) -> None:
    await host.database("pooled")
    async with pgbouncer("statement", [OWNER]) as port:
        with pytest.raises(Exception, match=r"pool per session or per transaction") as refused:
            await prepare_external(host.url(*OWNER, "pooled", port))

    assert type(refused.value).__name__ == "DatabaseRefused"
