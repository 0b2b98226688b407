"""Commands that run a process until a signal: up, worker; and the check before: doctor."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automatos.entrypoints import checks, serve, worker
from automatos.entrypoints.commands.settings import read_settings
from automatos.entrypoints.greeting import greet, tell


def run_server(
    *, host: str | None, port: int | None, home: Path | None, works: bool, opens_browser: bool, started_at: float
) -> None:
    """Start everything and serve until a signal; `started_at` is when the command began, by the monotonic clock."""
    settings = read_settings(host=host, port=port, home=home)
    announce = greet(settings, works=works, opens_browser=opens_browser, started_at=started_at)
    serve.run(settings, works=works, announce=announce, tell=tell)


def run_worker(*, concurrency: int | None, home: Path | None) -> None:
    """Work until a signal, on the configured database or that of a running server of this home."""
    worker.run(read_settings(worker_concurrency=concurrency, home=home))


def check_machine(*, home: Path | None, ask_model: Callable[[str], dict[str, Any] | str]) -> list[dict[str, Any]]:
    """Return what each check found; `ask_model` asks a running server for its default model, or says why it cannot."""
    findings = checks.look(read_settings(home=home), ask_model)
    return [asdict(finding) | {"result": finding.word} for finding in findings]
