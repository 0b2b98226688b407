"""Periodic tasks: what the whole system does every so often, in one process, however many there are."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from automatos.durable import queries
from automatos.durable.worker_lease import WorkerLease
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable

log = structlog.get_logger("automatos.durable")
ASK_EVERY_S = 5.0
"""How often a process asks whether a task has become free, because the process that did it is gone."""


@dataclass(frozen=True)
class PeriodicTask:
    """Something to do every `every_s` in the whole system."""

    name: str
    every_s: float
    do: Callable[[], Awaitable[None]]


class PeriodicTasks:
    """Does those tasks that are this process's.

    The process that gives out jobs asks for tasks. One belongs to who took it as long as that process has a lease. Its
    row says when it is due, so that one that is taken over is neither early nor done twice.
    """

    def __init__(self, database: Database, lease: WorkerLease, tasks: tuple[PeriodicTask, ...]) -> None:
        self._database = database
        self._lease = lease
        self._tasks = {task.name: task for task in tasks}
        self._owned: set[str] = set()
        self._running: dict[str, asyncio.Task[None]] = {}
        self._loop: asyncio.Task[None] | None = None
        lease.on_lost(self._owned.clear)

    async def start(self) -> None:
        """Begin to ask for tasks."""
        if self._tasks:
            self._loop = asyncio.create_task(self._ask_forever(), name="durable.periodic")

    async def stop(self) -> None:
        """Cut off what runs; the tasks are free as soon as this process has left the registry."""
        stopped = [task for task in (self._loop, *self._running.values()) if task]
        for task in stopped:
            task.cancel()
        await asyncio.gather(*stopped, return_exceptions=True)

    async def _ask_forever(self) -> None:
        while True:
            try:
                await self._ask()
            except DatabaseUnavailable as error:
                log.warning("durable.periodic_not_asked", error=str(error) or type(error).__name__)
            except Exception:
                log.exception("durable.periodic_not_asked")
            await asyncio.sleep(self._pause_s())

    def _pause_s(self) -> float:
        """Return when to ask again: for a task of one's own when it is due, for those of others now and then."""
        others_s = ASK_EVERY_S * random.uniform(0.8, 1.2)  # noqa: S311
        return min([others_s, *(self._tasks[name].every_s for name in self._owned)])

    async def _ask(self) -> None:
        asked = [task for name, task in self._tasks.items() if name not in self._running]
        is_for_another = not self._owned and self._lease.dispatcher_id not in {None, self._lease.id}
        if is_for_another or not asked:
            return
        async with self._database.recording(None) as connection:
            rows = await queries.take_periodic(
                connection, self._lease.id, [task.name for task in asked], [task.every_s for task in asked])
        for row in rows:
            self._owned.add(row["name"])
            if row["is_due"]:
                task = self._tasks[row["name"]]
                self._running[task.name] = asyncio.create_task(self._perform(task), name=f"durable.{task.name}")

    async def _perform(self, task: PeriodicTask) -> None:
        try:
            await task.do()
        except DatabaseUnavailable as error:
            log.warning("durable.periodic_task_waits", task=task.name, error=str(error) or type(error).__name__)
        except Exception:
            log.exception("durable.periodic_task_failed", task=task.name)
        finally:
            del self._running[task.name]
