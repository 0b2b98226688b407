"""How commands speak: data on standard output, talk on standard error, errors with the next step, exit codes."""

import json
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, NoReturn

from automatos.cli.table import draw
from automatos.kernel.terminal import put, say


class Exit(IntEnum):
    """What the exit code of a command says."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NO_SERVER = 3
    SIGN_IN_NEEDED = 4
    RUN_FAILED = 5
    INTERRUPTED = 130


class CommandFailed(Exception):
    """A command cannot go on: what happened, what to do next, and the exit code."""

    def __init__(self, what: str, *next_steps: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.next_steps = next_steps
        self.code = code


def put_json(value: Any) -> None:
    """Write one value as one line of JSON."""
    put(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def show_failure(failure: CommandFailed) -> int:
    """Write an error with its next steps and return the exit code."""
    say(f"error: {failure.what}")
    for step in failure.next_steps:
        say(f"  {step}")
    return failure.code


def misuse(what: str, *next_steps: str) -> NoReturn:
    """Refuse a command line."""
    raise CommandFailed(what, *next_steps, code=Exit.USAGE)


def is_live() -> bool:
    """Whether a person watches: both standard output and standard error are a terminal."""
    return sys.stdout.isatty() and sys.stderr.isatty()


def put_table(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, spare: Sequence[str] = ()) -> None:
    """Write rows as a table: drawn on a terminal, plain columns parted by tabs in a pipe.

    A terminal too narrow for all columns is given fewer: those in `spare` go first, in their order.
    """
    cells = [{column: shown(row.get(column)) for column in columns} for row in rows]
    if not sys.stdout.isatty():
        for line in cells:
            put("\t".join(line.values()))
        return
    for line in draw(cells, columns, spare, shutil.get_terminal_size().columns):
        put(line)


def shown(value: Any) -> str:
    """Write a value as one cell, without tabs, line breaks and what would steer a terminal."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return "".join(each if each.isprintable() else "\ufffd" for each in " ".join(text.split()))
