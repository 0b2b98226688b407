"""Runs migrations over the connection or address that `entrypoints.migrate` hands in."""

import asyncio

from alembic import context
from sqlalchemy import Connection, text

from automatos.entrypoints.tables import metadata
from automatos.kernel.address import PostgresAddress
from automatos.kernel.db import make_engine

LOCK = 7_246_117


def include_object(item: object, name: str | None, kind: str, *_: object) -> bool:
    return not (kind == "table" and name == "alembic_version")


def run(connection: Connection) -> None:
    context.configure(
        connection=connection, target_metadata=metadata, include_schemas=True, include_object=include_object,
        compare_type=True, compare_server_default=False,
    )
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        context.run_migrations()


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
