"""Steps in a worker's hands: taken, done by their agents, ended together with all that follows."""

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import structlog

from automatos.durable.service import go_on as go_on_with
from automatos.durable.types import GroupMode, Handler, HeldJob, Interruption
from automatos.events import types as events
from automatos.kernel.clock import now
from automatos.recipes.ending import ended, error_of
from automatos.recipes.errors import AgentStopped, CancelRequested, WorkerLost
from automatos.recipes.journal import CHANGED, OPEN, StepJournal
from automatos.recipes.line import Line
from automatos.recipes.planning import RecipePlan, plan_recipe
from automatos.recipes.queries import executions, graph_runs
from automatos.recipes.state import ExecutionState, StepState, Stored, planned, read_run, state_of, step_state
from automatos.recipes.step_runner import StepRunner
from automatos.recipes.team import RunDeps, find_team
from automatos.recipes.types import StepStatus
from automatos.runs.errors import StepLost
from automatos.runs.service import fail_run, follow_untaken, take_step, tell_followed
from automatos.runs.types import Followed, RunInput, TakenStep
from automatos.runtime.errors import RunPaused
from automatos.runtime.types import Run

log = structlog.get_logger("automatos.recipes")
TOTAL_TIMEOUT = {"code": "total_timeout", "message": "The recipe ran longer than its total_timeout_s.",
                 "next_step": "Raise total_timeout_s, or make the steps smaller."}
BEGINNINGS = {"queued": events.ExecutionStarted, "paused": events.ExecutionResumed,
              "waiting": events.ExecutionResumed}
"""What is told when a run in such a state is worked on."""


def step_handler(run_deps: RunDeps) -> Handler:
    """Return how the worker treats jobs of steps."""

    async def drive(job: HeldJob) -> None:
        if work := await _take(run_deps, job):
            await until_over(job, work)

    async def give_up(job: HeldJob, why: str) -> None:
        if work := await _take(run_deps, job):
            await until_over(job, work, why)

    return Handler(drive, give_up)


async def until_over(job: HeldJob, work: "StepWork", why: str | None = None) -> None:
    """Do a step that is taken, and those that follow it here; `why` says that its workers keep dying on it."""
    try:
        await (work.give_up(job, why) if why else work.do(job))
    except StepLost:
        log.warning("recipes.step_taken_over", job_key=job.key)
        job.is_finished = True  # whoever has the step has its job, which may be in this process again
    except asyncio.CancelledError:
        job.again_in = timedelta()  # its step has not ended, so the job must not either
        raise


async def _take(run_deps: RunDeps, job: HeldJob) -> "StepWork | None":
    """Become the writer of a job's step; None when it is over, or has ended now because its time had come."""
    while True:
        try:
            return await _take_once(run_deps, job)
        except asyncio.CancelledError:
            if job.interruption is Interruption.STOP:
                job.go_on()
                job.group_mode = GroupMode.CLOSED  # its agent was stopped after the claim, before the step began
            elif job.interruption is Interruption.CANCEL:
                forget_interruption()
            else:
                raise


async def _take_once(run_deps: RunDeps, job: HeldJob) -> "StepWork | None":
    found = None
    async with run_deps.database.recording(job.workspace_id) as connection:
        taken = await take_step(connection, job.workspace_id, job.key)
        if taken and taken.row["path"] is None:
            taken = await follow_untaken(connection, plan_recipe, taken, job.key)
        if isinstance(taken, TakenStep):
            plan = RecipePlan(taken.run, *await planned(connection, taken.run))
            found = (plan, *await _state_of(connection, plan, taken))
    if isinstance(taken, Followed):
        job.is_finished = True  # its end was part of that, and a job of the same key may be there again
        tell_followed(run_deps.bus, taken)
    if not isinstance(taken, TakenStep) or found is None:
        return None
    return await _ready(run_deps, taken, *found)


