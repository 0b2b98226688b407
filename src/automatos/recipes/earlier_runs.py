"""Runs begun by versions before, which were one job each: their job becomes that of the step they are at."""

import asyncio
from datetime import timedelta
from uuid import UUID

import asyncpg

from automatos.durable.service import drop_job, wake
from automatos.durable.types import Handler, HeldJob, Interruption
from automatos.recipes.ending import error_of
from automatos.recipes.errors import WorkerLost
from automatos.recipes.planning import plan_recipe, records_of
from automatos.recipes.queries import earlier_runs as queries
from automatos.recipes.steps import forget_interruption
from automatos.recipes.team import RunDeps
from automatos.recipes.types import RUN_RECIPE, StepStatus
from automatos.runs.service import advance, cancel_run, fail_run, go_on, lock, tell_followed
from automatos.runs.types import Followed, RunRow, StepPath


def earlier_handler(run_deps: RunDeps) -> Handler:
    """Return how the worker treats jobs that are whole runs."""

    async def drive(job: HeldJob) -> None:
        await _until_apart(run_deps, job, None)

    async def give_up(job: HeldJob, why: str) -> None:
        await _until_apart(run_deps, job, why)

    return Handler(drive, give_up)


async def _until_apart(run_deps: RunDeps, job: HeldJob, why: str | None) -> None:
    """Take a run apart whatever the job is told meanwhile: its step hears of a cancellation or a stop by the rows."""
    while True:
        try:
            return await _take_apart(run_deps, job, why)
        except asyncio.CancelledError:
            if job.interruption is Interruption.STOP:
                job.go_on()
            elif job.interruption is Interruption.CANCEL:
                forget_interruption()
            else:
                job.again_in = timedelta()  # its run has not ended, so the job must not either
                raise


async def _take_apart(run_deps: RunDeps, job: HeldJob, why: str | None) -> None:
    followed: Followed | None = None
    async with run_deps.database.recording(job.workspace_id) as connection, connection.transaction():
        run = await lock(connection, job.workspace_id, UUID(job.key))
        if run is None or run.finished_at:
            return
        followed = await adopt(connection, run)
        if run.cancel_requested_by:  # at once: the group of a paused agent gives nothing out
            followed = await cancel_run(connection, plan_recipe, run.workspace_id, run.id, run.cancel_requested_by)
        elif why:
            followed = await fail_run(connection, plan_recipe, run.workspace_id, run.id, error_of(WorkerLost(why)))
    job.is_finished = True
    wake(run_deps.bus)
    if followed:
        tell_followed(run_deps.bus, followed)


async def adopt(connection: asyncpg.Connection, run: RunRow) -> Followed | None:
    """Let a locked run go on by steps where it was one job; whoever had that job writes nothing more.

    The step it is at waits in its agent's group as the whole run did; what follows is returned where no step is left.
    """
    if not await drop_job(connection, RUN_RECIPE, str(run.id)):
        return None
    await queries.fence(connection, run.id)
    plan = await plan_recipe(connection, run)
    rows = await queries.steps_by_path(connection, run.id)
    status = {StepPath(row["path"]): StepStatus(row["status"]) for row in rows}
    at = next((path for path, each in status.items() if each is StepStatus.RUNNING), None)
    if at is None:
        answer = advance(plan.graph, records_of(status), inputs=run.input_data)
        if not answer.ready:
            return await go_on(connection, plan_recipe, run)
        at = answer.ready[0].path
        label = plan.label(at, at)
        await queries.add_step(connection, run.id, run.workspace_id, plan.flow.by_key[at].order, at, label)
    await plan.enqueue(connection, {at: str(at)})
    return None
