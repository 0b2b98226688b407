"""Commands on the database of a home, whether or not its server runs: upgrade, seed, rotate the key."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from automatos.entrypoints.commands.settings import read_settings
from automatos.entrypoints.migrate import Migrated, prepare
from automatos.entrypoints.rotation import Rotation, rotate_key
from automatos.entrypoints.seed import seed
from automatos.entrypoints.startup import make_home
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.running import read_note

T = TypeVar("T")


def upgrade_database(*, home: Path | None) -> None:
    """Migrate the database to this version's tables."""

    async def nothing_more(_: Migrated, __: Settings) -> None:
        return

    on_database(home, nothing_more)


def seed_database(*, home: Path | None) -> None:
    """Add the data the product comes with where it is missing."""

    async def add_missing(database: Database, _: Settings) -> None:
        await seed(database)

    with_database(home, add_missing)


def rotate_server_key(*, home: Path | None, shared_keys: bool) -> dict[str, Any]:
    """Seal every stored credential under a new key and return what was done."""

    async def rotate(migrated: Migrated, settings: Settings) -> Rotation:
        return await rotate_key(settings, migrated, keys_are_shared=shared_keys)

    return asdict(on_database(home, rotate))


def with_database(home: Path | None, do: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Do something with connections to the migrated database of a home."""

    async def work(migrated: Migrated, settings: Settings) -> T:
        database = Database(migrated.url, role=migrated.role, pool_size=2)
        try:
            return await do(database, settings)
        finally:
            await database.close()

    return on_database(home, work)


def on_database(home: Path | None, do: Callable[[Migrated, Settings], Awaitable[T]]) -> T:
    """Do something with the migrated database of a home; one of our own that does not run is started for it."""
    return asyncio.run(_prepared(read_settings(home=home), do))


async def _prepared(settings: Settings, do: Callable[[Migrated, Settings], Awaitable[T]]) -> T:
    note = read_note(settings.home)
    if note and not settings.external_database_url:
        return await do(Migrated(note.database_url, note.role), settings)  # a running server has migrated it already
    make_home(settings)
    migrated = await prepare(settings)
    try:
        return await do(migrated, settings)
    finally:
        if migrated.embedded:
            await asyncio.to_thread(migrated.embedded.stop)
