"""Verbs of durable work, for the rooms above."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable import queries
from automatos.durable.bus import Bus, places_of
from automatos.durable.presence import Presence
from automatos.durable.stream import follow, follow_many
from automatos.durable.types import EventBus, Interruption, Job, StoredEvent
from automatos.durable.worker import WORD_JOBS, WORD_SIGNAL, Chore, Worker
from automatos.kernel.db import Database, Scope

__all__ = ["Bus", "Chore", "Presence", "Worker", "cancel", "counts", "enqueue", "events_after", "follow",
           "follow_many", "places_of", "prune_events", "settle", "wake"]


async def enqueue(
    connection: asyncpg.Connection, job: Job, key: str, workspace_id: UUID, *, priority: int = 0,
    run_at: datetime | None = None,
) -> None:
    """Add a job in the caller's transaction: it exists exactly when the rows it works on do.

    A key that is already waiting is brought forward instead of doubled. Call `wake` after the commit.
    """
    await queries.enqueue(connection, job.name, key, workspace_id, priority, run_at)


def wake(bus: EventBus) -> None:
    """Tell every worker that a job waits; without it one looks within a second."""
    bus.send_word(WORD_JOBS, "")


async def cancel(connection: asyncpg.Connection, bus: EventBus, job: Job, key: str) -> bool:
    """Tell whoever works on a job to stop; returns False when nobody does and the caller must end the work itself."""
    is_held = await queries.signal(connection, job.name, key, Interruption.CANCEL)
    if is_held:
        bus.send_word(WORD_SIGNAL, f"{job.name} {key} {Interruption.CANCEL}")
    return is_held


async def settle(database: Database, job: Job, key: str) -> None:
    """Forget a job's earlier attempts, because it made progress."""
    async with database.recording(None) as connection:
        await queries.settle(connection, job.name, key)


async def counts(database: Database) -> dict[str, int]:
    """Return how many jobs wait and run, and how many processes live: keys waiting, running, executors."""
    async with database.recording(None) as connection:
        return await queries.counts(connection)


async def events_after(
    database: Database, workspace_id: UUID, topic: str, seq: int, limit: int
) -> Sequence[StoredEvent]:
    """Return the stored events of a stream after `seq`, at most `limit`, in order."""
    async with database.recording(workspace_id) as connection:
        return await queries.events_after(connection, topic, seq, limit)


async def prune_events(database: Database, before: datetime) -> Any:
    """Delete streamed pieces of text older than `before`; answers keep the whole text."""
    async with database.recording(None, Scope.ENGINE) as connection:
        return await queries.prune_events(connection, before)
