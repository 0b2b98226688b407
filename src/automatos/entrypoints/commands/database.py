"""Commands on the database of a home, whether or not its server runs: upgrade, seed, rotate the key."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from automatos.entrypoints.commands.settings import read_settings
from automatos.entrypoints.migrate import Ground, prepare
from automatos.entrypoints.rotation import Rotation, rotate_key
from automatos.entrypoints.seed import seed
from automatos.entrypoints.startup import make_home
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.running import read_note

T = TypeVar("T")


def upgrade_database(*, home: Path | None) -> None:
    """Migrate the database to this version's tables."""

    async def nothing_more(_: Ground, __: Settings) -> None:
        return

    on_ground(home, nothing_more)


def seed_database(*, home: Path | None) -> None:
    """Add the data the product comes with where it is missing."""

    async def add_missing(database: Database, _: Settings) -> None:
        await seed(database)

    with_database(home, add_missing)


def rotate_server_key(*, home: Path | None, shared_keys: bool) -> dict[str, Any]:
    """Seal every stored credential under a new key and return what was done."""

    async def rotate(ground: Ground, settings: Settings) -> Rotation:
        return await rotate_key(settings, ground, keys_are_shared=shared_keys)

    return asdict(on_ground(home, rotate))


def with_database(home: Path | None, do: Callable[[Database, Settings], Awaitable[T]]) -> T:
    """Do something with connections to the migrated database of a home."""

    async def work(ground: Ground, settings: Settings) -> T:
        database = Database(ground.url, role=ground.role, pool_size=2)
        try:
            return await do(database, settings)
        finally:
            await database.close()

    return on_ground(home, work)


def on_ground(home: Path | None, do: Callable[[Ground, Settings], Awaitable[T]]) -> T:
    """Do something with the migrated database of a home; one of our own that does not run is started for it."""
    return asyncio.run(_prepared(read_settings(home=home), do))


async def _prepared(settings: Settings, do: Callable[[Ground, Settings], Awaitable[T]]) -> T:
    note = read_note(settings.home)
    if note and not settings.external_database_url:
        return await do(Ground(note.database_url, note.role), settings)  # a running server has migrated it already
    make_home(settings)
    ground = await prepare(settings)
    try:
        return await do(ground, settings)
    finally:
        if ground.embedded:
            await asyncio.to_thread(ground.embedded.stop)
