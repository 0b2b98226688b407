"""Commands about the database: upgrade, seed."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automatos.entrypoints.cli.console import say

if TYPE_CHECKING:
    from automatos.entrypoints.migrate import Ground
    from automatos.kernel.config import Settings

app = typer.Typer()
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]


@app.command("upgrade")
def upgrade(home: Home = None) -> None:
    """Migrate the database to this version's tables; nothing happens when they are there."""
    on_ground(home, _nothing_more)
    say("the database is up to date")


@app.command("seed")
def seed(home: Home = None) -> None:
    """Add the data the product comes with (models, prices) where it is missing; what was changed stays."""
    on_ground(home, _seed)
    say("the database is seeded")


def on_ground(home: Path | None, do: Callable[["Ground"], Awaitable[None]]) -> None:
    """Do something with the migrated database of a home, whether or not its server runs."""
    from automatos.entrypoints.cli.server import read_settings

    asyncio.run(_prepared(read_settings(home=home), do))


async def _prepared(settings: "Settings", do: Callable[["Ground"], Awaitable[None]]) -> None:
    from automatos.entrypoints.migrate import Ground, prepare
    from automatos.entrypoints.running import read_note
    from automatos.entrypoints.startup import make_home

    note = read_note(settings.home)
    if note and not settings.external_database_url:
        await do(Ground(note.database_url, note.role))  # a running server has migrated it already
        return
    make_home(settings)
    ground = await prepare(settings)
    try:
        await do(ground)
    finally:
        if ground.embedded:
            await asyncio.to_thread(ground.embedded.stop)


async def _nothing_more(_: "Ground") -> None:
    return


async def _seed(ground: "Ground") -> None:
    from automatos.entrypoints.seed import seed as add_missing
    from automatos.kernel.db import Database

    database = Database(ground.url, role=ground.role, pool_size=2)
    try:
        await add_missing(database)
    finally:
        await database.close()
