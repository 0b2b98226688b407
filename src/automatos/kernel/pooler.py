"""Is there a connection pooler before PostgreSQL, and what does it keep for us? It is asked, not believed."""

from enum import StrEnum

import asyncpg

ROUNDS = 5
WAIT_S = 5.0
PID = "SELECT pg_backend_pid()"


class Pooler(StrEnum):
    """What stands between us and PostgreSQL."""

    NONE = "none"
    SESSION = "session"
    """A backend belongs to one connection as long as it lasts."""
    TRANSACTION = "transaction"
    """Each transaction may get another backend: nothing that is set, prepared or listened to outlives it."""


async def find_pooler(connection: asyncpg.Connection, other: asyncpg.Connection) -> Pooler:
    """Look from two idle connections; a busy pooler in transaction mode may be taken for one in session mode.

    A pooler tells clients a process number of its own making. In transaction mode it hands the backend that one
    connection has just used to the next that asks.
    """
    if connection.get_server_pid() == await connection.fetchval(PID):
        return Pooler.NONE
    try:
        for _ in range(ROUNDS):
            before = await connection.fetchval(PID, timeout=WAIT_S)
            async with other.transaction():
                if await other.fetchval(PID, timeout=WAIT_S) == before:
                    return Pooler.TRANSACTION
                if await connection.fetchval(PID, timeout=WAIT_S) != before:
                    return Pooler.TRANSACTION
    except TimeoutError:
        return Pooler.TRANSACTION  # a connection waited for a backend that another one had
    return Pooler.SESSION
