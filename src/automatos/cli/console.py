"""How commands speak: data on standard output, talk on standard error, errors with the next step, exit codes."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from enum import IntEnum
from typing import Any, NoReturn

from automatos.kernel.terminal import put, say

UNCUT = frozenset({"id", "run", "model", "template_id", "slug"})
"""Columns that people copy from a table."""
GAP = 2
NARROWEST = 20
"""Characters a column needs at least when its texts take several lines."""


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

    A terminal too narrow for all columns is given fewer: those in `spare` go, the first one first.
    """
    cells = [{column: shown(row.get(column)) for column in columns} for row in rows]
    if not sys.stdout.isatty():
        for line in cells:
            put("\t".join(line.values()))
        return
    from rich.console import Console
    from rich.table import Table

    console = Console()
    widths = {column: max([len(column), *(len(line[column]) for line in cells)]) for column in columns}
    kept, wrapped = _fitting(widths, spare, console.width)
    table = Table(box=None, pad_edge=False, header_style="" if os.environ.get("NO_COLOR") else "bold")
    for column in kept:
        table.add_column(column.replace("_", " ").upper(), overflow="fold", no_wrap=column not in wrapped)
    for line in cells:
        table.add_row(*(line[column] for column in kept))
    console.print(table)


def _fitting(widths: Mapping[str, int], spare: Iterable[str], room: int) -> tuple[list[str], set[str]]:
    """Return the columns there is room for, and which of them take several lines: the widest one, where that does."""
    kept, waiting = dict(widths), iter(spare)
    while True:
        widest = max([column for column in kept if column not in UNCUT] or kept, key=lambda column: kept[column])
        others = sum(kept.values()) - kept[widest] + GAP * (len(kept) - 1)
        if others + min(kept[widest], NARROWEST) <= room:
            return list(kept), {widest}
        column = next(waiting, None)
        if column is None:
            return list(kept), {max(kept, key=lambda column: kept[column])}
        kept.pop(column, None)


def shown(value: Any) -> str:
    """Write a value as one cell, without tabs and line breaks."""
    if value is None or value in ("", []):
        return "-"
    if isinstance(value, bool):
        return str(value).lower()
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return " ".join(text.split())
