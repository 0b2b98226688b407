"""What the worker does for recipes: drive executions, end those nobody drives."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from uuid import UUID

import structlog

from automatos.durable.service import PeriodicTask
from automatos.durable.types import Handler, HeldJob, Interruption, LaneMode
from automatos.kernel.db import Database, Scope
from automatos.recipes.crew import Kitchen, crew_of
from automatos.recipes.errors import Fenced
from automatos.recipes.execution import Cook
from automatos.recipes.graph_steps import fail_overdue, step_handler
from automatos.recipes.journal import ExecutionJournal
from automatos.recipes.loading import load
from automatos.recipes.queries import definitions
from automatos.recipes.queries import executions as queries
from automatos.recipes.types import RUN_RECIPE
from automatos.runs.types import RUN_STEP

log = structlog.get_logger("automatos.recipes")
LATE_BY = timedelta(seconds=15)


def handlers(kitchen: Kitchen) -> dict[str, Handler]:
    """Return how the worker treats runs of recipes: those that are lines as one job, those that are graphs by steps."""
    return {RUN_RECIPE.name: handler(kitchen), RUN_STEP.name: step_handler(kitchen)}


def handler(kitchen: Kitchen) -> Handler:
    """Return how the worker treats `recipes.run` jobs: runs that are lines."""

    async def drive(job: HeldJob) -> None:
        if cook := await _take_over_for(kitchen, job):
            await _stopping_when_fenced(job, cook.work(job))

    async def give_up(job: HeldJob, why: str) -> None:
        if cook := await _take_over_for(kitchen, job):
            ended = cook.cancel() if job.interruption is Interruption.CANCEL else cook.give_up(why)
            await _stopping_when_fenced(job, ended)

    return Handler(drive, give_up)


async def _stopping_when_fenced(job: HeldJob, work: Awaitable[None]) -> None:
    try:
        await work
    except Fenced:
        log.warning("recipes.execution_taken_over", execution_id=job.key)
    except asyncio.CancelledError:
        job.again_in = timedelta()  # its execution has not ended, so the job must not either
        raise
    job.is_finished = job.again_in is None


async def _take_over_for(kitchen: Kitchen, job: HeldJob) -> Cook | None:
    """Become the writer of a job's execution, also when it is to be cancelled: only its writer can end it."""
    while True:
        try:
            return await _take_over(kitchen, UUID(job.key), job.workspace_id)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if job.interruption is Interruption.STOP:
                job.go_on()
                job.lane_mode = LaneMode.CLOSED  # its agent was stopped after the claim, before a step began
            elif job.interruption is Interruption.CANCEL and task is not None:
                task.uncancel()
            else:
                raise


async def _take_over(kitchen: Kitchen, execution_id: UUID, workspace_id: UUID) -> Cook | None:
    """Become the writer of an execution; None when it is over or gone."""
    loaded = await load(kitchen.database, workspace_id, execution_id)
    if loaded is None:
        return None
    state, runs = loaded
    crew = await crew_of(kitchen, state, list(state.steps.values()))
    journal = ExecutionJournal(kitchen.database, kitchen.bus, state)
    return Cook(kitchen, state, journal, crew, runs)


def periodic_tasks(kitchen: Kitchen) -> tuple[PeriodicTask, ...]:
    """Return what some worker does for all recipes every now and then."""

    async def end_overdue() -> None:
        for row in await _overdue(kitchen.database):
            await _end_overdue(kitchen, row["id"], row["workspace_id"])

    async def count_runs() -> None:
        async with kitchen.database.recording(None, Scope.ENGINE) as connection:
            await definitions.count_runs(connection)

    return (PeriodicTask("recipes.end_overdue", 10.0, end_overdue),
            PeriodicTask("recipes.count_runs", 30.0, count_runs))


async def _end_overdue(kitchen: Kitchen, execution_id: UUID, workspace_id: UUID) -> None:
    """End one execution; one that cannot be ended is logged and stands in no other's way."""
    log.error("recipes.execution_overdue", execution_id=str(execution_id))
    try:
        if await fail_overdue(kitchen, workspace_id, execution_id):
            return
        if cook := await _take_over(kitchen, execution_id, workspace_id):
            await cook.give_up("nobody ended it by its deadline")
    except Fenced:
        log.info("recipes.execution_taken_over", execution_id=str(execution_id))
    except Exception:
        log.exception("recipes.execution_not_ended", execution_id=str(execution_id))


async def _overdue(database: Database) -> list[dict[str, UUID]]:
    async with database.recording(None, Scope.ENGINE) as connection:
        return [dict(row) for row in await queries.overdue(connection, LATE_BY)]
