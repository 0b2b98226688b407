"""Help comes at once and is there for everything; what a command does can be read by programs."""

import ast
import inspect
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import typer

import automatos.cli
from automatos.cli.console import Exit
from automatos.cli.machine import PLACES
from automatos.cli.main import app
from automatos.cli.nouns import NOUNS
from tests.cli.conftest import Cli

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


HEAVY = {
    "aiohttp", "asyncio", "asyncpg", "fastapi", "httpx", "httpx2", "pydantic", "redis", "rich", "sqlalchemy", "ssl",
    "starlette", "uvicorn", "yaml",
}
MOST_MODULES = 230
"""What typer, the standard library under it and our own files come to, with a few to spare."""
SERVERS = {"entrypoints", "agents", "recipes", "runs", "workspaces", "events", "kernel.config", "kernel.db"}


def loaded_by(*arguments: str, code: int = 0) -> set[str]:
    """The modules that a command loads in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", RUN, *arguments], capture_output=True, text=True, check=False,
        env=os.environ | {"AUTOMATOS_URL": "http://127.0.0.1:1"})
    assert done.returncode == code, done.stderr
    return set(done.stderr.strip().splitlines()[-1].split(","))


RUN = """
import atexit, sys
atexit.register(lambda: print(",".join(sys.modules), file=sys.stderr))
from automatos.cli.main import main
main()
"""


@pytest.mark.parametrize("arguments", [(), *((noun,) for noun in NOUNS), ("up",), ("run", "fork"), ("agent", "create")],
                         ids=" ".join)
def test_help_comes_without_the_server_the_network_or_any_heavy_library(arguments: tuple[str, ...]) -> None:
    loaded = loaded_by(*arguments, "--help")

    assert loaded & HEAVY == set()
    assert {name for name in loaded for part in SERVERS if f"{name}.".startswith(f"automatos.{part}.")} == set()
    assert len(loaded) <= MOST_MODULES


def test_help_of_everything_imports_no_noun() -> None:
    assert loaded_by("--help") & {f"automatos.cli.{module}" for module, _ in NOUNS.values()} == set()


def test_a_request_loads_the_http_library_and_no_other_heavy_one() -> None:
    assert loaded_by("run", "list", "--status", "failed", code=Exit.NO_SERVER) & HEAVY - {"ssl"} == {"httpx2"}


@pytest.mark.parametrize("words", [
    ("run", "list", "--limit", "many"), ("run", "list", "--limit", "201"), ("worker", "--concurrency", "0"),
    ("skill", "check", "no-such-folder"), ("agent", "create", "--file", "no-such.yaml"),
])
def test_values_that_need_a_check_are_still_checked(words: tuple[str, ...], alone: Cli) -> None:
    done = alone(*words)

    assert (done.returncode, done.stdout, "Traceback" in done.stderr) == (Exit.USAGE, "", False)
    assert words[-2].strip("-") in done.stderr or words[-1] in done.stderr


@pytest.mark.parametrize("function", PLACES)
def test_what_is_imported_when_it_is_called_is_there_and_takes_what_it_is_given(function: str) -> None:
    signature = inspect.signature(getattr(import_module(PLACES[function]), function))
    calls = [call for path in Path(automatos.cli.__path__[0]).rglob("*.py") for call in calls_of(path, function)]

    assert calls
    for call in calls:
        signature.bind(*call.args, **{str(each.arg): None for each in call.keywords})


def calls_of(path: Path, function: str) -> list[ast.Call]:
    """The calls of a function that a file makes through `on_machine`, without its name."""
    found = [node for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Call)
             and getattr(node.func, "id", "") == "on_machine" and getattr(node.args[0], "value", "") == function]
    return [ast.Call(call.func, call.args[1:], call.keywords) for call in found]
