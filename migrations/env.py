"""Runs migrations over the connection or address that `entrypoints.migrate` hands in."""

import asyncio
import time

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from automatos.entrypoints.tables import is_ours, metadata
from automatos.kernel.address import PostgresAddress
from automatos.kernel.db import make_engine
from automatos.kernel.errors import DatabaseRefused

LOCK = 7_246_117
LOCK_PATIENCE_MS = 400
"""Shorter than PostgreSQL's deadlock_timeout (1 s): where two wait for each other, the migration gives way first."""
ROUNDS = 150
TABLES = """
SELECT string_agg(format('%I.%I', n.nspname, c.relname), ', ' ORDER BY n.nspname, c.relname)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname IN ('public', 'durable') AND NOT EXISTS (
    SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
"""
LOCK_NOT_AVAILABLE = "55P03"


def include_object(item: object, name: str | None, kind: str, *_: object) -> bool:
    return is_ours(name, kind)


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, include_schemas=True, include_object=include_object,
        compare_type=True, compare_server_default=False,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        if context.get_context().get_current_revision() != context.get_head_revision():
            lock_tables(connection)
        context.run_migrations()


def lock_tables(connection: Connection) -> None:
    """Take every table before the first is changed, so that processes of the version before only wait.

    Taken one by one while statements hold others, their locks would meet in a deadlock, and PostgreSQL could end a
    statement that records what a model was paid for. Raises DatabaseRefused when somebody keeps a table for a minute.
    """
    tables = connection.execute(text(TABLES)).scalar()
    if not tables:
        return
    for _ in range(ROUNDS):
        attempt = connection.begin_nested()
        try:
            connection.execute(text(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}"))
            connection.execute(text(f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
        except DBAPIError as error:
            attempt.rollback()  # and with it the locks that were had
            if getattr(error.orig, "sqlstate", None) != LOCK_NOT_AVAILABLE:
                raise
            time.sleep(0.05)
        else:
            attempt.commit()
            return
    raise DatabaseRefused(
        "The tables of this version were not made: some statement has held a table of the database for a minute "
        "(pg_stat_activity shows the longest under xact_start). End it or wait for it, then start again.")


async def connect_and_run(address: PostgresAddress) -> None:
    engine = make_engine(address)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(run)
            await connection.commit()
    finally:
        await engine.dispose()


handed: Connection | None = context.config.attributes.get("connection")
if handed is not None:
    run(handed)
else:
    asyncio.run(connect_and_run(context.config.attributes["address"]))
