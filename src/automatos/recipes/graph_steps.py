"""A step of a graph in a worker's hands: taken, done by its agent, ended together with all that follows."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

import structlog

from automatos.durable.service import go_on as go_on_with
from automatos.durable.types import Handler, HeldJob, Interruption, LaneMode
from automatos.events import types as events
from automatos.kernel.clock import now
from automatos.kernel.errors import Problem
from automatos.recipes.crew import Kitchen, crew_of
from automatos.recipes.ending import ended, error_of
from automatos.recipes.errors import AgentStopped, CancelRequested, Fenced, WorkerLost
from automatos.recipes.execution import forget_interruption, loop_time
from automatos.recipes.loading import definition, read_run, step_state
from automatos.recipes.planning import RecipePlan, plan_recipe
from automatos.recipes.queries import graph_runs
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.step_journal import StepJournal
from automatos.recipes.step_runner import StepRunner
from automatos.recipes.types import StepStatus
from automatos.runs.service import fail_run, take_step, tell_followed
from automatos.runs.types import Followed, TakenStep, read_step_key
from automatos.runtime.errors import Frozen

log = structlog.get_logger("automatos.recipes")
TOTAL_TIMEOUT = {"code": "total_timeout", "message": "The recipe ran longer than its total_timeout_s.",
                 "next_step": "Raise total_timeout_s, or make the steps smaller."}


def step_handler(kitchen: Kitchen) -> Handler:
    """Return how the worker treats `runs.step` jobs."""

    async def drive(job: HeldJob) -> None:
        if work := await _take(kitchen, job):
            await _until_over(job, work)

    async def give_up(job: HeldJob, why: str) -> None:
        if work := await _take(kitchen, job):
            await _until_over(job, work, why)

    return Handler(drive, give_up)


async def _until_over(job: HeldJob, work: "StepWork", why: str | None = None) -> None:
    try:
        await (work.give_up(job, why) if why else work.do(job))
    except Fenced:
        log.warning("recipes.step_taken_over", job_key=job.key)
        job.is_finished = True  # whoever has the step has its job, which may be in this process again
    except asyncio.CancelledError:
        job.again_in = timedelta()  # its step has not ended, so the job must not either
        raise


async def _take(kitchen: Kitchen, job: HeldJob) -> "StepWork | None":
    """Become the writer of a job's step; None when it is over, or has ended now because its time had come."""
    while True:
        try:
            return await _take_once(kitchen, job)
        except asyncio.CancelledError:
            if job.interruption is Interruption.STOP:
                job.go_on()
                job.lane_mode = LaneMode.CLOSED  # its agent was stopped after the claim, before the step began
            elif job.interruption is Interruption.CANCEL:
                forget_interruption()
            else:
                raise


async def _take_once(kitchen: Kitchen, job: HeldJob) -> "StepWork | None":
    run_id, path = read_step_key(job.key)
    workspace_id = job.workspace_id
    async with kitchen.database.recording(workspace_id) as connection, connection.transaction():
        taken = await take_step(connection, plan_recipe, workspace_id, run_id, path)
        if not isinstance(taken, TakenStep):
            found = None
        else:
            plan = await plan_recipe(connection, taken.run)
            step = plan.flow.by_key[taken.row["step_id"]]
            found = (taken, plan, *await plan.before(connection, path, step))
    if isinstance(taken, Followed):
        tell_followed(kitchen.bus, taken)
    if found is None:
        return None
    return await _ready(kitchen, *found)


async def _ready(
    kitchen: Kitchen, taken: TakenStep, plan: RecipePlan, state: ExecutionState, more: dict[str, str]
) -> "StepWork":
    order = taken.row["step_order"]
    record = step_state(replace(plan.flow.by_key[taken.row["step_id"]], order=order), taken.row)
    state.steps[order] = record
    crew = await crew_of(kitchen, state, [record])
    journal = StepJournal(kitchen.database, kitchen.bus, state, taken)
    run_id = record.run_id if record.status is StepStatus.RUNNING else None
    runs = {run_id: await read_run(kitchen.database, state, run_id)} if run_id else {}
    for run in runs.values():  # what was streamed and never answered is streamed again
        journal.add(events.StepRestarted(order=order, turn=len(run.turns) + 1))
    return StepWork(kitchen, taken, record, journal, StepRunner(kitchen, state, journal, crew, runs, more))


