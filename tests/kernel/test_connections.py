"""How many connections a process has at most is what it says, whatever is asked of it at once."""

import asyncio
from contextlib import AbstractAsyncContextManager

import asyncpg
import pytest
from sqlalchemy import text

from automatos.entrypoints.migrate import Migrated
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.durable.conftest import until

OPEN = "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1"


@pytest.mark.parametrize("pool_size", [2, 5, 8])
async def test_a_process_opens_as_many_connections_as_it_says_and_no_more(migrated: Migrated, pool_size: int) -> None:
    name = f"counted-{new_id().hex}"
    separator = "&" if "?" in migrated.url else "?"
    database = Database(f"{migrated.url}{separator}application_name={name}", role=migrated.role, pool_size=pool_size)
    await database.open()
    held, enough = 0, asyncio.Event()

    async def hold(opened: AbstractAsyncContextManager[object], *, is_session: bool) -> None:
        nonlocal held
        async with opened as one:
            if is_session:
                await one.execute(text("SELECT 1"))  # type: ignore[attr-defined]
            held += 1
            await enough.wait()

    asked = [asyncio.create_task(hold(opened, is_session=is_session))
             for _ in range(pool_size * 2)
             for opened, is_session in ((database.recording(None), False), (database.recording(new_id()), False),
                                        (database.session(None), True))]
    admin = await asyncpg.connect(migrated.url)
    try:
        await until(lambda: held == database.most_connections)
        assert await admin.fetchval(OPEN, name) == database.most_connections
    finally:
        enough.set()
        await asyncio.gather(*asked)
        await admin.close()
        await database.close()

    assert held == len(asked)
    assert database.most_connections <= 2.5 * pool_size + 1
