"""What the worker does for heartbeats: take due beats, drive them, follow changed hours, forget old results."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

from automatos.durable.service import PeriodicTask
from automatos.durable.types import EventBus, Handler, HeldJob
from automatos.heartbeats.beat import Beat
from automatos.heartbeats.due import follow_hours, forget_old_results, take_due
from automatos.heartbeats.types import BEAT
from automatos.kernel.clock import now
from automatos.kernel.db import Database

LOOK_AGAIN = timedelta(seconds=1)
"""How often a beat looks whether the agent's run has ended; meanwhile it takes no place in the worker."""

Clock = Callable[[], datetime]


def handlers(database: Database, bus: EventBus, clock: Clock = now) -> dict[str, Handler]:
    """Return how the worker treats the jobs of this package, by their names."""

    async def drive(job: HeldJob) -> None:
        if not await Beat(database, bus, job.workspace_id, UUID(job.key)).drive(clock()):
            job.again_in = LOOK_AGAIN

    async def give_up(job: HeldJob, why: str) -> None:
        await Beat(database, bus, job.workspace_id, UUID(job.key)).give_up(why, clock())

    return {BEAT.name: Handler(drive, give_up)}


def periodic_tasks(
    database: Database, bus: EventBus, *, is_enabled: bool = True, clock: Clock = now
) -> tuple[PeriodicTask, ...]:
    """Return what some worker does for all heartbeats every now and then; not enabled, none happens by itself."""

    async def beat() -> None:
        await take_due(database, bus, clock())

    async def follow() -> None:
        await follow_hours(database, clock())

    async def forget() -> None:
        await forget_old_results(database, clock())

    kept = (PeriodicTask("heartbeats.forget_old_results", 3600.0, forget),)
    if not is_enabled:
        return kept
    return (PeriodicTask("heartbeats.take_due", 1.0, beat),
            PeriodicTask("heartbeats.follow_hours", 60.0, follow), *kept)
