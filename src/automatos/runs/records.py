"""What rows say of a run's steps: of its own all, and of those under a for-each only those of items that are at work.

The row of a for-each names the steps of its items at work by their numbers (`window` in its detail), and the highest
number that any step of the run had then. Rows with higher ones were written by a worker of a version before, which
does not keep windows; they are read as well.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, overload
from uuid import UUID

import asyncpg

from automatos.runs import queries
from automatos.runs.graph import NO_PROGRESS, Progress, StepRecord
from automatos.runs.types import JsonObject, StepKind, StepPath
from automatos.runs.types import StepStatus as Status

Rows = Mapping[StepPath, asyncpg.Record]
MORE_ITEMS = 1_000
NONE_ABOVE = 2**31 - 1


class KnownItems(Sequence[Any]):
    """The items of a for-each, of which only those were read that a condition may ask for now."""

    def __init__(self, count: int, known: Mapping[int, Any] | None = None) -> None:
        self._count = count
        self.known = dict(known or {})

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(self._count))]
        return self.known.get(index)


async def read_rows(connection: asyncpg.Connection, run_id: UUID, own: int, outputs: Iterable[str]) -> Rows:
    """Return the rows of a locked run that matter now; its own steps are numbered up to `own`.

    With outputs only where the step's key is named.
    """
    keys = sorted(outputs)
    found = _by_path(await queries.own_steps(connection, run_id, keys, own))
    rows, windows = dict(found), _windows(found)
    seen = max([own, *seen_in(found)])
    is_expanded = any(_is_expanded(row) for row in found.values())
    while is_expanded:
        orders = [order for window in windows for of_item in window["open"].values() for order in of_item]
        found = _by_path(await queries.steps_numbered(connection, run_id, keys, orders, seen))
        rows |= found
        windows, seen = _windows(found), NONE_ABOVE
        is_expanded = bool(windows)
    return rows


def _by_path(rows: Iterable[asyncpg.Record]) -> dict[StepPath, asyncpg.Record]:
    return {StepPath(row["path"]): row for row in rows}


def _is_expanded(row: asyncpg.Record) -> bool:
    return row["kind"] == StepKind.FOR_EACH and row["status"] == "running"


def _windows(rows: Rows) -> list[JsonObject]:
    return [window for row in rows.values() if _is_expanded(row) and (window := (row["detail"] or {}).get("window"))]


def seen_in(rows: Rows) -> list[int]:
    """Return the highest number that any step had when a for-each's window was written, for each that is not over."""
    return [window["seen"] for window in _windows(rows)]


def record_of(row: asyncpg.Record) -> StepRecord:
    """Read what `advance` needs of a step's row."""
    detail = row["detail"] or {}
    status = {
        "pending": Status.READY, "waiting": Status.SUSPENDED, "completed": Status.COMPLETED, "failed": Status.FAILED,
        "cancelled": Status.CANCELLED,
        "running": Status.EXPANDED if row["kind"] == StepKind.FOR_EACH else Status.RUNNING,
        "skipped": Status.SKIPPED if detail.get("is_unneeded") else Status.FAILED,
    }[row["status"]]
    if status is Status.SUSPENDED and row["kind"] == StepKind.RUN:
        status = Status.RUNNING  # to stop it is to stop the run that it has started, which takes a while
    progress = _progress_in(detail["window"]) if status is Status.EXPANDED and "window" in detail else NO_PROGRESS
    return StepRecord(status, output=row["output"], items=KnownItems(row["items"] or 0),
                      has_skips=bool(detail.get("has_skips")), progress=progress)


def _progress_in(window: JsonObject) -> Progress:
    first = window["first_failed"]
    return Progress(window["next"], tuple(int(index) for index in window["open"]), window["failed"],
                    StepPath(first) if first else None, window["has_skips"])


def window_of(path: StepPath, record: StepRecord, orders: Mapping[StepPath, int], seen: int) -> JsonObject:
    """Return what the row of a for-each keeps of its items: how far they are, and the steps of those at work."""
    progress = record.progress
    at_work: dict[str, list[int]] = {str(index): [] for index in progress.open}
    for each, order in orders.items():
        around, _, rest = each.removeprefix(f"{path}[").partition("].") if each.startswith(f"{path}[") else ("", "", "")
        if around in at_work and "." not in rest:
            at_work[around].append(order)
    return {"count": len(record.items), "next": progress.next, "open": at_work, "failed": progress.failed,
            "first_failed": progress.first_failed, "has_skips": progress.has_skips, "seen": seen}


def for_eachs_around(path: StepPath) -> list[StepPath]:
    """Return the for-eachs that repeat a step, the outermost first."""
    return [StepPath(path[:place]) for place, letter in enumerate(path) if letter == "["]


async def read_items(
    connection: asyncpg.Connection, run_id: UUID, path: StepPath, record: StepRecord, ahead: int
) -> StepRecord:
    """Return a for-each's record with the items that a condition may ask for in the next answer: so many `ahead`.

    Where these do not suffice, many are read at once: conditions may skip thousands of items in a row.
    """
    if not isinstance(record.items, KnownItems):
        return record  # it has begun in this change, with all of them
    known, progress, count = record.items.known, record.progress, len(record.items)
    coming = range(progress.next, min(progress.next + ahead, count))
    if any(index not in known for index in (*progress.open, *coming)):
        more = coming if not known else range(progress.next, min(progress.next + MORE_ITEMS, count))
        known = known | await queries.items_at(connection, run_id, path, [*progress.open, *more])
    return replace(record, items=KnownItems(count, known))
