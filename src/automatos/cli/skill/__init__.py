"""Commands about skills and their sources."""

import typer

from automatos.cli.skill import reading, source, writing

app = typer.Typer()
for part in (reading, writing):
    app.add_typer(part.app)
app.add_typer(source.app, name="source", help="The git repositories that skills are taken from.", no_args_is_help=True)