@dataclass
class StepWork:
    """One step that this process is the writer of."""

    kitchen: Kitchen
    taken: TakenStep
    record: StepState
    journal: StepJournal
    runner: StepRunner

    async def do(self, job: HeldJob) -> None:
        """Do the step until it is over, must wait, or this process must let go of it."""
        try:
            if job.interruption is Interruption.CANCEL or self.taken.is_stopping:
                await self.cancel(job)
            elif job.lane_mode is LaneMode.CLOSED and self.record.status is not StepStatus.RUNNING:
                await self._end_with(job, AgentStopped(self.record.agent_name))
            else:
                await self._work(job)
        except CancelRequested:
            await self._cancel_once(job)
        except asyncio.CancelledError:
            if job.interruption is not Interruption.CANCEL:
                raise
            forget_interruption()
            await self.cancel(job)
        finally:
            await self.journal.close()

    async def _work(self, job: HeldJob) -> None:
        clock = asyncio.timeout_at(loop_time(self.taken.run.deadline_at) if self.taken.run.deadline_at else None)
        try:
            async with clock:
                await self.runner.run(self.record, job)
        except Frozen:
            await self._wait_for_agent(job)
        except TimeoutError:
            if not clock.expired():
                raise
            self._close(StepStatus.FAILED, TOTAL_TIMEOUT)
            await self.journal.end(job, TOTAL_TIMEOUT)
        except asyncio.CancelledError:
            if job.interruption is not Interruption.STOP:
                raise
            await go_on_with(self.kitchen.database, job)
            await self._end_with(job, AgentStopped(self.record.agent_name))
        else:
            await self.journal.end(job)

    async def _wait_for_agent(self, job: HeldJob) -> None:
        """Give the step back to the queue, where it waits in its agent's lane; what it has done is kept."""
        self.journal.add(events.StepWaiting(
            order=self.record.step.order, step_id=self.record.step.step_id, path=self.taken.path, until="agent"))
        await self.journal.store()
        job.again_in = timedelta()

    async def _end_with(self, job: HeldJob, problem: Problem) -> None:
        if not self.record.is_over:
            self.runner.fail(self.record, problem)
        await self.journal.end(job)

    def _close(self, status: StepStatus, error: dict[str, str] | None) -> None:
        if self.record.is_over:
            return  # its end was being recorded when it was told to end otherwise: the first end stays
        self.journal.drop_stream()
        self.record.status, self.record.error = status, error
        self.record.started_at = self.record.started_at or now()
        self.record.finished_at = now()
        self.journal.add(ended(self.record), step=self.record)

    async def give_up(self, job: HeldJob, why: str) -> None:
        """End the step as failed because its workers keep dying on it, or as cancelled where that was asked for."""
        if job.interruption is Interruption.CANCEL or self.taken.is_stopping:
            await self.cancel(job)
        else:
            self._close(StepStatus.FAILED, error_of(WorkerLost(why)))
            await self.journal.end(job)

    async def _cancel_once(self, job: HeldJob) -> None:
        """Cancel; the signal for it may come in the middle and cut the recording off, which then is done again."""
        try:
            await self.cancel(job)
        except asyncio.CancelledError:
            if job.interruption is not Interruption.CANCEL:
                raise
            forget_interruption()
            await self.cancel(job)

    async def cancel(self, job: HeldJob) -> None:
        """End the step as cancelled."""
        self._close(StepStatus.CANCELLED, None)
        await self.journal.end(job)


async def fail_overdue(kitchen: Kitchen, workspace_id: UUID, run_id: UUID) -> bool:
    """End a run that is late and whose steps nobody ends; returns False when it is no graph."""
    async with kitchen.database.recording(workspace_id) as connection, connection.transaction():
        row = await graph_runs.run_of(connection, workspace_id, run_id)
        if row is None or row["recipe_id"] is None:
            return row is None
        if not (await definition(connection, workspace_id, row["recipe_id"], row["recipe_version"])).is_graph:
            return False
        followed = await fail_run(connection, plan_recipe, workspace_id, run_id, TOTAL_TIMEOUT)
    if followed:
        tell_followed(kitchen.bus, followed)
    return True
