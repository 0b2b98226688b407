"""The durable walk over a recipe's steps.

`drive` may be called any number of times for an execution, by any process: it reads what is recorded, does what is
missing, and records each thing before the next begins.
"""

import asyncio
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from automatos.agents.types import lane_of
from automatos.durable.service import events_after, go_on, move, settle
from automatos.durable.types import Admission, HeldJob, Interruption
from automatos.events import types as events
from automatos.kernel.clock import now
from automatos.kernel.errors import DatabaseUnavailable
from automatos.recipes.crew import Crew, Kitchen
from automatos.recipes.ending import close_running, end_cancelled, finish
from automatos.recipes.errors import (
    AgentStopped,
    CancelRequested,
    Fenced,
)
from automatos.recipes.journal import PATIENCE_S, ExecutionJournal
from automatos.recipes.queries import executions as queries
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.step_runner import StepRunner
from automatos.recipes.types import RUN_RECIPE, ExecutionStatus, StepStatus
from automatos.runtime.errors import Frozen
from automatos.runtime.types import Run

ENDINGS = {StepStatus.FAILED: ExecutionStatus.FAILED, StepStatus.CANCELLED: ExecutionStatus.CANCELLED}
"""How an execution ends after a step that ended so."""


class Waits(Exception):
    """The next step's agent has no room now."""

    def __init__(self, answer: Admission) -> None:
        super().__init__(answer)
        self.answer = answer


