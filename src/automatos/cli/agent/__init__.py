"""Commands about agents, each part a few verbs."""

import typer

from automatos.cli.agent import (
    doing,
    editing,
    files,
    history,
    making,
    reading,
    several,
    status,
    stopping,
    voice,
)

app = typer.Typer()
for part in (reading, making, editing, status, stopping, doing, voice, history, files, several):
    app.add_typer(part.app)
