"""Recipes that are more than a line: steps at once, joins, conditions, for-each, approvals, waiting."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make, add_key


def outputs(run: dict[str, Any]) -> dict[str, str | None]:
    return {step["path"] or step["step_id"]: step["output"] for step in run["steps"]}


def statuses(run: dict[str, Any]) -> dict[str, str]:
    return {step["path"] or step["step_id"]: step["status"] for step in run["steps"]}


async def agents(make: Make, *names: str, **fields: Any) -> list[int]:
    return [(await make.agent(name, **fields))["id"] for name in names]


async def run_of(client: Client, run_id: str) -> dict[str, Any]:
    return (await client.get(f"/api/runs/{run_id}")).json()


def most_items_at_once(events: list[dict[str, Any]], last: str) -> int:
    """Return how many items were under way at once, between the beginning of their first and the end of their last."""
    paths: dict[int, str] = {}
    under_way: set[str] = set()
    most = 0
    for event in events:
        data = event["data"]
        if event["type"] == "step.started" and "[" in (data.get("path") or ""):
            paths[data["order"]] = data["path"]
            under_way.add(data["path"].partition("]")[0])
        path = data.get("path") or paths.get(data.get("order"), "")
        if event["type"] in {"step.failed", "step.skipped"} or (
                event["type"] == "step.completed" and path.endswith(last)):
            under_way.discard(path.partition("]")[0])
        most = max(most, len(under_way))
    return most


async def until_waiting(client: Client, run_id: str) -> dict[str, Any]:
    """Follow a run until a step of it waits, and return the event."""
    after = 0
    while True:
        page = (await client.get(f"/api/runs/{run_id}/events.json?after={after}")).json()["items"]
        if found := next((event for event in page if event["type"] == "step.waiting"), None):
            return found
        after = page[-1]["seq"] if page else after
        await asyncio.sleep(0.02)


@pytest.mark.capability("S140", partly="By a plan in steps; agents that divide a task among themselves come later.")
async def test_two_steps_are_at_work_at_once_and_a_third_joins_them(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    one, two, three = await agents(make, "Left", "Right", "Join")
    gate = asyncio.Event()
    model_server.script(Reply(text="L", gate=gate), match="the left side")
    model_server.script(Reply(text="R", gate=gate), match="the right side")
    recipe = await make.recipe(
        {"step_id": "left", "agent_id": one, "prompt_template": "the left side", "output_key": "l"},
        {"step_id": "right", "agent_id": two, "prompt_template": "the right side", "output_key": "r", "needs": []},
        {"step_id": "join", "agent_id": three, "prompt_template": "both: {l} {r}", "needs": ["left", "right"]},
    )

    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(2)
    assert statuses(await run_of(client, run_id)) == {"left": "running", "right": "running"}
    gate.set()
    events = await client.follow(run_id)
    run = await run_of(client, run_id)

    assert run["status"] == "completed"
    assert len(model_server.calls) == 3
    assert "<data>\nL\n</data>" in model_server.calls[2].last_user_text
    assert "<data>\nR\n</data>" in model_server.calls[2].last_user_text
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert run["total_tokens"] == sum(step["input_tokens"] + step["output_tokens"] for step in run["steps"]) > 0


async def test_a_condition_chooses_the_way_and_a_join_behind_both_ways_runs(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="urgent"), match="judge it")
    recipe = await make.recipe(
        {"step_id": "judge", "prompt_template": "judge it"},
        {"step_id": "fast", "prompt_template": "fast", "needs": ["judge"],
         "when": 'steps.judge.output == "urgent" && input.yes'},
        {"step_id": "slow", "prompt_template": "slow", "needs": ["judge"], "when": 'steps.judge.output != "urgent"'},
        {"step_id": "after-slow", "prompt_template": "after", "needs": ["slow"]},
        {"step_id": "end", "prompt_template": "end", "needs": ["fast", "after-slow"]},
        inputs={"yes": {"type": "boolean", "default": True}},
    )

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "completed"
    assert statuses(run) == {"judge": "completed", "fast": "completed", "slow": "skipped", "after-slow": "skipped",
                             "end": "completed"}
    assert next(step for step in run["steps"] if step["step_id"] == "slow")["error"]["code"] == "step_not_needed"


async def test_a_failure_stops_the_steps_beside_it(client: Client, make: Make, model_server: ModelServer) -> None:
    one, two = await agents(make, "Works", "Breaks")
    gate = asyncio.Event()
    model_server.script(Reply(text="never", gate=gate), match="long work")
    model_server.script(Reply(status=400, body="no"), match="breaks", repeat=True)
    recipe = await make.recipe(
        {"step_id": "long", "agent_id": one, "prompt_template": "long work"},
        {"step_id": "short", "agent_id": two, "prompt_template": "hold on", "needs": []},
        {"step_id": "bad", "agent_id": two, "prompt_template": "breaks", "needs": ["short"]},
        {"step_id": "last", "agent_id": two, "prompt_template": "never asked", "needs": ["long", "bad"]},
    )

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "failed"
    assert statuses(run) == {"long": "cancelled", "short": "completed", "bad": "failed"}
    assert run["error"]["code"] == next(s for s in run["steps"] if s["step_id"] == "bad")["error"]["code"]
    await model_server.wait_for(lambda: all(call.finished or call.disconnected for call in model_server.calls))


async def test_a_failure_that_is_skipped_lets_the_others_go_on(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=400, body="no"), match="breaks", repeat=True)
    recipe = await make.recipe(
        {"step_id": "bad", "prompt_template": "breaks", "error_handling": "skip"},
        {"step_id": "good", "prompt_template": "works", "needs": []},
        {"step_id": "end", "prompt_template": "end with {step_1_output}", "needs": ["bad", "good"]},
    )

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "completed_with_skips"
    assert statuses(run) == {"bad": "skipped", "good": "completed", "end": "completed"}
    assert "(step bad was skipped)" in model_server.calls[-1].last_user_text


async def test_cancel_ends_all_that_runs_and_all_that_waits(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    one, two = await agents(make, "One", "Two")
    gate = asyncio.Event()
    model_server.script(Reply(text="never", gate=gate), match="side", repeat=True)
    recipe = await make.recipe(
        {"step_id": "left", "agent_id": one, "prompt_template": "left side"},
        {"step_id": "right", "agent_id": two, "prompt_template": "right side", "needs": []},
        {"step_id": "ask", "agent_id": None, "approval": {}, "prompt_template": "go on?", "needs": []},
        {"step_id": "end", "prompt_template": "end", "needs": ["left", "right", "ask"]},
    )
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(2)

    answer = await client.post(f"/api/runs/{run_id}/cancel")
    events = await client.follow(run_id)
    again = await client.post(f"/api/runs/{run_id}/cancel")
    run = await run_of(client, run_id)

    assert (answer.status, again.status) == (202, 202)
    assert run["status"] == "cancelled"
    assert statuses(run) == {"left": "cancelled", "right": "cancelled", "ask": "cancelled"}
    assert events[-1]["data"]["by"]
    await model_server.wait_for(lambda: all(call.disconnected for call in model_server.calls))


async def test_a_for_each_does_its_steps_for_every_item_so_many_at_once(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Checker", configuration={"max_concurrent_tasks": 10})
    recipe = await make.recipe(
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows", "concurrency": 2}},
        {"step_id": "check", "agent_id": agent["id"], "inside": "rows", "prompt_template": "check {item} at {index}",
         "output_key": "checked"},
        {"step_id": "fix", "agent_id": agent["id"], "inside": "rows", "prompt_template": "fix {checked}",
         "when": 'item != "b"'},
        {"step_id": "end", "prompt_template": "all: {previous_output}"},
        inputs={"rows": {"type": "array", "required": True}},
    )
    for item in "abc":
        model_server.script(Reply(text=f"{item}!"), match=f"check {item}")
        model_server.script(Reply(text=f"{item}?"), match=f"{item}!")

    run_id = await client.cook(recipe["template_id"], rows=["a", "b", "c"])
    events = await client.follow(run_id)
    run = await run_of(client, run_id)

    assert run["status"] == "completed"
    assert most_items_at_once(events, last="fix") <= 2
    assert outputs(run)["rows"] == '["a?",null,"c?"]'
    assert statuses(run)["rows[1].fix"] == "skipped"
    assert '["a?",null,"c?"]' in model_server.calls[-1].last_user_text
    assert "check c at 2" in {call.last_user_text for call in model_server.calls}


async def test_an_approval_holds_the_run_until_somebody_who_may_decides(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    model_server.script(Reply(text="A bold text."), match="write it")
    recipe = await make.recipe(
        {"step_id": "draft", "prompt_template": "write it", "output_key": "draft"},
        {"step_id": "ok", "agent_id": None, "approval": {"role": "admin"}, "prompt_template": "Publish {draft}?",
         "output_key": "said"},
        {"step_id": "publish", "prompt_template": "publish; they said {said}"},
    )
    run_id = await client.cook(recipe["template_id"])
    waiting = (await until_waiting(client, run_id))["data"]
    editor = {"X-API-Key": await add_key(database, client.workspace_id, "editor")}
    run = await run_of(client, run_id)
    address = f"/api/runs/{run_id}/steps/{waiting['order']}"

    assert (run["status"], statuses(run)["ok"]) == ("waiting", "waiting")
    assert waiting["until"] == "approval"
    assert waiting["question"] == "Publish A bold text.?"  # as people read it: without the marks meant for models
    refused = await client.post(f"{address}/approve", json={}, headers=editor)
    assert (refused.status, refused.code) == (403, "approval_not_allowed")
    not_that = await client.post(f"/api/runs/{run_id}/steps/1/approve", json={})
    assert (not_that.status, not_that.code) == (409, "step_not_waiting")
    approved = await client.post(f"{address}/approve", json={"comment": "Do it."})
    assert approved.status == 200, approved.body
    events = await client.follow(run_id)
    late = await client.post(f"{address}/reject", json={})

    assert (late.status, late.code) == (409, "step_already_decided")
    run = await run_of(client, run_id)
    ends = [event["data"] for event in events if event["type"] == "step.completed"]
    took = {end["order"]: end["duration_ms"] for end in ends}
    assert run["status"] == "completed"
    assert took[2] == run["steps"][1]["duration_ms"] > 0, "waiting is time, too"
    assert "Do it." in model_server.calls[-1].last_user_text
    assert [event["type"] for event in events if event["type"].startswith(("step.d", "step.w", "execution"))] == [
        "execution.queued", "execution.started", "step.waiting", "execution.resumed", "step.decided",
        "execution.completed"]


async def test_a_refused_approval_fails_the_run(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe(
        {"step_id": "ok", "agent_id": None, "approval": {}, "prompt_template": "Begin?"}, "begin")
    run_id = await client.cook(recipe["template_id"])
    order = (await until_waiting(client, run_id))["data"]["order"]

    await client.post(f"/api/runs/{run_id}/steps/{order}/reject", json={"comment": "Not today."})
    await client.follow(run_id)
    run = await run_of(client, run_id)

    assert (run["status"], run["error"]["code"]) == ("failed", "approval_refused")
    assert "Not today." in run["error"]["message"]
    assert model_server.calls == []


async def test_nobody_of_another_workspace_decides_or_learns_of_it(
    client: Client, make: Make, stranger: Client
) -> None:
    recipe = await make.recipe({"step_id": "ok", "agent_id": None, "approval": {}, "prompt_template": "Begin?"})
    run_id = await client.cook(recipe["template_id"])
    order = (await until_waiting(client, run_id))["data"]["order"]

    answer = await stranger.post(f"/api/runs/{run_id}/steps/{order}/approve", json={})
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(run_id)

    assert (answer.status, answer.code) == (404, "step_not_found")


async def test_a_wait_goes_on_by_itself_and_an_approval_ends_when_nobody_decides(client: Client, make: Make) -> None:
    recipe = await make.recipe(
        {"step_id": "pause", "agent_id": None, "wait": {"seconds": 1}},
        {"step_id": "ok", "agent_id": None, "approval": {"timeout_s": 1}, "prompt_template": "Well?"},
    )

    run = await client.cooked(recipe["template_id"])

    assert statuses(run) == {"pause": "completed", "ok": "failed"}
    assert run["error"]["code"] == "approval_timeout"


@pytest.mark.parametrize(("step", "field"), [
    ({"approval": {}, "prompt_template": ""}, "prompt_template"), ({}, "agent_id"),
    ({"approval": {"role": "x"}}, "role"),
    ({"wait": {"seconds": 0}}, "seconds"), ({"for_each": {"items": ""}}, "items"), ({"needs": ["a b"]}, "needs"),
    ({"when": "x" * 501}, "when"), ({"for_each": {"items": "x", "concurrency": 101}}, "concurrency"),
])
async def test_a_wrong_field_of_such_a_step_is_named(client: Client, step: dict[str, Any], field: str) -> None:
    whole = {"step_id": "s1", "order": 1, "prompt_template": "Do it."} | step

    answer = await client.post("/api/workflow-recipes", json={"template_id": "bad", "name": "Bad", "steps": [whole]})

    assert (answer.status, answer.code) == (422, "invalid_request"), answer.body
    assert any(field in error["field"] for error in answer.json()["errors"]), answer.body


@pytest.mark.parametrize(("steps", "where"), [
    ([{"needs": ["nothing"]}], "steps[0].needs"),
    ([{"when": "steps.later.output == 1"}, {"step_id": "later"}], "steps[0].when"),
    ([{"when": "1 +"}], "steps[0].when"),
    ([{"needs": ["s2"]}, {"needs": ["s1"]}], "steps[0].needs"),
    ([{"inside": "s2"}, {}], "steps[0].inside"),
    ([{"agent_id": None, "for_each": {"items": "input.none"}}, {"inside": "s1"}], "steps[0].for_each.items"),
    ([{"agent_id": None, "for_each": {"items": "input.rows"}}], "steps[0]"),
    ([{"approval": {}}], "steps[0].agent_id"),
    ([{"agent_id": None, "approval": {}, "wait": {"seconds": 1}}], "steps[0].wait"),
    ([{"needs": []}, {"needs": [], "prompt_template": "{step_1_output}"}], "steps[1].prompt_template"),
])
async def test_what_cannot_run_is_refused_with_its_place(
    client: Client, make: Make, steps: list[dict[str, Any]], where: str
) -> None:
    agent = await make.agent()
    whole = [{"step_id": f"s{n}", "order": n, "agent_id": agent["id"], "prompt_template": "Do it."} | step
             for n, step in enumerate(steps, start=1)]
    body = {"template_id": "bad", "name": "Bad", "steps": whole, "inputs": {"rows": {"type": "array"}}}

    answer = await client.post("/api/workflow-recipes", json=body)

    assert (answer.status, answer.code) == (422, "recipe_invalid"), answer.body
    assert where in [fault["where"] for fault in answer.json()["faults"]], answer.json()["faults"]


async def test_a_decision_that_ends_the_last_item_is_part_of_what_the_items_gave(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows"}},
        {"step_id": "ok", "agent_id": None, "inside": "rows", "approval": {}, "prompt_template": "{item}?"},
        {"step_id": "end", "prompt_template": "end {step_1_output}", "needs": ["rows"]},
        inputs={"rows": {"type": "array", "default": ["x", "y"]}})
    run_id = await client.cook(recipe["template_id"])
    await until_waiting(client, run_id)
    for step in (await run_of(client, run_id))["steps"]:
        if step["path"].startswith("rows["):
            await client.post(f"/api/runs/{run_id}/steps/{step['order']}/approve", json={"comment": step["path"]})

    await client.follow(run_id)

    assert (await run_of(client, run_id))["steps"][0]["output"] == '["rows[0].ok","rows[1].ok"]'


async def test_what_begins_in_the_moment_in_which_a_step_ends_reads_its_output(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"step_id": "first", "agent_id": None, "approval": {}, "prompt_template": "Begin?", "output_key": "said"},
        {"step_id": "second", "agent_id": None, "approval": {}, "prompt_template": "They said {said}. Go on?"},
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows"}},
        {"step_id": "row", "inside": "rows", "prompt_template": "row {item}"},
        {"step_id": "again", "agent_id": None, "for_each": {"items": "rows"}, "needs": ["rows"]},
        {"step_id": "last", "inside": "again", "prompt_template": "last {item}"},
        inputs={"rows": {"type": "array", "default": ["x", "y"]}})
    model_server.script(Reply(text="made"), match="row ", repeat=True)
    run_id = await client.cook(recipe["template_id"])
    await until_waiting(client, run_id)
    await client.post(f"/api/runs/{run_id}/steps/1/approve", json={"comment": "yes"})

    asked = (await run_of(client, run_id))["steps"][1]["prompt"]
    await client.post(f"/api/runs/{run_id}/steps/2/approve", json={})
    await client.follow(run_id)

    assert asked == "They said yes. Go on?"
    assert [call.last_user_text for call in model_server.calls[2:]] == ["last <data>\nmade\n</data>"] * 2
