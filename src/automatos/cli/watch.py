"""Watching a run: drawn live on a terminal, one line an event in a pipe, JSON lines for programs."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, Exit, is_live, put, put_json, say
from automatos.cli.figures import trimmed
from automatos.cli.progress import Progress, ending_of, line_of
from automatos.client import RunEvent
from automatos.kernel.figures import duration

if TYPE_CHECKING:
    from rich.console import RenderableType

SUCCEEDED = frozenset({"completed", "completed_with_skips"})
MARKS = {"pending": "·", "running": "»", "waiting": "…", "completed": "✓", "failed": "✗", "skipped": "-",
         "cancelled": "-"}
STYLES = {"running": "bold", "completed": "green", "failed": "red"}
TAIL_LINES = 8
REDRAWS_PER_S = 12


def watch(
    client: Client, run_id: str, *, as_json: bool, exit_status: bool, quiet: bool = False, is_new: bool = False
) -> int:
    """Follow a run to its end and return the exit code; Ctrl-C leaves the run alone. A new run's id is told first."""
    progress = Progress()
    try:
        if is_new:
            say(f"run {run_id}")
        events = _noted(client.follow(run_id), progress)
        if as_json:
            _print_json(events)
        elif quiet:
            _read_all(events)
        elif is_live():
            _draw(events, progress)
        else:
            _print_lines(events)
    except KeyboardInterrupt:
        say(f"the run goes on; come back with: automatos run watch {run_id}")
        return Exit.INTERRUPTED
    except CommandFailed as failure:
        raise CommandFailed(failure.what, *failure.next_steps, f"come back with: automatos run watch {run_id}",
                            code=failure.code) from failure
    if not as_json and (quiet or is_live()) and progress.end and progress.end.final_output:
        put(progress.end.final_output)
    _tell_end(client, run_id, progress)
    return Exit.RUN_FAILED if exit_status and progress.status not in SUCCEEDED else Exit.OK


def tell_started(
    client: Client, started: dict[str, Any], *, watching: bool, as_json: bool, exit_status: bool = False,
    quiet: bool = False,
) -> int:
    """Follow a run that was accepted to its end where that is asked for, else tell its id; returns the exit code."""
    run_id = started["run_id"]
    if watching or exit_status or quiet:
        return watch(client, run_id, as_json=as_json, exit_status=exit_status, quiet=quiet, is_new=True)
    if as_json:
        put_json(started)
    else:
        put(run_id)
        say(started["message"])
        say(f"follow it with: automatos run watch {run_id}")
    return Exit.OK


def _tell_end(client: Client, run_id: str, progress: Progress) -> None:
    mark = "ok" if progress.status in SUCCEEDED else "not ok:"
    say(f"{mark} {ending_of(progress.status, progress.end)}")
    if progress.end and progress.end.error and progress.end.error.next_step:
        say(f"  {progress.end.error.next_step}")
    say(f"view it: {run_address(client, run_id)}")


def run_address(client: Client, run_id: str) -> str:
    """Return where the web app shows a run."""
    with contextlib.suppress(CommandFailed):
        return f"{client.url}/w/{client.get('/api/auth/me')['workspace_id']}/runs/{run_id}"
    return client.url


def _noted(events: Iterator[RunEvent], progress: Progress) -> Iterator[RunEvent]:
    for event in events:
        progress.take(event)
        yield event


def _read_all(events: Iterator[RunEvent]) -> None:
    for _ in events:
        pass


def _print_json(events: Iterator[RunEvent]) -> None:
    for event in events:
        put(event.text)


def _print_lines(events: Iterator[RunEvent]) -> None:
    for event in events:
        if line := line_of(event):
            put(line)


def _draw(events: Iterator[RunEvent], progress: Progress) -> None:
    from rich.live import Live

    with Live(get_renderable=lambda: _picture(progress), refresh_per_second=REDRAWS_PER_S):
        _read_all(events)


def _picture(progress: Progress) -> "RenderableType":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=False)
    for step in progress.steps.values():
        style = STYLES.get(step.status, "dim")
        took = duration(step.duration_ms) if step.duration_ms is not None else ""
        table.add_row(Text(MARKS.get(step.status, "?"), style), Text(step.step_id, style), Text(step.agent, "dim"),
                      Text(f"{step.tokens:,} tok" if step.tokens else "", "dim"), Text(took, "dim"),
                      Text(trimmed(step.note, 60), "yellow"))
    at_work = progress.current
    tail = at_work.text.splitlines()[-TAIL_LINES:] if at_work else []
    return Group(Text(f"{progress.recipe}: {progress.status}"), table, Text("\n".join(tail), "dim"))
