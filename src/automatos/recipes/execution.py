"""The durable walk over a recipe's steps.

`drive` may be called any number of times for an execution, by any process: it reads what is recorded, does what is
missing, and records each thing before the next begins.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automatos.agents.types import AgentSpec
from automatos.durable.service import settle
from automatos.durable.types import EventBus, HeldJob, Interruption, NewEvent
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.errors import Problem
from automatos.kernel.ids import new_id
from automatos.kernel.schemas import micro_to_text
from automatos.llm.errors import ModelProblem
from automatos.llm.service import ModelClient
from automatos.recipes.definition import as_text
from automatos.recipes.ending import close_running, end_cancelled, error_of, finish
from automatos.recipes.errors import AgentGone, StepFailed, StepTimedOut
from automatos.recipes.journal import ExecutionJournal
from automatos.recipes.placeholders import fill
from automatos.recipes.queries import executions as queries
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.types import RUN_RECIPE, ExecutionStatus, Step, StepStatus
from automatos.runs.errors import RunLimitReached
from automatos.runs.service import AgentFactory, AgentRuntime, Desk, fence, run_agent
from automatos.runs.types import DEFAULT_MAX_TOKENS, Answer, Limits, Run
from automatos.tools.service import Toolbox


@dataclass(frozen=True)
class Kitchen:
    """What cooking needs of this process."""

    database: Database
    bus: EventBus
    client: ModelClient
    toolbox: Toolbox
    folders: Path


class Cook:
    """Drives one execution in this process."""

    def __init__(
        self, kitchen: Kitchen, state: ExecutionState, journal: ExecutionJournal, agents: Mapping[int, AgentSpec],
        factory: AgentFactory, runs: Mapping[Any, Run],
    ) -> None:
        self._kitchen = kitchen
        self._state = state
        self._journal = journal
        self._agents = agents
        self._factory = factory
        self._runs = runs
        self._runtimes: dict[int, AgentRuntime] = {}

    async def work(self, job: HeldJob) -> None:
        """Cook until the execution is over, or this process must let go of it."""
        clock = asyncio.timeout(max((self._state.deadline_at - now()).total_seconds(), 0.0))
        try:
            if job.interruption is Interruption.CANCEL:
                await self.cancel()
                return
            async with clock:
                await self._walk(job)
        except TimeoutError:
            if not clock.expired():
                raise
            await self._end_early("total_timeout", "The recipe ran longer than its total_timeout_s.",
                                  "Raise total_timeout_s, or make the steps smaller.")
        except asyncio.CancelledError:
            if job.interruption is not Interruption.CANCEL:
                raise
            task = asyncio.current_task()
            if task:
                task.uncancel()
            await self.cancel()
        finally:
            await self._journal.close()

    async def _walk(self, job: HeldJob) -> None:
        self._begin()
        is_settled = job.attempts <= 1
        for step in self._state.definition.steps:
            record = self._state.steps[step.order]
            if record.is_over:
                continue
            await self._cook_step(record)
            if not is_settled:
                await settle(self._kitchen.database, RUN_RECIPE, str(self._state.id))
                is_settled = True
            if record.status is StepStatus.FAILED:
                await finish(self._state, self._journal, ExecutionStatus.FAILED, record.error)
                return
        skipped = any(s.status is StepStatus.SKIPPED for s in self._state.steps.values())
        status = ExecutionStatus.COMPLETED_WITH_SKIPS if skipped else ExecutionStatus.COMPLETED
        await finish(self._state, self._journal, status, None)

    def _begin(self) -> None:
        state = self._state
        if state.status is ExecutionStatus.QUEUED:
            state.status = ExecutionStatus.RUNNING
            state.started_at = now()
            self._journal.add(NewEvent.of("execution.started"))
        elif state.epoch > 1:
            self._journal.add(NewEvent.of("execution.recovered", epoch=state.epoch))

    async def _cook_step(self, record: StepState) -> None:
        """Bring one step to its end; its last words wait in the journal for the next record."""
        self._state.current_step = record.step.order
        self._journal.step = record
        while True:
            try:
                answer = await self._attempt(record)
            except (ModelProblem, RunLimitReached, StepFailed, AgentGone) as problem:
                if not self._may_retry(record, problem):
                    self._fail(record, problem)
                    return
                await self._wait_to_retry(record, problem)
            else:
                self._complete(record, answer)
                return

    async def _attempt(self, record: StepState) -> Answer:
        if record.step.agent_id not in self._agents:
            raise AgentGone(record.step.agent_id)
        runtime = self._runtime(record.step.agent_id)
        timeout_s = self._timeout_s(record.step)
        run = self._runs.get(record.run_id) if record.run_id else None
        if run is None:
            run = await self._begin_run(record, runtime)
        else:
            await self._journal.store()
        clock = asyncio.timeout(timeout_s)
        try:
            async with clock:
                return await run_agent(run, self._desk(timeout_s), self._journal)
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise StepTimedOut(record.step.step_id, timeout_s) from error

    async def _begin_run(self, record: StepState, runtime: AgentRuntime) -> Run:
        state, step = self._state, record.step
        record.prompt = fill(step.prompt_template, self._values())
        opening = await runtime.open(record.prompt, self._limits(step))
        run = Run(new_id(), state.workspace_id, step.agent_id, state.id, step.order, opening, state.epoch)
        record.run_id = run.id
        record.status = StepStatus.RUNNING
        record.started_at = record.started_at or now()
        self._journal.add_run(run.id, step.agent_id, opening)
        self._journal.add(NewEvent.of(
            "step.started", order=step.order, step_id=step.step_id, agent_id=step.agent_id,
            agent_name=record.agent_name, attempt=record.attempt, run_id=run.id, prompt=record.prompt,
            provider=opening.model.provider, model=opening.model.model_id,
        ), step=record)
        await self._journal.store()
        return run

    def _values(self) -> dict[str, str]:
        """What placeholders stand for: inputs as given, outputs fenced as material that is not to be obeyed."""
        values = {f"input.{name}": as_text(value) for name, value in self._state.input_data.items()}
        for done in self._state.steps.values():
            if done.is_over:
                text = fence(done.output) if done.output is not None else f"(step {done.step.step_id} was skipped)"
                values |= {done.step.output_key: text, f"step_{done.step.order}_output": text}
                if done.output is not None or "previous_output" not in values:
                    values["previous_output"] = text
        return values

    def _complete(self, record: StepState, answer: Answer) -> None:
        self._journal.add_turn(record, answer.turn, answer.events)
        record.status = StepStatus.COMPLETED
        record.output = answer.text
        record.finished_at = now()
        self._journal.add(NewEvent.of(
            "step.completed", order=record.step.order, output_key=record.step.output_key, output=answer.text,
            input_tokens=record.input_tokens, output_tokens=record.output_tokens,
            cost_usd=micro_to_text(record.cost_micro_usd), duration_ms=record.duration_ms,
        ), step=record)

    def _fail(self, record: StepState, problem: Problem) -> None:
        self._journal.drop_stream()
        skips = record.step.error_handling == "skip"
        record.status = StepStatus.SKIPPED if skips else StepStatus.FAILED
        record.error = error_of(problem)
        record.finished_at = now()
        event = "step.skipped" if skips else "step.failed"
        self._journal.add(NewEvent.of(event, order=record.step.order, error=record.error), step=record)

    async def _wait_to_retry(self, record: StepState, problem: Problem) -> None:
        self._journal.drop_stream()
        delay_s = self._state.definition.config.delay_s(record.attempt)
        record.attempt += 1
        record.run_id = None
        self._journal.add(NewEvent.of("step.retrying", order=record.step.order, attempt=record.attempt,
                                      error=error_of(problem), delay_s=delay_s), step=record)
        await self._journal.store()
        await asyncio.sleep(delay_s)

    def _may_retry(self, record: StepState, problem: Problem) -> bool:
        if not (isinstance(problem, StepFailed) or getattr(problem, "is_retryable", False)):
            return False
        config = self._state.definition.config
        agent = self._agents[record.step.agent_id]
        return record.attempt <= _first(record.step.max_retries, config.max_retries, agent.retry_attempts)

    def _timeout_s(self, step: Step) -> float:
        agent = self._agents[step.agent_id]
        return _first(step.timeout_s, self._state.definition.config.per_step_timeout_s, agent.timeout_s)

    def _limits(self, step: Step) -> Limits:
        agent = self._agents[step.agent_id]
        turns = _first(step.max_iterations, agent.max_iterations)
        tokens = self._state.definition.config.max_total_tokens
        used = self._state.input_tokens + self._state.output_tokens
        return Limits(turns, DEFAULT_MAX_TOKENS if tokens is None else max(tokens - used, 0))

    def _runtime(self, agent_id: int) -> AgentRuntime:
        if agent_id not in self._runtimes:
            self._runtimes[agent_id] = self._factory.activate_agent(self._agents[agent_id])
        return self._runtimes[agent_id]

    def _desk(self, timeout_s: float) -> Desk:
        folder = self._kitchen.folders / str(self._state.workspace_id) / str(self._state.id)
        return Desk(self._kitchen.client, self._kitchen.toolbox, folder, timeout_s, timeout_s)

    async def _end_early(self, code: str, message: str, next_step: str) -> None:
        error = {"code": code, "message": message, "next_step": next_step}
        close_running(self._state, self._journal, StepStatus.FAILED, error)
        await finish(self._state, self._journal, ExecutionStatus.FAILED, error)

    async def give_up(self, why: str) -> None:
        """End the execution as failed because its workers keep dying on it."""
        self._begin()
        await self._end_early("worker_lost", f"The execution was given up: {why}.",
                              "Read the server's log for what stopped the workers, then cook again.")

    async def cancel(self) -> None:
        """End the execution as cancelled; no later step runs."""
        async with self._kitchen.database.recording(self._state.workspace_id) as connection:
            by = await queries.canceller(connection, self._state.id)
        await end_cancelled(self._state, self._journal, by)


def _first(*values: int | None) -> int:
    return next(value for value in values if value is not None)
