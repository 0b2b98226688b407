"""Every event of a run is told in one line, and the state for a live view follows it."""

import json
from typing import Any

import pytest

from automatos.entrypoints.cli.follow import Event
from automatos.entrypoints.cli.progress import Progress, line_of


def event(kind: str, **data: Any) -> Event:
    return Event(1, kind, "2026-01-01T10:20:30Z", data, json.dumps(data))


SAID = {
    "waiting for a place": (event("execution.waiting", agent_name="Scout"), "waits for a free place of Scout"),
    "its agent is paused": (event("execution.paused", agent_name="Scout"), "waits: Scout is paused"),
    "going on": (event("execution.resumed"), "goes on"),
    "a task": (event("execution.queued", recipe_name="Scout", total_steps=1, steps=[]), "queued Scout, 1 step"),
}


@pytest.mark.parametrize(("told", "said"), SAID.values(), ids=SAID)
def test_what_a_run_waits_for_is_told(told: Event, said: str) -> None:
    assert line_of(told) == f"10:20:30  {said}"


def test_a_live_view_says_what_a_run_waits_for_until_it_goes_on() -> None:
    progress = Progress()

    progress.take(SAID["its agent is paused"][0])
    assert progress.status == "waits: Scout is paused"
    progress.take(SAID["going on"][0])
    assert progress.status == "running"


FAILED = {"order": 2, "attempt": 1, "of": 3, "reason": "Groq answered 500: overloaded.", "input_tokens": 30,
          "output_tokens": 12}
ATTEMPTS = {
    "again": (event("model.retrying", **FAILED, then="again", wait_s=1.25), "failed, tries again in 1.2 s: Groq"),
    "at once": (event("model.retrying", **FAILED, then="again", wait_s=None), "failed, tries again in 0.0 s: Groq"),
    "fallback": (event("model.retrying", **FAILED, then="fallback"), "failed, the fallback model is asked: Groq"),
    "for good": (event("model.failed", **FAILED, then="nothing"), "failed: Groq"),
}


@pytest.mark.parametrize(("told", "said"), ATTEMPTS.values(), ids=ATTEMPTS)
def test_a_failed_attempt_is_told_with_what_follows_and_counted(told: Event, said: str) -> None:
    progress = Progress()
    progress.take(event("execution.queued", recipe_name="Two", total_steps=2, steps=[
        {"order": 1, "step_id": "one"}, {"order": 2, "step_id": "two"}]))
    progress.take(event("step.started", order=2, agent_name="Scout"))
    progress.take(event("step.delta", order=2, text="Half"))
    progress.take(told)

    assert line_of(told) == f"10:20:30  step 2 attempt 1 of 3 {said} answered 500: overloaded."
    step = progress.steps[2]
    assert step.note == f"attempt 1 of 3 {said} answered 500: overloaded."
    assert (step.text, step.tokens, step.status) == ("", 42, "running")
