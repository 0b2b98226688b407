"""Each type of event has one home, and everything that makes, describes or reads events follows it."""

import ast
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args
from uuid import UUID

import orjson
import pytest
from fastapi import FastAPI

from automatos.events import types as events
from automatos.events.service import read, recorded
from automatos.events.types import FINAL_EVENTS, RUN_EVENTS
from automatos.llm.types import AnswerEnd
from automatos.recipes.types import FINAL, ExecutionKind, StepStatus
from tests.recorded_events import faults

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src/automatos"
WEB = ROOT / "web"
STARTED = events.StepStarted(order=1, step_id="s1", agent_id=7, agent_name="Scout", attempt=1, run_id=UUID(int=1),
                             prompt="Go", provider="openai", model="m")


def made() -> Iterator[tuple[str, str]]:
    """Every call in the server, as the file and the last name of what is called."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Attribute | ast.Name):
                yield str(path.relative_to(SOURCE)), node.attr if isinstance(node, ast.Attribute) else node.id


def test_an_event_is_written_in_one_place_and_every_type_is_made_somewhere() -> None:
    calls = list(made())
    assert {path for path, name in calls if name == "NewEvent"} <= {
        "durable/types.py", "events/service.py", "recipes/begin.py", "recipes/journal.py",
        "recipes/pending.py", "recipes/queries/executions.py", "recipes/queries/graph_runs.py", "recipes/types.py",
        "runs/notes.py", "runs/queries.py"}
    makers = {name for path, name in calls if path.startswith(("recipes/", "runs/", "runtime/"))}
    assert {kind.__name__ for kind in RUN_EVENTS.values()} - makers == set()


def test_nothing_but_the_model_spells_a_type() -> None:
    # Other files of the web app compare with a type; there the compiler knows the types of the description.
    spelled = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in [*SOURCE.rglob("*.py"), WEB / "src/lib/live/events.ts"]
        if path not in {SOURCE / "events/types.py", SOURCE / "events/endings.py", SOURCE / "client/events.py"}
        for name in RUN_EVENTS if f'"{name}"' in path.read_text("utf-8") or f"'{name}'" in path.read_text("utf-8")
    ]
    assert spelled == []


def test_the_words_in_events_are_those_of_their_packages() -> None:
    hints: dict[str, Any] = {each.name: each.type for each in fields(events.ModelAnswered)}
    assert set(get_args(get_args(get_args(hints["end"])[0])[0])) == set(AnswerEnd)
    kinds: dict[str, Any] = {each.name: each.type for each in fields(events.ExecutionQueued)}
    assert get_args(get_args(kinds["kind"])[0]) == get_args(ExecutionKind)
    assert {f"execution.{status}" for status in FINAL} == FINAL_EVENTS
    over = {StepStatus.COMPLETED, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELLED}
    assert {f"step.{status}" for status in over} <= RUN_EVENTS.keys()


def test_the_description_tells_every_type_apart_and_describes_every_field(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    mapping = schemas["RunEvent"]["discriminator"]["mapping"]
    assert mapping.keys() == RUN_EVENTS.keys()
    for type_, kind in RUN_EVENTS.items():
        whole = schemas[mapping[type_].rpartition("/")[2]]
        assert whole["properties"]["type"]["const"] == type_
        assert whole["properties"]["data"]["$ref"].endswith(f"/{kind.__name__}")
        assert schemas[kind.__name__].get("required", []) == [
            each.name for each in fields(kind) if each.default is MISSING]
        assert schemas[kind.__name__]["properties"].keys() == {each.name for each in fields(kind)}


def test_every_field_of_an_event_is_described(app: FastAPI) -> None:
    schemas = app.openapi()["components"]["schemas"]
    parts = [kind.__name__ for kind in (*RUN_EVENTS.values(), events.QueuedStep, events.WantedCall, events.Failure)]
    silent = [f"{part}.{name}" for part in parts for name, field in schemas[part].get("properties", {}).items()
              if not field.get("description")]
    assert silent == []


def held_by(path: dict[str, Any]) -> Any:
    """What the data of a stream's events is."""
    stream = path["get"]["responses"]["200"]["content"]["text/event-stream"]
    return stream["itemSchema"]["properties"]["data"]["contentSchema"]


