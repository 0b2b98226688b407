"""Runs that are graphs where something is not as it should be, or comes twice, or too late."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.recipes.planning import plan_recipe
from automatos.runs import queries, steps
from automatos.runs.types import StepPath, step_key
from tests.fakes.model_server import ModelServer, Reply
from tests.lifecycle.lives import confirm
from tests.runs.test_graphs import outputs, run_of, statuses, until_waiting
from tests.surface import Client, Make

NOBODY: dict[str, Any] = {"agent_id": None}
ROWS = NOBODY | {"step_id": "rows"}


@pytest.mark.parametrize("answer", ['["a", "b"]', '```json\n["a", "b"]\n```'])
async def test_items_may_be_the_answer_of_a_step(
    client: Client, make: Make, model_server: ModelServer, answer: str
) -> None:
    model_server.script(Reply(text=answer), match="list them")
    recipe = await make.recipe(
        {"step_id": "list", "prompt_template": "list them"}, ROWS | {"for_each": {"items": "list"}},
        {"step_id": "each", "inside": "rows", "prompt_template": "do {item}"})

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "completed"
    assert sorted(call.last_user_text for call in model_server.calls[1:]) == [
        "do <data>\na\n</data>", "do <data>\nb\n</data>"]
    assert set(outputs(run)) == {"list", "rows", "rows[0].each", "rows[1].each"}


async def test_an_answer_that_is_no_list_fails_the_for_each_and_no_item_begins(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="nothing like it"), match="list them")
    recipe = await make.recipe(
        {"step_id": "list", "prompt_template": "list them"}, ROWS | {"for_each": {"items": "list"}},
        {"step_id": "each", "inside": "rows", "prompt_template": "do {item}"})

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "items_invalid")
    assert statuses(run) == {"list": "completed", "rows": "failed"}


async def test_a_for_each_without_items_is_over_at_once_and_so_is_one_whose_step_was_skipped(
    client: Client, make: Make
) -> None:
    recipe = await make.recipe(
        ROWS | {"for_each": {"items": "input.rows"}},
        {"step_id": "each", "inside": "rows", "prompt_template": "do {item}"},
        inputs={"rows": {"type": "array", "default": []}})

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], outputs(run)) == ("completed", {"rows": "[]"})


@pytest.mark.parametrize(("max_failures", "status"), [(0, "failed"), (1, "completed_with_skips")])
async def test_more_items_may_not_fail_than_may(
    client: Client, make: Make, model_server: ModelServer, max_failures: int, status: str
) -> None:
    model_server.script(Reply(status=400, body="no"), match="do b", repeat=True)
    recipe = await make.recipe(
        ROWS | {"for_each": {"items": "input.rows", "max_failures": max_failures}},
        {"step_id": "each", "inside": "rows", "prompt_template": "do {item}"},
        inputs={"rows": {"type": "array", "default": ["a", "b"]}})

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == status
    assert statuses(run)["rows[1].each"] == "failed"
    if status == "failed":
        assert run["error"]["code"] == "items_failed"


async def test_a_condition_without_an_answer_fails_its_step(client: Client, make: Make) -> None:
    recipe = await make.recipe({"step_id": "one", "prompt_template": "x", "when": "input.level > 3"},
                               inputs={"level": {"type": "string", "default": "high"}})

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "condition_failed")


async def test_a_question_that_is_too_long_fails_its_step(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="x" * 100_001), match="write")
    recipe = await make.recipe(
        {"step_id": "write", "prompt_template": "write"},
        NOBODY | {"step_id": "ok", "approval": {}, "prompt_template": "{step_1_output}"})

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "question_too_long")


async def test_the_time_of_the_whole_ends_a_run_whose_steps_do_not(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    one, two = (await make.agent())["id"], (await make.agent())["id"]
    model_server.script(Reply(hang=True), match="forever", repeat=True)
    recipe = await make.recipe(
        {"step_id": "a", "agent_id": one, "prompt_template": "forever"},
        {"step_id": "b", "agent_id": two, "prompt_template": "forever", "needs": []},
        execution_config={"total_timeout_s": 1})

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "total_timeout")
    assert set(statuses(run).values()) <= {"failed", "cancelled"}


async def test_a_run_of_steps_at_work_is_cancelled_once_however_often_it_is_asked(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(hang=True), match="forever", repeat=True)
    recipe = await make.recipe({"step_id": "a", "prompt_template": "forever", "needs": []})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await asyncio.gather(*(client.post(f"/api/runs/{run_id}/cancel") for _ in range(5)))
    events = await client.follow(run_id)

    assert [event["type"] for event in events].count("execution.cancelled") == 1
    assert statuses(await run_of(client, run_id)) == {"a": "cancelled"}


async def test_a_decision_that_comes_after_the_end_changes_nothing(client: Client, make: Make) -> None:
    recipe = await make.recipe(NOBODY | {"step_id": "ok", "approval": {}, "prompt_template": "Well?"})
    run_id = await client.cook(recipe["template_id"])
    order = (await until_waiting(client, run_id))["data"]["order"]
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(run_id)

    late = await client.post(f"/api/runs/{run_id}/steps/{order}/approve", json={})
    nowhere = await client.post(f"/api/runs/{run_id}/steps/99/approve", json={})

    assert (late.status, late.code) == (409, "step_not_waiting")
    assert (nowhere.status, nowhere.code) == (404, "step_not_found")


async def test_what_is_over_or_was_never_there_is_left_alone(
    client: Client, make: Make, database: Database
) -> None:
    recipe = await make.recipe({"step_id": "a", "prompt_template": "x", "needs": []},
                               NOBODY | {"step_id": "ok", "approval": {}, "prompt_template": "Well?"})
    run_id = UUID(await client.cook(recipe["template_id"]))
    await until_waiting(client, str(run_id))
    here, path, nobody = client.workspace_id, StepPath("a"), new_id()

    async with database.recording(here) as connection, connection.transaction():
        taken = await queries.take_step(connection, here, step_key(run_id, path))
        assert taken
        assert taken.row["path"] is None
        assert await steps.follow_untaken(connection, plan_recipe, taken, step_key(run_id, path)) is None
        assert await queries.take_step(connection, here, step_key(nobody, path)) is None
        assert await steps.cancel_run(connection, plan_recipe, here, nobody, "Ada") is None
        assert await steps.fail_run(connection, plan_recipe, here, nobody, {}) is None
        assert await queries.place_of(connection, here, run_id, 99) is None
        assert await queries.place_of(connection, here, run_id, 1) == (1, 5)
        with pytest.raises(LookupError):
            await steps.begin_run(connection, plan_recipe, here, nobody)
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(str(run_id))
    async with database.recording(here) as connection, connection.transaction():
        assert await steps.fail_run(connection, plan_recipe, here, run_id, {}) is None
        over = await steps.cancel_run(connection, plan_recipe, here, run_id, "Ada")
    assert over is not None
    assert (over.is_over, over.events) == (True, [])


async def test_a_wait_that_begins_beside_a_failure_is_cancelled_and_its_time_never_comes(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    model_server.script(Reply(text="nothing like it"), match="list them")
    recipe = await make.recipe(
        {"step_id": "list", "prompt_template": "list them"}, NOBODY | {"step_id": "pause", "wait": {"seconds": 86_400}},
        ROWS | {"for_each": {"items": "list"}, "needs": ["list"]},
        {"step_id": "each", "inside": "rows", "prompt_template": "do {item}"})

    run = await client.cooked(recipe["template_id"])

    assert statuses(run) == {"list": "completed", "pause": "cancelled", "rows": "failed"}
    async with database.recording(None) as connection:
        assert await connection.fetchval(
            "SELECT count(*) FROM durable.jobs WHERE key LIKE $1", f"{run['id']}/%") == 0


async def test_a_step_whose_agent_is_paused_waits_and_goes_on_where_it_was_while_the_others_work(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    one, two = await make.agent("Pauses", tools=["calculator"]), await make.agent("Works")
    gate = asyncio.Event()
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "1 + 1"})], gate=gate), match="count")
    recipe = await make.recipe(
        {"step_id": "a", "agent_id": one["id"], "prompt_template": "count"},
        {"step_id": "b", "agent_id": two["id"], "prompt_template": "work", "needs": []})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(2)

    await client.post(f"/api/agents/{one['id']}/pause")
    gate.set()
    waiting = (await until_waiting(client, run_id))["data"]
    await client.post(f"/api/agents/{one['id']}/resume")
    await client.follow(run_id)
    run = await run_of(client, run_id)

    assert (waiting["until"], waiting["path"]) == ("agent", "a")
    assert statuses(run) == {"a": "completed", "b": "completed"}
    assert [call.last_user_text for call in model_server.calls].count("count") == 2


async def test_a_step_whose_agent_is_stopped_fails_and_one_that_waited_for_it_too(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Stops", configuration={"max_concurrent_tasks": 1})
    model_server.script(Reply(hang=True), match="side", repeat=True)
    recipe = await make.recipe(
        {"step_id": "a", "agent_id": agent["id"], "prompt_template": "left side", "error_handling": "skip"},
        {"step_id": "b", "agent_id": agent["id"], "prompt_template": "right side", "needs": [],
         "error_handling": "skip"})
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)

    await confirm(client, agent["id"], "inactive", shutdown_type="immediate")
    await client.follow(run_id)
    run = await run_of(client, run_id)

    assert run["status"] == "completed_with_skips"
    assert statuses(run) == {"a": "skipped", "b": "skipped"}
    assert {step["error"]["code"] for step in run["steps"]} == {"agent_stopped"}
    assert len(model_server.calls) == 1
