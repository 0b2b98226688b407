"""Ways in which a PostgreSQL refuses while it is there: begun and ended as an operator would meet and mend them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import asyncpg

from tests.chaos.processes import Postgres

LIMIT_S = 60
NO_ROOM = """
CREATE FUNCTION public.no_room() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$;
DO $$ DECLARE one record; BEGIN
  FOR one IN SELECT schemaname, tablename FROM pg_tables WHERE schemaname IN ('public', 'durable') LOOP
    EXECUTE format('CREATE TRIGGER no_room BEFORE INSERT OR UPDATE ON %I.%I FOR EACH STATEMENT '
                   'EXECUTE FUNCTION public.no_room()', one.schemaname, one.tablename);
  END LOOP;
END $$
"""
ROOM_AGAIN = "DROP FUNCTION public.no_room() CASCADE"
Fault = Callable[[Postgres], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def disk_full(postgres: Postgres) -> AsyncGenerator[None]:
    """Fill PostgreSQL's own disk; who may mount none lets every table say what PostgreSQL says then.

    A PostgreSQL that has no room for its log goes down, and is started by its operator when there is some again.
    """
    if postgres.disk is None:
        await postgres.query(NO_ROOM)
        try:
            yield
        finally:
            await postgres.query(ROOM_AGAIN)
        return
    postgres.disk.fill()
    try:
        yield
    finally:
        postgres.disk.free()
        if not await _answers(postgres):
            await postgres.revive()


@asynccontextmanager
async def read_only(postgres: Postgres) -> AsyncGenerator[None]:
    """Let every transaction be one that only reads, as on a standby that was promoted by nobody."""
    await _set_read_only(postgres, "on")
    try:
        yield
    finally:
        await _set_read_only(postgres, "off")


async def _set_read_only(postgres: Postgres, value: str) -> None:
    await postgres.query(f"ALTER SYSTEM SET default_transaction_read_only = {value}")
    await postgres.query("SELECT pg_reload_conf()")


@asynccontextmanager
async def no_connection_left(postgres: Postgres) -> AsyncGenerator[None]:
    """Take every connection there is, those of the product too."""
    mine = [await asyncpg.connect(postgres.url)]
    try:
        async with asyncio.timeout(LIMIT_S):
            while await _end_others(mine):
                await _take_all(postgres, mine)
        yield
    finally:
        for connection in mine:
            connection.terminate()


async def _end_others(mine: list[asyncpg.Connection]) -> int:
    own = [connection.get_server_pid() for connection in mine]
    return await mine[0].fetchval(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE backend_type = 'client backend' AND NOT pid = ANY($1)", own)


async def _take_all(postgres: Postgres, mine: list[asyncpg.Connection]) -> None:
    with contextlib.suppress(asyncpg.TooManyConnectionsError):
        while True:
            mine.append(await asyncpg.connect(postgres.url))


async def _answers(postgres: Postgres) -> bool:
    """Whether PostgreSQL answers, after the while that its own recovery may take."""
    for _ in range(50):
        with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            await postgres.query("SELECT 1")
            return True
        if postgres.process is None:
            return False
        await asyncio.sleep(0.2)
    return False
