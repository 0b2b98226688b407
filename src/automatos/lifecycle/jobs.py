"""What the worker does for agents: waits for stops to be over, cuts off what still runs, lets agents rest."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from automatos.durable.service import PeriodicTask
from automatos.durable.types import EventBus, Handler, HeldJob
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.lifecycle.idle import rest_idle_agents
from automatos.lifecycle.stop import SECOND_LOOK_S, finish_stop, interrupt_again
from automatos.lifecycle.types import INTERRUPT_AGENT, STOP_AGENT

log = structlog.get_logger("automatos.lifecycle")
FIRST_LOOKS_S = 0.25
LATER_LOOKS_S = 1.0
SOON = timedelta(seconds=10)
"""How long a stop is looked at often: most waits are short, and a long one need not be seen to the tenth."""


def handlers(database: Database, bus: EventBus) -> dict[str, Handler]:
    """Return how the worker treats the jobs of this package, by their names."""

    async def stop(job: HeldJob) -> None:
        agent_id, stop_id = _read(job)
        if not await finish_stop(database, bus, job.workspace_id, agent_id, stop_id.hex):
            job.again_in = timedelta(seconds=_pause_s(stop_id))

    async def interrupt(job: HeldJob) -> None:
        if not await interrupt_again(database, bus, job.workspace_id, _read(job)[0]):
            job.again_in = timedelta(seconds=SECOND_LOOK_S)

    return {STOP_AGENT.name: Handler(stop, _try_on(stop)), INTERRUPT_AGENT.name: Handler(interrupt, _try_on(interrupt))}


def periodic_tasks(database: Database, bus: EventBus, *, idle_after_s: float) -> tuple[PeriodicTask, ...]:
    """Return what some worker does for all agents every now and then."""

    async def rest() -> None:
        await rest_idle_agents(database, bus, timedelta(seconds=idle_after_s))

    return (PeriodicTask("agents.rest", min(max(idle_after_s / 4, 0.25), 30.0), rest),)


def _try_on(drive: Callable[[HeldJob], Awaitable[None]]) -> Callable[[HeldJob, str], Awaitable[None]]:
    """Return what happens to a job whose workers died: it is tried all the same, because a stop must come to an end."""

    async def give_up(job: HeldJob, why: str) -> None:
        log.error("agents.job_tried_again", job=job.name, job_key=job.key, why=why)
        await drive(job)

    return give_up


def _read(job: HeldJob) -> tuple[int, UUID]:
    agent_id, _, order = job.key.partition(":")
    return int(agent_id), UUID(order)


def _pause_s(stop_id: UUID) -> float:
    """Return how long to wait before the next look; the id of a stop holds the moment it was asked for."""
    asked_at = datetime.fromtimestamp((stop_id.int >> 80) / 1000, tz=now().tzinfo)
    return FIRST_LOOKS_S if now() - asked_at < SOON else LATER_LOOKS_S
