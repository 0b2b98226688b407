"""What the end of a run means for the step of another run that has started it."""

import asyncpg
import orjson

from automatos.kernel.schemas import costs_as_text
from automatos.runs.types import JsonObject, RunStatus, StepStatus

CANCELLED = {"code": "run_cancelled", "message": "The run that this step has started was cancelled.",
             "next_step": "Start the run again, or fork it from this step."}
GONE = {"code": "run_gone", "message": "The run that this step has started is not there any more.",
        "next_step": "Start the run again, or fork it from this step."}
ENDS = {RunStatus.COMPLETED: StepStatus.COMPLETED, RunStatus.COMPLETED_WITH_SKIPS: StepStatus.COMPLETED}


def ended_child(
    child: asyncpg.Record, *, is_stopping: bool
) -> tuple[StepStatus, str | None, JsonObject | None]:
    """Return the status, output and error of a step whose run has ended; one of a run that is stopping is cancelled.

    The output is what the recipe declares, as an object in JSON, or else its last answer.
    """
    if status := ENDS.get(child["status"]):
        return status, _output_of(child["output_data"] or {}), None
    if is_stopping:
        return StepStatus.CANCELLED, None, None
    return StepStatus.FAILED, None, child["error"] or CANCELLED


def _output_of(given: JsonObject) -> str:
    if "outputs" in given:
        return orjson.dumps(given["outputs"]).decode()
    return given.get("final_output") or ""


def tokens_of(child: asyncpg.Record | None) -> JsonObject:
    """Return what a run has used as the event of its step's end tells it; nothing where the step has started none."""
    if child is None:
        return {"input_tokens": 0, "output_tokens": 0, "cost_usd": "0.000000"}
    return {"input_tokens": child["input_tokens"], "output_tokens": child["output_tokens"],
            "is_estimated": child["is_estimated"], **costs_as_text(child["cost_micro_usd"], child["unpriced_calls"])}
