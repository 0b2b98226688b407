"""Commands of the server's own machine: up, worker, demo, doctor, openapi, version."""

from typing import Annotated, Any

import typer

from automatos import __version__
from automatos.cli import STARTED_AT
from automatos.cli.access import find_access
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, Exit, put, put_json
from automatos.cli.machine import on_machine
from automatos.cli.options import Home
from automatos.cli.tour import take_tour

ASK_TIMEOUT_S = 5.0


def add_to(app: typer.Typer) -> None:
    """Put this module's commands at the top level."""
    for command in (up, worker, demo, doctor, openapi, version):
        app.command()(command)


def up(
    host: Annotated[str | None, typer.Option(help="Address to listen on [AUTOMATOS_HOST, 127.0.0.1].")] = None,
    port: Annotated[
        int | None, typer.Option(help="Port to listen on [AUTOMATOS_PORT, 8000].", min=0, max=65535)] = None,
    home: Home = None,
    no_worker: Annotated[
        bool, typer.Option("--no-worker", help="Serve only; `automatos worker` does the work.")
    ] = False,
    open_browser: Annotated[bool, typer.Option("--open", help="Open the web app in a browser.")] = False,
) -> None:
    """Start everything: database, API, worker and web app; serve until Ctrl-C."""
    on_machine("run_server", host=host, port=port, home=home, works=not no_worker, opens_browser=open_browser,
               started_at=STARTED_AT)


def worker(
    concurrency: Annotated[
        int | None, typer.Option(help="Jobs at a time [AUTOMATOS_WORKER_CONCURRENCY, 64].", min=1, max=1000)
    ] = None,
    home: Home = None,
) -> None:
    """Add a worker process to a server: by DATABASE_URL, or on the machine and home of a running `automatos up`."""
    on_machine("run_worker", concurrency=concurrency, home=home)


def demo(
    name: Annotated[str, typer.Argument(help="The example to cook.")] = "research-digest",
) -> int:
    """Apply the example recipes to the running server and cook one of them."""
    return take_tour(name)


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a check.")] = False, home: Home = None,
) -> int:
    """Check everything a server needs on this machine; each failure comes with its cure, and exit code 1."""
    findings: list[dict[str, Any]] = on_machine("check_machine", home=home, ask_model=_ask_model)
    for finding in findings:
        if as_json:
            put_json(finding)
            continue
        put(f"{finding['result']:<5} {finding['name']}: {finding['detail']}")
        if finding["cure"]:
            put(f"      fix: {finding['cure']}")
    return Exit.FAILED if any(finding["result"] == "fail" for finding in findings) else Exit.OK


def _ask_model(url: str) -> dict[str, Any] | str:
    """Return the default model of a server as its API gives it, or why there is no answer."""
    try:
        return Client(find_access(url), timeout_s=ASK_TIMEOUT_S).get("/api/models/default")
    except CommandFailed as failure:
        return failure.what


def show_version(is_asked: bool) -> None:  # typer hands the option's value
    """Print the version and leave, when the option says so."""
    if is_asked:
        version()
        raise typer.Exit


def openapi() -> None:
    """Write the API's description (OpenAPI 3.1, JSON) to standard output."""
    on_machine("write_description")


def version() -> None:
    """Print the version."""
    put(__version__)
