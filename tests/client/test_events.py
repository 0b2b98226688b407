"""Events have types in the client, read out of JSON of this, an older and a newer server."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from automatos.client import RunEvent, events
from automatos.events import types as server
from automatos.events.service import recorded

STEP: dict[str, Any] = {"order": 2, "output_key": "x", "output": "y", "input_tokens": 3, "output_tokens": 4,
                        "cost_usd": None, "duration_ms": 5}
STOPPED = {"code": "agent_stopped", "message": "Scout was stopped."}


def read(kind: str, data: dict[str, Any]) -> Any:
    return RunEvent(1, kind, "2026-01-01T10:20:30Z", data, "{}").told


def test_every_type_of_the_server_has_a_class_of_its_name() -> None:
    ours = {type_: kind.__name__ for type_, kind in events.RUN_EVENTS.items()}
    assert ours == {type_: kind.__name__ for type_, kind in server.RUN_EVENTS.items()}
    assert events.FINAL_EVENTS == server.FINAL_EVENTS


def test_what_the_server_records_is_read_with_its_parts() -> None:
    written = recorded(server.ModelAnswered(
        order=1, turn=2, provider="p", model="m", text="", input_tokens=1, output_tokens=2, cost_usd="0.1",
        latency_ms=3, tool_calls=[server.WantedCall(id="a", name="search", arguments="{}")]))
    told = read(written.type, orjson.loads(written.data))

    assert isinstance(told, events.ModelAnswered)
    assert [(type(call), call.name) for call in told.tool_calls] == [(events.WantedCall, "search")]
    taken = recorded(server.StepTakenOver(order=1, run_id=UUID(int=7), output_key="w", output="x"))
    assert read(taken.type, orjson.loads(taken.data)).run_id == str(UUID(int=7))
    failed = read("step.failed", {"order": 1, "error": STOPPED})
    assert (failed.error, failed.error.next_step) == (events.Failure(STOPPED), "")
    assert read("step.cancelled", {"order": 1, "error": None}).error is None


def test_fields_that_older_events_lack_have_their_defaults_and_unknown_ones_are_left_out() -> None:
    told = read("step.completed", STEP | {"mood": "good"})

    assert (told.order, told.unpriced_calls, told.is_cut_off, hasattr(told, "mood")) == (2, 0, False, False)
    assert told == read("step.completed", STEP)
    assert told != read("step.completed", STEP | {"order": 3})
    assert "output='y'" in repr(told)


@pytest.mark.parametrize(("kind", "data"), [
    ("step.dreamt", {"order": 1}), ("step.completed", {"order": 1}), ("step.failed", {"order": 1, "error": "late"}),
])
def test_what_only_a_newer_server_tells_is_nothing_here(kind: str, data: dict[str, Any]) -> None:
    assert read(kind, data) is None
