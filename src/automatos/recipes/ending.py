"""How executions and their steps end: with their totals, in events and rows alike."""

from dataclasses import asdict
from typing import Any

from automatos.events import types as events
from automatos.kernel.clock import now
from automatos.kernel.errors import Problem
from automatos.kernel.schemas import costs_as_text, micro_to_text
from automatos.llm.types import FailedAttempt
from automatos.recipes.errors import OutputInvalid
from automatos.recipes.outputs import produce
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.types import NOBODY, ExecutionStatus, JsonObject, StepStatus
from automatos.runs.types import StepKind
from automatos.runtime.service import storable

SUCCESSES = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.COMPLETED_WITH_SKIPS})
ANSWERING = frozenset({StepKind.AGENT, StepKind.FOR_EACH, StepKind.RUN})
"""The kinds of steps whose output is an answer; a decision is none."""
ENDS: dict[ExecutionStatus, type[events.EndData]] = {
    ExecutionStatus.COMPLETED: events.ExecutionCompleted,
    ExecutionStatus.COMPLETED_WITH_SKIPS: events.ExecutionCompletedWithSkips,
    ExecutionStatus.FAILED: events.ExecutionFailed,
    ExecutionStatus.CANCELLED: events.ExecutionCancelled,
}


def closing(
    state: ExecutionState, status: ExecutionStatus, error: JsonObject | None, by: str | None = None
) -> events.EndData:
    """Give an execution its end, with totals and the last output, and return the event that tells of it.

    One that would have completed without the outputs that its recipe declares has failed.
    """
    done = [step for step in state.steps.values() if step.status is StepStatus.COMPLETED]
    outputs: JsonObject | None = None
    if status in SUCCESSES and state.definition.outputs:
        outputs, faults = produce(state.definition.outputs, [(s.step, s.output) for s in state.steps.values()])
        if faults:
            status, error = ExecutionStatus.FAILED, error_of(OutputInvalid(faults))
    state.status, state.error, state.finished_at = status, error, now()
    event = ENDS[status](
        total_tokens=state.input_tokens + state.output_tokens,
        **costs_as_text(state.cost_micro_usd, state.unpriced_calls), is_estimated=state.is_estimated,
        is_cut_off=state.is_cut_off,
        duration_ms=round((state.finished_at - (state.started_at or state.created_at)).total_seconds() * 1000),
        agents=len({step.step.agent_id for step in done if step.step.agent_id != NOBODY}), steps_completed=len(done),
        error=events.Failure.of(error) if error else None,
    )
    if isinstance(event, events.ExecutionCancelled):
        event.by = by
    if done:
        event.outputs = outputs
        event.final_output = next((s.output for s in reversed(done) if s.step.kind in ANSWERING), None)
        state.output_data = {"final_output": event.final_output, "total_duration_ms": event.duration_ms,
                             "total_tokens": event.total_tokens, "steps_completed": len(done)}
        if outputs is not None:
            state.output_data["outputs"] = outputs
    return event


def ended(record: StepState) -> events.StepFailed | events.StepSkipped | events.StepCancelled:
    """Return the event of a step that is over without an answer."""
    order, error = record.step.order, events.Failure.of(record.error) if record.error else None
    if record.status is StepStatus.CANCELLED or error is None:
        return events.StepCancelled(order=order, error=error, path=record.path)
    kind = events.StepSkipped if record.status is StepStatus.SKIPPED else events.StepFailed
    return kind(order=order, error=error, path=record.path)


def error_of(problem: Problem) -> JsonObject:
    """Return a problem as events and rows show it: code, message, next_step; the message does not repeat the step."""
    advice = getattr(problem, "next_step", "")
    next_step = advice or "Read the message, change the step or its agent, and start it again."
    message = storable(problem.detail).removesuffix(advice).rstrip()
    return {"code": problem.code, "message": message, "next_step": next_step}


def attempt_of(step: StepState, turn: int, failure: FailedAttempt) -> events.ModelFailed | events.ModelRetrying:
    """Keep a failed request with its step, and return the event of it; `of` is how many attempts the step has in all.
    """
    kind = events.ModelFailed if failure.then == "nothing" else events.ModelRetrying
    event = kind(
        order=step.step.order, turn=turn, attempt=step.attempt, of=step.attempt + failure.of - failure.number,
        provider=failure.provider, model=failure.model_id, status=failure.status, code=failure.code,
        reason=storable(failure.reason), provider_status=failure.provider_status, wait_s=failure.wait_s,
        then=failure.then, input_tokens=failure.usage.input_tokens, output_tokens=failure.usage.output_tokens,
        is_estimated=failure.usage.is_estimated, cost_usd=micro_to_text(failure.cost_micro_usd),
        latency_ms=failure.latency_ms,
    )
    told = asdict(event)
    del told["order"]
    step.attempts.append(told | {"run_id": str(step.run_id)})
    return event


def tried_again(step: StepState, problem: Problem, wait_s: float) -> dict[str, Any]:
    """Return a failed attempt at a whole step, such as one that took too long, as the step's row keeps it.

    Tokens of its requests are counted with those.
    """
    return {
        "turn": None, "attempt": step.attempt, "of": None, "provider": None, "model": None, "status": "error",
        "code": problem.code, "reason": storable(problem.detail), "provider_status": None, "wait_s": wait_s,
        "then": "again", "input_tokens": 0, "output_tokens": 0, "is_estimated": False, "cost_usd": None,
        "latency_ms": None, "run_id": str(step.run_id),
    }
