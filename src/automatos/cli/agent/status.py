"""Where an agent is in its life and what it works on, once or as it changes."""

import shutil
import sys
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from automatos.cli.client import Client
from automatos.cli.console import put, put_json
from automatos.cli.finding import agent_path
from automatos.cli.options import AgentName, Json
from automatos.kernel.figures import quantity

app = typer.Typer()
POLL_S = 1.0


@app.command("status")
def show_status(
    agent: AgentName,
    watching: Annotated[
        bool, typer.Option("--watch", "-w", help="Show it again when it changes; Ctrl-C ends.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show an agent's status, what it works on, and the stop that waits, if one does."""

    client = Client()
    path = f"{agent_path(client, agent)}/status"
    before: list[str] = []
    while True:
        report = client.get(path)
        lines = list(_lines(report))
        if lines != before:
            _show(report, lines, before, as_json=as_json)
        before = lines
        if not watching:
            return
        time.sleep(POLL_S)


def _show(report: dict[str, Any], lines: list[str], before: list[str], *, as_json: bool) -> None:
    if as_json:
        put_json(report)
        return
    if before and sys.stdout.isatty():
        sys.stdout.write(f"\x1b[{len(before)}F\x1b[J")
    elif before:
        put("")
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in lines:
        put(line[:room])


def _lines(report: dict[str, Any]) -> Iterator[str]:
    """Yield a report line by line; nothing in it counts down, so that only changes show."""

    workload, stopping = report["workload"], report["stopping"]
    why = f": {report['status_reason']}" if report["status_reason"] else ""
    yield f"{report['name']} is {report['status']}{why}"
    yield f"  {workload['running']} of {workload['capacity']} places taken, {workload['queued']} queued"
    if stopping:
        yield (f"  stops ({stopping['shutdown_type']}, to {stopping['target']}) after "
               f"{quantity(stopping['awaiting_count'], 'run')}, asked by {stopping['requested_by']}")
    for one in workload["active"][:10]:
        yield f"  {one['place']:<8} {one['kind']} {one['name']!r} {one['id']}"
    yield f"  can become: {', '.join(report['allowed_statuses']) or 'nothing else'}"
