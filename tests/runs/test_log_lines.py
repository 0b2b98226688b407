"""What the server's log says of runs at `info`: one line when each ends, however many steps and requests it had."""

import asyncio
import logging
from collections.abc import Iterator

import pytest
import structlog
from structlog.testing import capture_logs
from structlog.typing import EventDict

from automatos.events.service import recorded
from automatos.events.types import ExecutionStarted
from automatos.kernel.ids import new_id
from automatos.runs.service import note_end
from tests.fakes.model_calls import Reply
from tests.fakes.model_server import ModelServer
from tests.surface import Client, Make

SECRET = "hunter2 and the plans of the harbour"
NOT_OF_RUNS = ("durable.", "agents.", "skills.")


@pytest.fixture(autouse=True)
def _at_info() -> Iterator[None]:
    """The level that a server logs at when nobody says another."""
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    yield
    structlog.configure(wrapper_class=before)


def of_runs(lines: list[EventDict]) -> list[EventDict]:
    return [line for line in lines if line["log_level"] != "debug" and not line["event"].startswith(NOT_OF_RUNS)]


async def test_a_run_of_three_steps_with_a_tool_leaves_one_line(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "6*7"})]), match="Reckon")
    agent = await make.agent(tools=["calculator"])
    await client.cooked((await make.recipe("First"))["template_id"])  # which wire a provider has is told once
    recipe = await make.recipe({"prompt_template": f"Reckon {SECRET}", "agent_id": agent["id"]}, "Two", "Three")
    with capture_logs() as lines:
        run = await client.cooked(recipe["template_id"])

    assert [line["event"] for line in of_runs(list(lines))] == ["run.ended"]
    (line,) = of_runs(list(lines))
    assert {**line, "duration_ms": 0, "recipe_id": 0} == {
        "event": "run.ended", "log_level": "info", "run_id": run["id"], "recipe_id": 0, "status": "completed",
        "duration_ms": 0, "total_tokens": run["total_tokens"], "cost_usd": run["cost_usd"]}
    assert line["recipe_id"] > 0
    assert line["duration_ms"] >= run["duration_ms"] - 1


async def test_a_graph_and_a_run_that_is_cancelled_leave_one_line_each(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    graph = await make.recipe({"prompt_template": "One", "needs": []}, {"prompt_template": "Two", "needs": []},
                              {"prompt_template": "Both", "needs": ["s1", "s2"]})
    gate = asyncio.Event()
    model_server.script(Reply(text="late", gate=gate), match="Wait")
    slow = await make.recipe("Wait")
    with capture_logs() as lines:
        done = await client.cooked(graph["template_id"])
        run_id = await client.cook(slow["template_id"])
        await client.until_told(run_id, "step.started")
        assert (await client.post(f"/api/runs/{run_id}/cancel")).status == 202
        await client.follow(run_id)
    gate.set()

    assert [(line["event"], line["run_id"], line["status"]) for line in of_runs(list(lines))] == [
        ("run.ended", done["id"], "completed"), ("run.ended", run_id, "cancelled")]


async def test_a_run_that_fails_says_why_in_its_line_and_nothing_of_what_was_said(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=400, message=SECRET), match="Fail", repeat=True)
    recipe = await make.recipe(f"Fail {SECRET}")
    with capture_logs() as lines:
        run = await client.cooked(recipe["template_id"])

    ended = [line for line in of_runs(list(lines)) if line["event"] == "run.ended"]
    assert [(line["run_id"], line["status"], line["code"]) for line in ended] == [
        (run["id"], "failed", run["error"]["code"])]
    assert "hunter2" not in str(ended)


def test_what_does_not_end_a_run_leaves_no_line() -> None:
    with capture_logs() as lines:
        note_end(new_id(), None, recorded(ExecutionStarted()))
    assert lines == []
