"""Verbs of durable work, for the packages above."""

import socket
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.durable import queries
from automatos.durable.bus import Bus, places_of
from automatos.durable.delivery import Delivery
from automatos.durable.dispatcher import WORD_JOBS
from automatos.durable.engine import open_delivery, try_temporal
from automatos.durable.periodic import PeriodicTask
from automatos.durable.reservation import Reservation
from automatos.durable.stream import follow, follow_many
from automatos.durable.types import PAUSE, EventBus, GroupMode, HeldJob, Interruption, Job, StoredEvent
from automatos.durable.worker import WORD_SIGNAL, Worker
from automatos.durable.worker_lease import WorkerLease, count_living
from automatos.kernel.db import Database

__all__ = [
    "Bus",
    "Delivery",
    "PeriodicTask",
    "Reservation",
    "Worker",
    "WorkerLease",
    "count_groups",
    "count_living",
    "counts",
    "drop_group",
    "drop_job",
    "drop_unheld",
    "enqueue_in_session",
    "events_after",
    "follow",
    "follow_many",
    "go_on",
    "open_delivery",
    "other_machines",
    "pause_group",
    "places_of",
    "set_group",
    "signal_cancel",
    "stop_group",
    "tell_cancel",
    "try_temporal",
    "wake",
]


async def enqueue_in_session(
    session: AsyncSession, job: Job, key: str, workspace_id: UUID, *, delay: timedelta = timedelta()
) -> None:
    """Add a short job of the server's own in the transaction of a session: it exists exactly when its rows do.

    It goes before what people asked for. A key that is already waiting is brought forward instead of doubled. Call
    `wake` after the commit.
    """
    await queries.enqueue_in_session(session, job.name, key, workspace_id, delay)


async def set_group(session: AsyncSession, name: str, capacity: int, mode: GroupMode) -> None:
    """Say how many jobs of a group may run at once in all processes, and whether they may; part of the transaction.

    What runs already goes on. Call `wake` after the commit when jobs may have been waiting.
    """
    await queries.set_group(session, name, capacity, mode)


async def drop_group(session: AsyncSession, name: str) -> None:
    """Forget a group, because what it stood for is gone; jobs still in it are claimed without a limit."""
    await queries.drop_group(session, name)


async def count_groups(session: AsyncSession, groups: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Return how many jobs run and how many wait in each group, one statement; empty groups are left out."""
    return await queries.count_groups(session, groups)


async def go_on(database: Database, job: HeldJob) -> None:
    """Go on with a job after the interruption that its handler has dealt with; the word is not heard again."""
    job.go_on()
    async with database.recording(None) as connection:
        await queries.unsignal(connection, job.name, job.key, job.executor_id)


async def stop_group(database: Database, bus: EventBus, group: str) -> int:
    """Interrupt every running job of a group, wherever it runs; returns how many were told."""
    return await _signal_group(database, bus, group, Interruption.STOP)


async def pause_group(database: Database, bus: EventBus, group: str) -> int:
    """Ask every running job of a group to stop at its next good moment; returns how many were asked."""
    return await _signal_group(database, bus, group, PAUSE)


async def _signal_group(database: Database, bus: EventBus, group: str, word: str) -> int:
    async with database.recording(None) as connection:
        told = await queries.signal_group(connection, group, word)
    for row in told:
        bus.send_word(WORD_SIGNAL, f"{row['name']} {row['key']} {word} {group}")
    return len(told)


async def drop_job(connection: asyncpg.Connection, job: Job, key: str) -> bool:
    """Forget a job, part of the transaction; whoever works on it is not told. Says whether there was one."""
    return await queries.drop(connection, job.name, key)


async def drop_unheld(connection: asyncpg.Connection, job: Job, keys: Sequence[str]) -> list[str]:
    """Forget those of some jobs that nobody works on, part of the transaction; returns the keys of the others."""
    return await queries.drop_unheld(connection, job.name, keys)


def wake(bus: EventBus) -> None:
    """Tell who gives out jobs that one waits; without it the dispatcher looks within a second."""
    bus.tell_dispatcher(WORD_JOBS)


async def signal_cancel(connection: asyncpg.Connection, job: Job, keys: Sequence[str]) -> list[str]:
    """Leave the word to stop for several jobs, part of the transaction; returns those that somebody works on.

    Call `tell_cancel` with them after the commit; without it they hear of it within a second.
    """
    return [key for key in keys if await queries.signal(connection, job.name, key, Interruption.CANCEL)]


def tell_cancel(bus: EventBus, job: Job, keys: Sequence[str]) -> None:
    """Tell whoever works on jobs that the word to stop was left for them."""
    for key in keys:
        bus.send_word(WORD_SIGNAL, f"{job.name} {key} {Interruption.CANCEL} -")


async def counts(database: Database) -> dict[str, int]:
    """Return how many jobs wait and run, and how many processes live: keys waiting, running, executors."""
    async with database.recording(None) as connection:
        return await queries.counts(connection)


async def other_machines(database: Database) -> list[str]:
    """Return the names of other machines that have living processes here."""
    async with database.recording(None) as connection:
        hosts = await queries.living_hosts(connection)
    ours = socket.gethostname()
    return sorted({host.partition("/")[0] for host in hosts} - {ours})


async def events_after(
    database: Database, workspace_id: UUID, topic: str, seq: int, limit: int
) -> Sequence[StoredEvent]:
    """Return the stored events of a stream after `seq`, at most `limit`, in order."""
    async with database.recording(workspace_id) as connection:
        return await queries.events_after(connection, workspace_id, topic, seq, limit)

