"""Commands about the database: upgrade, seed."""

import typer

from automatos.cli.console import say
from automatos.cli.machine import on_machine
from automatos.cli.options import Home

app = typer.Typer()


@app.command("upgrade")
def upgrade(home: Home = None) -> None:
    """Migrate the database to this version's tables; nothing happens when they are there."""
    on_machine("upgrade_database", home=home)
    say("the database is up to date")


@app.command("seed")
def seed(home: Home = None) -> None:
    """Add the data the product comes with (models, prices) where it is missing; what was changed stays."""
    on_machine("seed_database", home=home)
    say("the database is seeded")
