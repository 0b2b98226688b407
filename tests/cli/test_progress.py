"""Every event of a run is told in one line, and the state for a live view follows it."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from automatos.cli.progress import Progress, line_of
from automatos.client import RunEvent
from automatos.events import types as events
from automatos.events.service import recorded


def event(told: events.RunEventData) -> RunEvent:
    written = recorded(told)
    return RunEvent(1, written.type, "2026-01-01T10:20:30Z", orjson.loads(written.data), written.data)


def queued(name: str, *steps: str) -> events.ExecutionQueued:
    return events.ExecutionQueued(
        recipe_id=None, recipe_name=name, recipe_version=0, total_steps=len(steps),
        steps=[events.QueuedStep(order=order, step_id=step, agent_id=7, agent_name="Scout", output_key=step)
               for order, step in enumerate(steps, start=1)])


SCOUT: dict[str, Any] = {"order": 1, "agent_id": 7, "agent_name": "Scout"}
STOPPED = events.Failure(code="agent_stopped", message="Scout was stopped.")
SAID = {
    "waiting for a place": (event(events.ExecutionWaiting(**SCOUT)), "waits for a free place of Scout"),
    "its agent is paused": (event(events.ExecutionPaused(**SCOUT)), "waits: Scout is paused"),
    "going on": (event(events.ExecutionResumed()), "goes on"),
    "resumed by somebody": (event(events.ExecutionResumed(by="Ada")), "goes on, resumed by Ada"),
    "a signal": (event(events.ExecutionSignalled(name="paid", by="Ada")), "signal paid sent by Ada"),
    "waiting for a signal": (
        event(events.StepWaiting(order=2, step_id="w", path="w", until="signal", signal="paid")),
        "step 2 w waits for the signal paid"),
    "being paused": (event(events.ExecutionPausing(by="Ada")), "paused by Ada; what is at work is finished first"),
    "held": (event(events.ExecutionHeld(by="Ada")), "waits: paused by Ada"),
    "taken over": (
        event(events.StepTakenOver(order=2, path="w", run_id=UUID(int=7), output_key="w", output="x")),
        f"step 2 w is taken over from run {UUID(int=7)}"),
    "a task": (event(queued("Scout", "task")), "queued Scout, 1 step"),
    "a stopped agent": (event(events.StepCancelled(order=1, error=STOPPED)), "step 1 cancelled: Scout was stopped."),
    "cancelled": (event(events.StepCancelled(order=1, error=None)), "step 1 cancelled"),
    "an approval": (
        event(events.StepWaiting(order=2, step_id="ok", path="ok", until="approval", question="Go?", role="admin")),
        "step 2 ok waits for an approval by the role admin: Go?"),
    "a time": (event(events.StepWaiting(order=2, step_id="w", path="w", until="timer", due_at="2026-12-01T00:00Z")),
               "step 2 w waits until 2026-12-01T00:00Z"),
    "a paused agent": (event(events.StepWaiting(order=2, step_id="w", path="rows[1].w", until="agent")),
                       "step 2 rows[1].w waits until its agent is resumed"),
    "approved": (event(events.StepDecided(order=2, is_approved=True, by="Ada")), "step 2 approved by Ada"),
    "refused": (event(events.StepDecided(order=2, is_approved=False, by="Ada", comment="No.")),
                "step 2 refused by Ada: No."),
    "items": (event(events.StepExpanded(order=2, step_id="rows", path="rows", items=3)),
              "step 2 rows is done for 3 items"),
}


@pytest.mark.parametrize(("told", "said"), SAID.values(), ids=SAID)
def test_what_a_run_waits_for_and_how_a_step_ends_is_told(told: RunEvent, said: str) -> None:
    assert line_of(told) == f"10:20:30  {said}"


def test_a_live_view_counts_what_was_taken_over_as_done() -> None:
    progress = Progress()
    progress.take(event(queued("Soup", "one", "two")))

    progress.take(SAID["taken over"][0])
    progress.take(event(events.StepTakenOver(
        order=1, path="one", run_id=UUID(int=7), output_key="one", output="", is_skipped=True)))

    assert [step.status for step in progress.steps.values()] == ["skipped", "completed"]


def test_a_live_view_says_what_a_run_waits_for_until_it_goes_on() -> None:
    progress = Progress()

    progress.take(SAID["its agent is paused"][0])
    assert progress.status == "waits: Scout is paused"
    progress.take(SAID["going on"][0])
    assert progress.status == "running"


def test_a_live_view_meets_the_steps_of_items_as_they_begin_and_says_what_waits() -> None:
    progress = Progress()
    progress.take(event(queued("Rows", "rows")))
    progress.take(event(events.StepWaiting(order=3, step_id="ok", path="rows[0].ok", until="approval", role="editor")))

    assert [(step.step_id, step.status) for step in progress.steps.values()] == [
        ("rows", "pending"), ("rows[0].ok", "waiting")]
    progress.take(event(events.StepDecided(order=3, is_approved=True, by="Ada")))
    assert progress.steps[3].note == "approved by Ada"


FAILED: dict[str, Any] = {
    "order": 2, "turn": 1, "attempt": 1, "of": 3, "provider": "groq", "model": "m", "status": "error",
    "code": "model_unavailable", "reason": "Groq answered 500: overloaded.", "provider_status": 500,
    "input_tokens": 30, "output_tokens": 12, "is_estimated": False, "cost_usd": None, "latency_ms": 9,
}
ATTEMPTS = {
    "again": (events.ModelRetrying(**FAILED, then="again", wait_s=1.25), "failed, tries again in 1.2 s: Groq"),
    "at once": (events.ModelRetrying(**FAILED, then="again", wait_s=None), "failed, tries again in 0.0 s: Groq"),
    "fallback": (events.ModelRetrying(**FAILED, then="fallback", wait_s=None),
                 "failed, the fallback model is asked: Groq"),
    "for good": (events.ModelFailed(**FAILED, then="nothing", wait_s=None), "failed: Groq"),
}


@pytest.mark.parametrize(("told", "said"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_failed_attempt_is_told_with_what_follows_and_counted(told: events.RunEventData, said: str) -> None:
    progress = Progress()
    progress.take(event(queued("Two", "one", "two")))
    progress.take(event(events.StepStarted(
        order=2, step_id="two", agent_id=7, agent_name="Scout", attempt=1, run_id=UUID(int=1), prompt="Go",
        provider="groq", model="m")))
    progress.take(event(events.StepDelta(order=2, turn=1, text="Ha")))
    progress.take(event(events.StepDelta(order=2, turn=1, text="lf")))
    progress.take(event(told))

    assert line_of(event(told)) == f"10:20:30  step 2 attempt 1 of 3 {said} answered 500: overloaded."
    step = progress.steps[2]
    assert step.note == f"attempt 1 of 3 {said} answered 500: overloaded."
    assert (step.text, step.tokens, step.status) == ("", 42, "running")


@pytest.mark.parametrize(("kind", "data"), [
    ("step.dreamt", {"order": 1, "of": "sheep"}),
    ("execution.split", {}),
    ("step.delta", {"order": 1, "turn": 1, "chunks": ["a newer shape"]}),
])
def test_what_only_a_newer_server_tells_is_passed_over(kind: str, data: dict[str, Any]) -> None:
    progress = Progress()
    progress.take(event(queued("Two", "one", "two")))
    before = repr(progress)
    newer = RunEvent(2, kind, "2026-01-01T10:20:30Z", data, "{}")
    progress.take(newer)

    assert (line_of(newer), repr(progress), newer.is_final) == (None, before, False)


def test_fields_that_only_a_newer_server_has_are_passed_over_and_a_last_event_ends_the_run_in_any_shape() -> None:
    progress = Progress()
    progress.take(RunEvent(1, "execution.started", "2026-01-01T10:20:30Z", {"mood": "good"}, "{}"))
    assert progress.status == "running"
    last = RunEvent(2, "execution.completed", "2026-01-01T10:20:30Z", {"sum": 3}, "{}")
    progress.take(last)
    assert (progress.status, progress.end, last.is_final) == ("completed", None, True)
