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