async def _state_of(
    connection: asyncpg.Connection, plan: RecipePlan, taken: TakenStep
) -> tuple[ExecutionState, dict[str, str]]:
    """Return what is known of a step's run: of a line all, of a graph what is over before the step."""
    step = plan.flow.by_key[taken.row["step_id"]]
    order = taken.row["step_order"]
    if plan.recipe.is_graph:
        if plan.flow.before[step.step_id] or step.inside:
            state, more = await plan.before(connection, taken.path, step, stored=taken.stored)
        else:
            state, more = state_of(taken.stored, plan.recipe, []), {}
        state.steps[order] = step_state(step if step.order == order else replace(step, order=order), taken.row)
        return state, more
    rows: dict[str, Stored] = {}
    if taken.run.last_seq > 1:  # more has happened than that it was queued
        rows = {row["path"]: row for row in await graph_runs.steps_of_line(connection, taken.run.id)}
    rows[taken.path] = taken.row
    return state_of(taken.stored, plan.recipe, [(each, rows.get(each.step_id)) for each in plan.flow.steps]), {}


async def _ready(
    run_deps: RunDeps, taken: TakenStep, plan: RecipePlan, state: ExecutionState, more: dict[str, str]
) -> "StepWork":
    record = state.steps[taken.row["step_order"]]
    is_line = not plan.recipe.is_graph
    team = await find_team(run_deps, state, list(state.steps.values()) if is_line else [record])
    if is_line and team.idle:
        async with run_deps.database.recording(state.workspace_id) as connection:
            await executions.wake_agents(connection, team.idle)
    journal = StepJournal(run_deps.database, run_deps.bus, plan_recipe, state, taken)
    journal.step = record
    runs: dict[UUID, Run] = {}
    if record.status is StepStatus.RUNNING and record.run_id:
        runs[record.run_id] = await read_run(run_deps.database, state, record.run_id)
    runner = StepRunner(run_deps, state, journal, team, runs, more)
    deadline_at = _begin(taken, plan, state, journal)
    if is_line and taken.run.status == "running" and taken.row["epoch"] > 1:
        journal.add(events.ExecutionRecovered(epoch=taken.row["epoch"]))
    for run in () if is_line else runs.values():  # what was streamed and never answered is streamed again
        journal.add(events.StepRestarted(order=record.step.order, turn=len(run.turns) + 1))
    ends_at = asyncio.get_running_loop().time() + (deadline_at - taken.run.at).total_seconds()
    return StepWork(run_deps, taken, journal, runner, ends_at,
                    Line(plan, state, team, runner) if is_line else None, is_stopping=taken.is_stopping)


def _begin(taken: TakenStep, plan: RecipePlan, state: ExecutionState, journal: StepJournal) -> datetime:
    """Let the run begin, or go on, with the step's first record; returns its deadline, waiting not counted."""
    run = taken.run
    told = None if taken.is_stopping else BEGINNINGS.get(run.status)
    latest = run.at + timedelta(seconds=plan.recipe.config.total_timeout_s)
    deadline_at = run.deadline_at or latest
    if told is None:
        return deadline_at
    if run.started_at is None:
        deadline_at = latest
    else:
        deadline_at += run.waited or timedelta()
    state.started_at, state.deadline_at = run.started_at or run.at, deadline_at
    journal.open(RunInput(run.status, state.started_at, deadline_at))
    journal.add(told())
    return deadline_at