class Cook:
    """Drives one execution in this process."""

    def __init__(
        self, kitchen: Kitchen, state: ExecutionState, journal: ExecutionJournal, crew: Crew, runs: Mapping[Any, Run],
    ) -> None:
        self._kitchen = kitchen
        self._state = state
        self._journal = journal
        self._crew = crew
        self._runner = StepRunner(kitchen, state, journal, crew, runs)
        self._has_begun = False
        self._has_cooked = False
        self._is_closed: int | None = None

    async def work(self, job: HeldJob) -> None:
        """Cook until the execution is over, must wait, or this process must let go of it.

        One that waits, for a slot of an agent or for a paused one, sets `job.again_in`: it is to be given back.
        """
        try:
            if job.interruption is Interruption.CANCEL:
                await self.cancel()
                return
            while not await self._work_until_stopped(job):
                self._stop_running()
                await go_on(self._kitchen.database, job)
        except CancelRequested:
            await self._cancel_once(job)
        except asyncio.CancelledError:
            if job.interruption is not Interruption.CANCEL:
                raise
            forget_interruption()
            await self.cancel()
        finally:
            job.leaves_waiting = job.leaves_waiting or self._journal.leaves_waiting
            await self._journal.close()

    async def _work_until_stopped(self, job: HeldJob) -> bool:
        """Walk on; returns False when the agent at work was stopped meanwhile."""
        clock = asyncio.timeout(None)
        try:
            async with clock:
                await self._walk(job, clock)
        except TimeoutError:
            if not clock.expired():
                raise
            await self._end_early("total_timeout", "The recipe ran longer than its total_timeout_s.",
                                  "Raise total_timeout_s, or make the steps smaller.")
        except asyncio.CancelledError:
            if job.interruption is not Interruption.STOP:
                raise
            return False
        return True

    async def _walk(self, job: HeldJob, clock: asyncio.Timeout) -> None:
        await self._begin()
        clock.reschedule(loop_time(self._state.deadline_at))
        is_settled = job.attempts <= 1 and not job.crashes
        for step in self._state.definition.steps:
            record = self._state.steps[step.order]
            if not record.is_over:
                try:
                    await self._take_place(job, record)
                    await self._do_step(record, job)
                except (Waits, Frozen) as why:
                    await self._wait(job, record, why)
                    return
                if not is_settled:
                    await settle(self._kitchen.database, RUN_RECIPE, str(self._state.id))
                    is_settled = True
            if record.status in ENDINGS:
                await finish(self._state, self._journal, ENDINGS[record.status], record.error)
                return
        skipped = any(s.status is StepStatus.SKIPPED for s in self._state.steps.values())
        status = ExecutionStatus.COMPLETED_WITH_SKIPS if skipped else ExecutionStatus.COMPLETED
        await finish(self._state, self._journal, status, None)

    async def _begin(self) -> None:
        """Say that work goes on; time spent waiting, for whatever reason, is not counted as work."""
        state = self._state
        if state.finished_at is not None:
            return  # a late stop cut the recording of its end off; it only has to be recorded again
        if state.status is ExecutionStatus.QUEUED:
            state.started_at = now()
            state.deadline_at = now() + timedelta(seconds=state.definition.config.total_timeout_s)
            self._journal.add(events.ExecutionStarted())
        elif state.status in {ExecutionStatus.PAUSED, ExecutionStatus.WAITING}:
            state.deadline_at += await self._waited()
            self._journal.add(events.ExecutionResumed())
        elif state.epoch > 1 and not self._has_begun:
            self._journal.add(events.ExecutionRecovered(epoch=state.epoch))
        state.status = ExecutionStatus.RUNNING
        self._has_begun = True
        if self._crew.idle:
            async with self._kitchen.database.recording(state.workspace_id) as connection:
                await queries.wake_agents(connection, self._crew.idle)

    async def _waited(self) -> timedelta:
        """Return how long the execution waited: what was recorded last is that it began to."""
        state = self._state
        found = await events_after(self._kitchen.database, state.workspace_id, state.topic, state.last_seq - 1, 1)
        return now() - datetime.fromisoformat(found[0].at) if found else timedelta()

    async def _take_place(self, job: HeldJob, record: StepState) -> None:
        """Take a slot of the step's agent; a step that had begun keeps its own, also while the agent is stopping.

        Raises:
            Waits: there is none now, or the agent is paused.
            Fenced: another worker has the execution.
        """
        agent_id = record.step.agent_id
        answer = Admission(job.lane_mode) if not self._has_cooked else None
        if job.lane != lane_of(agent_id) or answer is None:
            answer = await self._move(job, agent_id)
        self._has_cooked = True
        if answer is Admission.LOST:
            raise Fenced(str(self._state.id))
        if record.status is StepStatus.RUNNING or answer is Admission.OPEN:
            return
        if answer is not Admission.CLOSED:
            raise Waits(answer)
        self._is_closed = agent_id

    async def _move(self, job: HeldJob, agent_id: int) -> Admission:
        """Move to an agent's lane; what the last step gave is not recorded yet, so an absent database is waited for."""
        give_up_at = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                return await move(self._kitchen.database, job, lane_of(agent_id), self._crew.priority(agent_id))
            except DatabaseUnavailable:
                if asyncio.get_running_loop().time() > give_up_at:
                    raise
                await asyncio.sleep(random.uniform(0.2, 0.6))  # noqa: S311

    async def _wait(self, job: HeldJob, record: StepState, why: Exception) -> None:
        """Give the execution back to the queue, where it waits in its agent's lane."""
        is_full = isinstance(why, Waits) and why.answer is Admission.FULL
        self._state.status = ExecutionStatus.WAITING if is_full else ExecutionStatus.PAUSED
        kind = events.ExecutionWaiting if is_full else events.ExecutionPaused
        self._journal.add(
            kind(order=record.step.order, agent_id=record.step.agent_id, agent_name=record.agent_name))
        await self._journal.store()
        job.again_in = timedelta()

    async def _do_step(self, record: StepState, job: HeldJob) -> None:
        if self._is_closed == record.step.agent_id and record.status is not StepStatus.RUNNING:
            self._state.current_step = record.step.order
            self._runner.fail(record, AgentStopped(record.agent_name))
        else:
            await self._runner.run(record, job)

    def _stop_running(self) -> None:
        """End the step whose agent was stopped; the recipe says whether the others go on."""
        for record in self._state.steps.values():
            if record.status is StepStatus.RUNNING:
                self._runner.fail(record, AgentStopped(record.agent_name))

    async def _end_early(self, code: str, message: str, next_step: str) -> None:
        error = {"code": code, "message": message, "next_step": next_step}
        close_running(self._state, self._journal, StepStatus.FAILED, error)
        await finish(self._state, self._journal, ExecutionStatus.FAILED, error)

    async def give_up(self, why: str) -> None:
        """End the execution as failed because its workers keep dying on it."""
        await self._begin()
        await self._end_early("worker_lost", f"The execution was given up: {why}.",
                              "Read the server's log for what stopped the workers, then cook again.")

    async def _cancel_once(self, job: HeldJob) -> None:
        """Cancel; the signal for it may come in the middle and cut the recording off, which then is done again."""
        try:
            await self.cancel()
        except asyncio.CancelledError:
            if job.interruption is not Interruption.CANCEL:
                raise
            forget_interruption()
            await self.cancel()

    async def cancel(self) -> None:
        """End the execution as cancelled; no later step runs."""
        async with self._kitchen.database.recording(self._state.workspace_id) as connection:
            by = await queries.canceller(connection, self._state.workspace_id, self._state.id)
        await end_cancelled(self._state, self._journal, by)


def forget_interruption() -> None:
    """Let this task go on, in order to do what it was interrupted for."""
    if task := asyncio.current_task():
        task.uncancel()


def loop_time(at: datetime) -> float:
    """Return a time of day on the event loop's clock."""
    return asyncio.get_running_loop().time() + max((at - now()).total_seconds(), 0.0)
