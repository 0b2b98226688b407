"""SQL of lifecycle, which keeps no table of its own."""

import asyncpg


async def try_to_lead(connection: asyncpg.Connection, lock: int) -> bool:
    """Become the one process that does something now, until the connection's transaction ends."""
    return bool(await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", lock))
