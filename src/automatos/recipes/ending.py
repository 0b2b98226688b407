"""How executions end: written once, with their totals."""

from typing import Any

from automatos.durable.types import NewEvent
from automatos.kernel.clock import now
from automatos.kernel.errors import Problem
from automatos.kernel.schemas import costs_as_text
from automatos.recipes.errors import OutputInvalid
from automatos.recipes.journal import ExecutionJournal
from automatos.recipes.outputs import produce
from automatos.recipes.state import ExecutionState
from automatos.recipes.types import ExecutionStatus, JsonObject, StepStatus
from automatos.runtime.service import storable

SUCCESSES = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.COMPLETED_WITH_SKIPS})


async def finish(
    state: ExecutionState, journal: ExecutionJournal, status: ExecutionStatus, error: JsonObject | None, **more: Any
) -> None:
    """Record the final status with totals and the last output; the job is deleted in the same statement.

    An execution that would have completed without the outputs that its recipe declares has failed.

    An execution whose end was being recorded when it was told to end otherwise keeps that first end.
    """
    if state.finished_at is not None:
        await journal.store()
        return
    done = [step for step in state.steps.values() if step.status is StepStatus.COMPLETED]
    outputs: JsonObject | None = None
    if status in SUCCESSES and state.definition.outputs:
        outputs, faults = produce(state.definition.outputs, [(s.step, s.output) for s in state.steps.values()])
        if faults:
            status, error = ExecutionStatus.FAILED, error_of(OutputInvalid(faults))
    state.status, state.error, state.finished_at = status, error, now()
    totals = {
        "total_tokens": state.input_tokens + state.output_tokens,
        **costs_as_text(state.cost_micro_usd, state.unpriced_calls), "is_estimated": state.is_estimated,
        "is_cut_off": state.is_cut_off,
        "duration_ms": round((state.finished_at - (state.started_at or state.created_at)).total_seconds() * 1000),
        "agents": len({step.step.agent_id for step in done}), "steps_completed": len(done),
    }
    outcome: JsonObject = {"error": error} if error else {}
    if done:
        state.output_data = {"final_output": done[-1].output, "total_duration_ms": totals["duration_ms"],
                             "total_tokens": totals["total_tokens"], "steps_completed": len(done)}
        if outputs is not None:
            state.output_data["outputs"] = outcome["outputs"] = outputs
        outcome["final_output"] = done[-1].output
    journal.add(NewEvent.of(f"execution.{status}", **outcome, **totals, **more))
    await journal.store()


async def end_cancelled(state: ExecutionState, journal: ExecutionJournal, by: str | None) -> None:
    """End an execution as cancelled; what its running step had done so far is kept."""
    close_running(state, journal, StepStatus.CANCELLED, None)
    await finish(state, journal, ExecutionStatus.CANCELLED, None, by=by)


def close_running(
    state: ExecutionState, journal: ExecutionJournal, status: StepStatus, error: JsonObject | None
) -> None:
    """Close the step that was at work."""
    for record in state.steps.values():
        if record.status is StepStatus.RUNNING:
            record.status, record.error, record.finished_at = status, error, now()
            journal.add(NewEvent.of(f"step.{status}", order=record.step.order, error=error), step=record)


def error_of(problem: Problem) -> JsonObject:
    """Return a problem as events and rows show it: code, message, next_step; the message does not repeat the step."""
    advice = getattr(problem, "next_step", "")
    next_step = advice or "Read the message, change the step or its agent, and start it again."
    message = storable(problem.detail).removesuffix(advice).rstrip()
    return {"code": problem.code, "message": message, "next_step": next_step}
