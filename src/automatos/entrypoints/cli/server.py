"""Commands of the server's own machine: up, worker, doctor, demo, openapi, version."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automatos.entrypoints.cli.console import CommandFailed, put, say

if TYPE_CHECKING:
    from automatos.kernel.config import Settings

Port = Annotated[int | None, typer.Option(help="Port to listen on [AUTOMATOS_PORT, 8000].", min=0, max=65535)]
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]


def add_to(app: typer.Typer) -> None:
    """Put this module's commands at the top level."""
    for command in (up, worker, demo, doctor, openapi, version):
        app.command()(command)


def read_settings(**flags: object) -> "Settings":
    """Return the settings, flags before environment, and report AUTOMATOS_ variables that mean nothing.

    Raises:
        CommandFailed: a variable has a value that cannot be; each is named.
    """
    from pydantic import ValidationError

    from automatos.kernel.config import Settings, unknown_variables

    os.environ.update({f"AUTOMATOS_{name.upper()}": str(value) for name, value in flags.items() if value is not None})
    for name in unknown_variables():
        say(f"warning: {name} is set but means nothing here; is it a typing mistake?")
    try:
        return Settings()  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors(include_input=False)]
        raise CommandFailed("The settings cannot be used.", *faults) from None


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on [AUTOMATOS_HOST, 127.0.0.1].")] = None,
    port: Port = None, home: Home = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Serve only; `automatos worker` does the work.")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the web app in a browser.")] = False,
) -> None:
    """Start everything: database, API, worker and web app; serve until Ctrl-C."""
    from automatos.entrypoints.cli.greeting import greet, tell
    from automatos.entrypoints.serve import run

    settings = read_settings(host=host, port=port, home=home)
    announce = greet(settings, works=not no_worker, opens_browser=open_browser)
    run(settings, works=not no_worker, announce=announce, tell=tell)


def worker(
    concurrency: Annotated[
        int | None, typer.Option(help="Jobs at a time [AUTOMATOS_WORKER_CONCURRENCY, 64].", min=1, max=1000)
    ] = None,
    home: Home = None,
) -> None:
    """Add a worker process to a server: by DATABASE_URL, or on the machine and home of a running `automatos up`."""
    from automatos.entrypoints.worker import run

    run(read_settings(worker_concurrency=concurrency, home=home))


def demo(
    name: Annotated[str, typer.Argument(help="The example to cook.")] = "research-digest",
) -> int:
    """Apply the example recipes to the running server and cook one of them."""
    from automatos.entrypoints.cli.tour import take_tour

    return take_tour(name)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a check.")] = False, home: Home = None,
) -> int:
    """Check everything a server needs on this machine; each failure comes with its cure, and exit code 1."""
    from automatos.entrypoints.cli.checks import report

    return report(read_settings(home=home), as_json=as_json)


def show_version(is_asked: bool) -> None:  # typer hands the option's value
    """Print the version and leave, when the option says so."""
    if is_asked:
        version()
        raise typer.Exit


def openapi() -> None:
    """Write the API's description (OpenAPI 3.1, JSON) to standard output."""
    from automatos.entrypoints.openapi import main as write_description

    write_description()


def version() -> None:
    """Print the version."""
    from automatos import __version__

    put(__version__)
