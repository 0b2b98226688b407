"""Accepting a run: one statement stores it with its first events and jobs, and begins it where there is room here."""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext

import asyncpg

from automatos.durable.service import wake
from automatos.durable.types import EventBus, StoredEvent
from automatos.kernel.db import Database
from automatos.recipes.planning import plan_recipe
from automatos.recipes.queries import graph_runs
from automatos.recipes.types import BegunStep, LocalBeginning, NewRun
from automatos.runs.service import begin_run, tell_followed


async def accept_run(database: Database, bus: EventBus, new: NewRun, here: LocalBeginning | None) -> bool:
    """Store a run and tell its readers; says False, and stores nothing, when its idempotency key was used before.

    Where this process has room for its first step (`here`), the run has begun when it is stored. Else its first steps
    are queued with their agents.
    """
    async with _prepared(here, new) as begun:
        async with database.recording(new.workspace_id) as connection, _transaction(connection, new):
            is_begun = await graph_runs.accept(connection, new, begun)
            followed = None
            if is_begun is not None and not new.first:
                followed = await begin_run(connection, plan_recipe, new.workspace_id, new.id)
        if is_begun is None:
            return False
        told = begun.events if begun and is_begun else [new.queued]
        bus.publish(new.workspace_id, [
            StoredEvent(f"run:{new.id}", seq, event.type, new.at.isoformat(), event.data)
            for seq, event in enumerate(told, start=1)])
        if begun and is_begun:
            begun.begin()
        elif followed:
            tell_followed(bus, followed)
        else:
            wake(bus)
    bus.hint(new.workspace_id, "runs")
    return True


@asynccontextmanager
async def _prepared(here: LocalBeginning | None, new: NewRun) -> AsyncGenerator[BegunStep | None]:
    """Keep a place for the run's first step while the block stores it; one that did not begin is given up."""
    begun = await here.prepare(new) if here else None
    if begun is None:
        yield None
        return
    try:
        yield begun
    except BaseException:
        begun.release(is_unsure=True)
        raise
    begun.release()


def _transaction(connection: asyncpg.Connection, new: NewRun) -> AbstractAsyncContextManager[object]:
    return nullcontext() if new.first else connection.transaction()
