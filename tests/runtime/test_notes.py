"""What the log says of an agent at work."""

import logging
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from automatos.agents.types import AgentConfiguration
from automatos.llm.types import ModelChoice
from automatos.runtime.runtime import notes_of
from automatos.runtime.types import RunInput, Turn
from tests.fakes.model_server import ModelServer, Reply
from tests.runtime.specs import agent
from tests.surface import Client, Make

RUN = UUID(int=1)
SECRET = "hunter2 and the plans of the harbour"
OPENING = RunInput(SECRET, SECRET, ModelChoice("openai", "m"), ("calculator",))
MODEL = Turn(RUN, 1, "model", {"text": SECRET, "tool_calls": [{"id": "c", "name": "calculator"}]}, 5, 2, 10, 40)
GOOD = Turn(RUN, 2, "tool", {"name": "calculator", "arguments": SECRET, "output": SECRET, "ok": True}, duration_ms=3)
BAD = Turn(RUN, 3, "tool", {"name": "calculator", "arguments": "{}", "output": "no", "ok": False}, error="tool_failed")

ERRORS = ["runs.failed"]
WARNINGS = ["runs.tool_failed", "runs.retrying", *ERRORS]
INFOS = WARNINGS
"""What goes well is told by the run's own line."""
TIMES = ["runs.turn_timed"] * 3
DETAILS = ["runs.started", "runs.finished", "runs.answered", "runs.tool_called", "runs.opened", "runs.answer_measured",
           "runs.call_measured", "runs.call_measured"]


def written(level: str, *, is_timed: bool = True) -> list[EventDict]:
    settings = AgentConfiguration.model_validate({"logging_level": level, "performance_monitoring": is_timed})
    notes = notes_of(agent(settings=settings))
    with capture_logs() as lines:
        notes.started(RUN, OPENING)
        notes.answered(MODEL)
        notes.called(GOOD)
        notes.called(BAD)
        notes.finished(RUN, duration_ms=50, tokens=7)
        notes.retrying(RUN, attempt=2, code="model_timeout", delay_s=1.5)
        notes.failed(RUN, "model_timeout")
    return list(lines)


@pytest.fixture(params=[logging.INFO])
def server_level(request: pytest.FixtureRequest) -> Iterator[int]:
    """The level that the server itself logs at."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(request.param))
    yield request.param
    structlog.configure(wrapper_class=before)


@pytest.mark.capability("S030")
@pytest.mark.usefixtures("server_level")
@pytest.mark.parametrize(("level", "events"), [
    ("error", ERRORS), ("warning", WARNINGS), ("info", INFOS), ("debug", INFOS + TIMES + DETAILS),
])
def test_an_agents_level_decides_what_is_noted_of_it(level: str, events: list[str]) -> None:
    lines = written(level)

    assert sorted(line["event"] for line in lines) == sorted(events)
    assert {(line["agent_id"], line["agent"], line["run_id"]) for line in lines} == {(7, "Ada", RUN)}


@pytest.mark.capability("S031")
@pytest.mark.usefixtures("server_level")
def test_times_of_turns_are_noted_only_while_they_are_monitored() -> None:
    timed = [line for line in written("debug") if line["event"] == "runs.turn_timed"]

    assert [(line["turn"], line["kind"], line["duration_ms"]) for line in timed] == [
        (1, "model", 40), (2, "tool", 3), (3, "tool", 0)]
    assert (timed[0]["input_tokens"], timed[0]["output_tokens"]) == (5, 2)
    assert not [line for line in written("debug", is_timed=False) if "duration_ms" in line]


@pytest.mark.capability("S030")
@pytest.mark.usefixtures("server_level")
def test_details_are_sizes_and_never_what_was_said() -> None:
    lines = written("debug")

    assert "hunter2" not in str(lines)
    sizes = {name: value for line in lines for name, value in line.items() if name.endswith("_chars")}
    assert sizes == {"prompt_chars": len(SECRET), "system_prompt_chars": len(SECRET), "text_chars": len(SECRET),
                     "argument_chars": 2, "output_chars": 2}


@pytest.mark.parametrize("server_level", [logging.ERROR], indirect=True)
def test_a_server_that_is_to_be_quiet_stays_quiet(server_level: int) -> None:
    assert server_level == logging.ERROR
    assert [line["event"] for line in written("debug")] == ERRORS


@pytest.mark.capability("S030")
@pytest.mark.capability("S031")
async def test_a_run_is_noted_as_its_agent_is_configured(client: Client, make: Make, model_server: ModelServer) -> None:
    chatty = {"logging_level": "debug", "performance_monitoring": False}
    agents = {name: await make.agent(name, tools=["calculator"], configuration=configuration)
              for name, configuration in (("Chatty", chatty), ("Silent", {"logging_level": "error"}))}
    model_server.script(*[
        Reply(tool_calls=[("calculator", {"expression": "1+1"})]), Reply(text=SECRET)] * 2)

    with capture_logs() as lines:
        for agent_ in agents.values():
            recipe = await make.recipe({"agent_id": agent_["id"], "prompt_template": SECRET})
            await client.cooked(recipe["template_id"])

    events = [line["event"] for line in lines if line.get("agent") == "Chatty"]
    assert events == ["runs.started", "runs.opened", "runs.answered", "runs.answer_measured", "runs.tool_called",
                      "runs.call_measured", "runs.answered", "runs.answer_measured", "runs.finished"]
    assert not [line for line in lines if line.get("agent") == "Silent"]
    assert "hunter2" not in str([line for line in lines if "agent" in line])
