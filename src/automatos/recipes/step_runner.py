"""One step of a run, done by its agent: tried, tried again, and its end put into words."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from automatos.agents.types import Outcome
from automatos.durable.types import HeldJob
from automatos.events import types as events
from automatos.kernel.clock import now
from automatos.kernel.errors import DatabaseUnavailable, Problem
from automatos.kernel.ids import new_id
from automatos.kernel.schemas import costs_as_text
from automatos.llm.errors import PromptTooLong
from automatos.llm.types import AnswerEnd, Window
from automatos.recipes.definition import as_text
from automatos.recipes.ending import ended, error_of, tried_again
from automatos.recipes.errors import AgentGone, AgentStopped, AnswerCutOff, StepFailed, StepTimedOut
from automatos.recipes.journal import StepJournal
from automatos.recipes.placeholders import TooLong, cut
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.team import RunDeps, Team
from automatos.recipes.types import Step, StepStatus
from automatos.runtime.service import fence, run_agent
from automatos.runtime.types import Answer, Run


class StepRunner:
    """Does steps of one execution in this process; `more` are values of placeholders beside inputs and outputs."""

    def __init__(
        self, run_deps: RunDeps, state: ExecutionState, journal: StepJournal, team: Team, runs: Mapping[Any, Run],
        more: Mapping[str, str] | None = None,
    ) -> None:
        self._run_deps = run_deps
        self._state = state
        self._journal = journal
        self._team = team
        self._runs = dict(runs)
        self._more = dict(more or {})

    async def run(self, record: StepState, job: HeldJob) -> None:
        """Bring one step to its end; its last words wait in the journal for the next record."""
        self._state.current_step = record.step.order
        self._journal.step = record
        while True:
            try:
                answer = await self._attempt(record, job)
            except DatabaseUnavailable:
                raise  # says nothing about the step: it is taken up again when the database is back
            except Problem as problem:
                if not self._may_retry(record, problem):
                    self.fail(record, problem)
                    self._tell_outcome(record, problem)
                    return
                await self._wait_to_retry(record, problem)
            else:
                self._tell_outcome(record, self._complete(record, answer))
                return

    async def _attempt(self, record: StepState, job: HeldJob) -> Answer:
        timeout_s = self._team.timeout_s(record.step)
        run = self._runs.get(record.run_id) if record.run_id else None
        if run is None:
            run = await self._begin_run(record)
        else:
            await self._journal.store()
        clock = asyncio.timeout(timeout_s)
        try:
            async with clock:
                deps = self._team.deps(record, timeout_s, lambda: job.wants_pause)
                return await run_agent(run, deps, self._journal)
        except PromptTooLong as problem:
            raise problem.of(f"What is said in step {record.step.step_id!r} by now") from problem
        except TimeoutError as error:
            if not clock.expired():
                raise
            raise StepTimedOut(record.step.step_id, timeout_s) from error

    async def _begin_run(self, record: StepState) -> Run:
        run, event = await self.prepare(record)
        self._journal.add_run(run.id, run.agent_id, run.run_input)
        self._journal.add(event, step=record)
        self.begun(record, run)
        await self._journal.store()
        return run

    async def prepare(self, record: StepState) -> tuple[Run, events.StepStarted]:
        """Give a step a run that begins, and return it with the event that tells of it; nothing is recorded yet."""
        state, step = self._state, record.step
        window, taken = await self._team.window(step)
        record.prompt = prompt_of(step, values_of(self._state) | self._more, window, taken, self._team.pattern_of(step))
        run_input = await self._team.open(step, record.prompt, window)
        run = Run(new_id(), state.workspace_id, step.agent_id, state.id, step.order, run_input, state.epoch)
        record.run_id = run.id
        record.status = StepStatus.RUNNING
        record.started_at = record.started_at or now()
        return run, events.StepStarted(
            order=step.order, step_id=step.step_id, agent_id=step.agent_id,
            agent_name=record.agent_name, attempt=record.attempt, run_id=run.id, prompt=record.prompt,
            provider=run_input.model.provider, model=run_input.model.model_id, timeout_s=self._team.timeout_s(step),
            path=record.path,
        )

    def begun(self, record: StepState, run: Run) -> None:
        """Take up a run that was prepared."""
        self._runs[run.id] = run
        notes = self._team.notes(record.step.agent_id)
        if notes.level <= logging.DEBUG:
            notes.started(run.id, run.run_input)

    def _complete(self, record: StepState, answer: Answer) -> Problem | None:
        """Keep an answer; returns why it is no success where the recipe wants whole answers and it was cut off."""
        self._journal.add_turn(record, answer.turn, answer.events)
        record.is_cut_off = answer.turn.body.get("end") == AnswerEnd.CUT_OFF
        self._state.is_cut_off = self._state.is_cut_off or record.is_cut_off
        if record.is_cut_off and self._team.fails_when_cut_off(record.step):
            problem = AnswerCutOff(record.step.step_id)
            self.fail(record, problem)
            return problem
        record.status = StepStatus.COMPLETED
        record.output = answer.text
        record.finished_at = now()
        self._journal.add(events.StepCompleted(
            order=record.step.order, output_key=record.step.output_key, output=answer.text,
            input_tokens=record.input_tokens, output_tokens=record.output_tokens,
            **costs_as_text(record.cost_micro_usd, record.unpriced_calls), is_estimated=record.is_estimated,
            is_cut_off=record.is_cut_off, duration_ms=record.duration_ms,
        ), step=record)
        return None

    def fail(self, record: StepState, problem: Problem) -> None:
        """End a step without an answer."""
        self._journal.drop_stream()
        if record.step.error_handling == "skip":
            record.status = StepStatus.SKIPPED
        elif isinstance(problem, AgentStopped) and self._state.kind != "recipe":
            record.status = StepStatus.CANCELLED
        else:
            record.status = StepStatus.FAILED
        record.error = error_of(problem)
        record.started_at = record.started_at or now()
        record.finished_at = now()
        self._journal.add(ended(record), step=record)

    async def _wait_to_retry(self, record: StepState, problem: Problem) -> None:
        self._journal.drop_stream()
        delay_s = self._state.definition.config.delay_s(record.attempt)
        self._team.notes(record.step.agent_id).retrying(
            record.run_id, attempt=record.attempt, code=problem.code, delay_s=delay_s)
        record.attempts.append(tried_again(record, problem, delay_s))
        record.attempt += 1
        record.run_id = None
        self._journal.add(events.StepRetrying(
            order=record.step.order, attempt=record.attempt, delay_s=delay_s,
            error=events.Failure.of(error_of(problem)),
        ), step=record)
        await self._journal.store()
        await asyncio.sleep(delay_s)

    def _may_retry(self, record: StepState, problem: Problem) -> bool:
        if not (isinstance(problem, StepFailed) or getattr(problem, "is_retryable", False)):
            return False
        return self._team.retries_left(record) > 0

    def _tell_outcome(self, record: StepState, problem: Problem | None) -> None:
        """Leave with the agent how its step ended; that its own row is gone is no outcome of its."""
        if record.finished_at and not isinstance(problem, AgentGone):
            notes = self._team.notes(record.step.agent_id)
            if problem:
                notes.failed(record.run_id, problem.code)
            else:
                notes.finished(record.run_id, duration_ms=record.duration_ms,
                               tokens=record.input_tokens + record.output_tokens)
            self._run_deps.outcomes.record(Outcome(
                self._state.workspace_id, record.step.agent_id, problem is None, record.finished_at,
                record.duration_ms, f"{problem.code}: {problem.detail}" if problem else None))


def values_of(state: ExecutionState, quoted: Callable[[str], str] = fence) -> dict[str, str]:
    """Return what placeholders stand for: inputs as given, what models wrote quoted, so that it is not obeyed."""
    values = {f"input.{name}": (quoted if name in state.material else str)(as_text(value))
              for name, value in state.input_data.items()}
    for done in state.steps.values():
        if done.is_over:
            text = quoted(done.output) if done.output is not None else f"(step {done.step.step_id} was skipped)"
            values |= {done.step.output_key: text, f"step_{done.step.order}_output": text}
            if done.output is not None or "previous_output" not in values:
                values["previous_output"] = text
    return values


def prompt_of(step: Step, values: Mapping[str, str], window: Window, taken: int, pattern: str = "") -> str:
    """Return a step's prompt, followed by the words of its pattern.

    The window must hold it beside the characters that the system prompt takes.

    Raises:
        PromptTooLong: both together are more than the window holds; the prompt was not built.
    """
    words = f"\n\n{pattern}" if pattern else ""
    try:
        return fill(step.prompt_template, values, limit=window.chars - taken - len(words)) + words
    except TooLong as error:
        what = f"The prompt of step {step.step_id!r}, with the {taken:,} characters of its agent's persona and skills,"
        raise PromptTooLong(window, error.size + len(words) + taken, what) from error


def fill(template: str, values: Mapping[str, str], *, limit: int | None = None) -> str:
    """Return the template with every placeholder replaced by its value; lengths are added up before it is built.

    Braces that would go are counted as if they stayed.

    Raises:
        KeyError: a name has no value; validation at save makes that impossible for a stored recipe.
        TooLong: it would have more characters than `limit`.
    """
    pieces = cut(template)
    names = pieces[1::2]
    if limit is not None:
        size = len(template) + sum(len(values[name]) for name in names if name[0] != "{")
        if size > limit:
            raise TooLong(size)
    made = list(pieces)
    made[1::2] = [values[name] if name[0] != "{" else name[1:-1] if name[2:-2] in values else name for name in names]
    return "".join(made)
