"""Help comes at once and is there for everything; what a command does can be read by programs."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer

from automatos.entrypoints.cli.main import app
from automatos.entrypoints.cli.nouns import NOUNS

TALKS_ONLY = {
    "auth login", "auth logout", "db upgrade", "db seed", "demo", "openapi", "up", "version", "worker",
}
"""Commands whose data is a file, a whole server, or nothing at all."""
ASKS = {"edit", "delete", "restore", "rollback", "stop", "deactivate"}


def _commands(path: str = "", command: Any = None) -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
        return
    for name, child in children.items():
        yield from _commands(f"{path} {name}".strip(), child)


COMMANDS = dict(_commands())


def _options(command: Any) -> set[str]:
    return {option for parameter in command.params for option in parameter.opts}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_says_what_it_does_and_speaks_json(path: str) -> None:
    command = COMMANDS[path]

    assert command.help.endswith((".", "10", "0")), command.help
    assert all(parameter.help for parameter in command.params if parameter.name != "limit")
    assert "--json" in _options(command) or path in TALKS_ONLY


@pytest.mark.parametrize("path", [path for path in COMMANDS if path.split()[-1] in ASKS])
def test_every_command_that_asks_can_be_told_yes_and_never_to_ask(path: str) -> None:
    assert {"--yes", "--no-input"} <= _options(COMMANDS[path])


def test_help_imports_no_command_and_nothing_heavy() -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['automatos', '--help']\n"
        "try: runpy.run_module('automatos.entrypoints.cli.main', run_name='nobody')['main']()\n"
        "except SystemExit: pass\n"
        "print(','.join(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "agent" in done.stdout
    loaded = set(done.stderr.strip().split(","))
    assert not loaded & ({f"automatos.entrypoints.cli.{noun}" for noun in NOUNS}
                         | {"httpx", "pydantic", "sqlalchemy", "fastapi", "rich", "yaml"})