def test_streams_and_the_stored_log_are_described_by_the_union(app: FastAPI) -> None:
    paths, union = app.openapi()["paths"], {"$ref": "#/components/schemas/RunEvent"}
    assert held_by(paths["/api/runs/{run_id}/events"]) == union
    assert held_by(paths["/api/events"]) == {"$ref": "#/components/schemas/TopicEvent"}
    assert app.openapi()["components"]["schemas"]["EventPage"]["properties"]["items"]["items"] == union


def test_what_may_be_missing_and_is_not_known_is_left_out() -> None:
    assert "timeout_s" not in orjson.loads(recorded(STARTED).data)
    assert orjson.loads(recorded(events.StepDelta(order=1, turn=2, text="a")).data) == {
        "order": 1, "turn": 2, "text": "a"}
    assert orjson.loads(recorded(events.StepCancelled(order=1, error=None)).data) == {"order": 1, "error": None}
    assert orjson.loads(recorded(STARTED).data)["run_id"] == str(UUID(int=1))


def test_what_was_recorded_is_read_as_it_was_made() -> None:
    for made_of in (STARTED, events.ExecutionStarted(), events.StepDelta(order=1, turn=1, text="a", reasoning="b")):
        written = recorded(made_of)
        assert faults([(written.type, written.data)]) == []
        assert read(written.type, orjson.loads(written.data)) == made_of


BEFORE = {
    "step.started": {"order": 1, "step_id": "s1", "agent_id": 7, "agent_name": "Scout", "attempt": 1,
                     "run_id": str(UUID(int=1)), "prompt": "Go", "provider": "openai", "model": "m"},
    "model.answered": {"order": 1, "turn": 1, "provider": "openai", "model": "m", "text": "Hello", "tool_calls": [],
                       "input_tokens": 3, "output_tokens": 1, "cost_usd": None, "latency_ms": 80},
    "step.completed": {"order": 1, "output_key": "a", "output": "Hello", "input_tokens": 3, "output_tokens": 1,
                       "cost_usd": "0.000100", "duration_ms": 90},
    "execution.queued": {"recipe_id": "r", "recipe_name": "R", "recipe_version": 1, "total_steps": 0, "steps": []},
    "execution.completed": {"total_tokens": 4, "cost_usd": "0.000100", "duration_ms": 90, "agents": 1,
                            "steps_completed": 1, "final_output": "Hello"},
}
"""Events as the first version recorded them; they lie in databases for good."""


@pytest.mark.parametrize("type_", BEFORE)
def test_events_of_the_first_version_are_events_still(type_: str) -> None:
    assert faults([(type_, orjson.dumps(BEFORE[type_]))]) == []
    assert read(type_, BEFORE[type_]) is not None


def test_a_reader_passes_over_what_only_a_newer_version_knows() -> None:
    assert read("step.dreamt", {"order": 1}) is None
    assert read("step.restarted", {"order": 1, "turn": {"a": "newer shape"}}) is None
    assert read("step.restarted", {"order": 1, "turn": 2, "more": True}) == events.StepRestarted(order=1, turn=2)


def test_the_judge_of_logs_finds_a_wrong_type_field_and_value() -> None:
    found = faults([
        ("step.dreamt", "{}"), ("step.restarted", '{"order": 1, "turn": 2, "mood": 3}'),
        ("step.restarted", '{"order": "1", "turn": 2}'), ("step.restarted", '{"order": 1}'),
    ])
    assert [each.partition(":")[0] for each in found] == [
        "step.dreamt is no type of event", "step.restarted.mood", "step.restarted.order", "step.restarted.turn"]
