"""Writing many small things in few transactions, beside the work they are about and never in its way."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from uuid import UUID

import structlog

from automatos.kernel.errors import DatabaseUnavailable

MAX_BATCH = 500
MAX_WAITING = 50_000
MAX_TRIES = 8
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 10.0
CLOSE_S = 10.0

Item = TypeVar("Item")
log = structlog.get_logger("automatos.kernel")


@dataclass(slots=True)
class _Waiting(Generic[Item]):
    """What waits to be written in one workspace, oldest first."""

    items: list[Item] = field(default_factory=list[Item])
    tries: int = 0
    due_at: float = 0.0


class BatchWriter(Generic[Item]):
    """Hands items to `write` by workspace, within `every_s` seconds or sooner where one asks, in the order they came.

    A write that fails is logged and tried again for about half a minute while other workspaces go on, then given up and
    logged as lost: whoever added an item never waits for it or fails with it. `name` is what the log calls the items.
    """

    def __init__(self, name: str, write: Callable[[UUID, Sequence[Item]], Awaitable[None]], *, every_s: float) -> None:
        self._name = name
        self._write = write
        self._every_s = every_s
        self._waiting: dict[UUID, _Waiting[Item]] = {}
        self._count = 0
        self._task: asyncio.Task[None] | None = None
        self._next_at = 0.0
        self._sooner = asyncio.Event()

    def add(self, workspace_id: UUID, item: Item, *, within_s: float | None = None) -> None:
        """Take one item, and write it with all others within `within_s`; returns at once and never raises."""
        if self._count >= MAX_WAITING:
            log.error("batch_lost", what=self._name, items=1, reason="too many wait for the database")
            return
        self._waiting.setdefault(workspace_id, _Waiting()).items.append(item)
        self._count += 1
        self._write_within(self._every_s if within_s is None else within_s)

    def _write_within(self, within_s: float) -> None:
        due_at = asyncio.get_running_loop().time() + within_s
        if self._task is None or self._task.done():
            self._next_at = due_at
            self._task = asyncio.create_task(self._write_all(), name=f"batches:{self._name}")
        elif due_at < self._next_at:
            self._next_at = due_at
            self._sooner.set()

    async def flush(self) -> None:
        """Wait until everything taken so far is written, which begins at once, or given up."""
        if self._task and not self._task.done():
            self._write_within(0)
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Write what is left without waiting for more, for at most ten seconds."""
        if self._task is None:
            return
        self._every_s = 0.0
        if not self._task.done():
            self._write_within(0)
        try:
            await asyncio.wait_for(self._task, CLOSE_S)
        except TimeoutError:
            reason = "the server stopped before the database answered"
            log.error("batch_lost", what=self._name, items=self._count, reason=reason)

    async def _write_all(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            while (left_s := self._next_at - loop.time()) > 0:
                self._sooner.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._sooner.wait(), left_s)
            self._next_at = loop.time() + self._every_s
            for workspace_id in [key for key, waiting in self._waiting.items() if waiting.due_at <= loop.time()]:
                await self._write_some(workspace_id, self._waiting[workspace_id])
            if any(len(each.items) >= MAX_BATCH and not each.tries for each in self._waiting.values()):
                self._next_at = 0.0  # there is more than one batch of it
            elif self._waiting:
                self._next_at = max(self._next_at, min(each.due_at for each in self._waiting.values()))

    async def _write_some(self, workspace_id: UUID, waiting: _Waiting[Item]) -> None:
        """Write the oldest items of a workspace; those that came meanwhile stay behind them."""
        batch = waiting.items[:MAX_BATCH]
        try:
            await self._write(workspace_id, batch)
        except Exception as error:  # noqa: BLE001
            if self._may_try_again(workspace_id, waiting, len(batch), error):
                return
        del waiting.items[:len(batch)]
        waiting.tries, waiting.due_at = 0, 0.0
        self._count -= len(batch)
        if not waiting.items:
            del self._waiting[workspace_id]

    def _may_try_again(self, workspace_id: UUID, waiting: _Waiting[Item], items: int, error: Exception) -> bool:
        if not isinstance(error, DatabaseUnavailable):  # one that is away or full is waited for, however long
            waiting.tries += 1
        details = {"what": self._name, "workspace_id": str(workspace_id), "items": items, "tries": waiting.tries,
                   "error": f"{type(error).__name__}: {error}"[:300]}
        if waiting.tries >= MAX_TRIES:
            log.error("batch_lost", **details)
            return False
        log.warning("batch_delayed", **details)
        pause_s = min(FIRST_PAUSE_S * 3 ** max(waiting.tries - 1, 0), LONGEST_PAUSE_S)
        waiting.due_at = asyncio.get_running_loop().time() + pause_s
        return True