@dataclass
class StepWork:
    """The steps that this process is the writer of, one after the other; `ends_at` is on the event loop's clock."""

    run_deps: RunDeps
    taken: TakenStep
    journal: StepJournal
    runner: StepRunner
    ends_at: float
    line: Line | None
    is_stopping: bool = False

    @property
    def record(self) -> StepState:
        """The step at work."""
        if self.journal.step is None:
            raise RuntimeError("no step is at work")
        return self.journal.step

    async def do(self, job: HeldJob) -> None:
        """Do the step, and those that follow it, until they are over, must wait, or this process must let go of them.
        """
        try:
            if job.interruption is Interruption.CANCEL or self.is_stopping:
                await self.cancel(job)
                return
            if job.group_mode is GroupMode.CLOSED and self.record.status is not StepStatus.RUNNING:
                self.runner.fail(self.record, AgentStopped(self.record.agent_name))
                if not await self._end(job):
                    return
            while await self._work(job):
                pass
        except CancelRequested:
            await self._cancel_once(job)
        except asyncio.CancelledError:
            if job.interruption is not Interruption.CANCEL:
                raise
            forget_interruption()
            await self.cancel(job)
        finally:
            await self.journal.close()

    async def _work(self, job: HeldJob) -> bool:
        """Do one step; returns whether this process goes on with the next one."""
        record = self.record
        clock = asyncio.timeout_at(self.ends_at)
        try:
            async with clock:
                await self.runner.run(record, job)
        except RunPaused:
            await self._wait_for_agent(job)
            return False
        except TimeoutError:
            if not clock.expired():
                raise
            self._close(StepStatus.FAILED, TOTAL_TIMEOUT)
            await self.journal.end(job, TOTAL_TIMEOUT)
            return False
        except asyncio.CancelledError:
            if job.interruption is not Interruption.STOP:
                raise
            await go_on_with(self.run_deps.database, job)
            if not record.is_over:
                self.runner.fail(record, AgentStopped(record.agent_name))
        return await self._end(job)

    async def _end(self, job: HeldJob) -> bool:
        """Record the step's end and what follows; returns whether this process goes on with the next step.

        A stop of the agent that comes now is too late for the step, and means nobody else.
        """
        while True:
            try:
                return await self._end_once(job)
            except asyncio.CancelledError:
                if job.interruption is not Interruption.STOP:
                    raise
                await go_on_with(self.run_deps.database, job)

    async def _end_once(self, job: HeldJob) -> bool:
        await self.journal.resolve()
        if self.journal.is_over:
            return False
        if self.line and not self.record.is_over:  # a record that was cut off went on to the next step
            self.line.begun(self.record)
            return True
        if self.line and self.journal.is_alone and (onward := await self.line.after_end()):
            answer = await self.journal.pass_on(job, onward)
            if answer == OPEN:
                if onward.next:
                    self.line.begun(onward.next)
                return onward.next is not None
            if answer != CHANGED and onward.next:
                answer = await self.journal.pass_on(job, self.line.waiting(onward.next, answer))
            if answer == OPEN:
                return False
        await self.journal.end(job)
        return False

    async def _wait_for_agent(self, job: HeldJob) -> None:
        """Give the step back to the queue, where it waits in its agent's group; what it has done is kept."""
        step = self.record.step
        if self.line:
            self.journal.add(events.ExecutionPaused(
                order=step.order, agent_id=step.agent_id, agent_name=self.record.agent_name))
            await self.journal.pause()
        else:
            self.journal.add(events.StepWaiting(
                order=step.order, step_id=step.step_id, path=self.taken.path, until="agent"))
            await self.journal.store()
        job.again_in = timedelta()

    def _close(self, status: StepStatus, error: dict[str, str] | None) -> None:
        if self.record.is_over:
            return  # its end was being recorded when it was told to end otherwise: the first end stays
        self.journal.drop_stream()
        self.record.status, self.record.error = status, error
        self.record.started_at = self.record.started_at or now()
        self.record.finished_at = now()
        self.journal.add(ended(self.record), step=self.record)

    async def give_up(self, job: HeldJob, why: str) -> None:
        """End the step as failed because its workers keep dying on it, or as cancelled where that was asked for.

        A line is given up with it, whatever it says of failures: the next step would kill its workers as well.
        """
        if job.interruption is Interruption.CANCEL or self.is_stopping:
            await self.cancel(job)
            return
        error = error_of(WorkerLost(why))
        self._close(StepStatus.FAILED, error)
        await self.journal.end(job, error if self.line else None)

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
        await self.journal.resolve()
        if self.journal.is_over:
            return
        self._close(StepStatus.CANCELLED, None)
        await self.journal.end(job)


def forget_interruption() -> None:
    """Let this task go on, in order to do what it was interrupted for."""
    if task := asyncio.current_task():
        task.uncancel()


async def fail_overdue(run_deps: RunDeps, workspace_id: UUID, run_id: UUID) -> None:
    """End a run that is late and whose steps nobody ends."""
    async with run_deps.database.recording(workspace_id) as connection, connection.transaction():
        followed = await fail_run(connection, plan_recipe, workspace_id, run_id, TOTAL_TIMEOUT)
    if followed:
        tell_followed(run_deps.bus, followed)
