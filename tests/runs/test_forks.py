"""New runs that take over what steps of an earlier one gave, and begin at a step."""

from pathlib import Path
from typing import Any

import pytest

from automatos.kernel.config import Settings
from automatos.runs.errors import ForkNotPossible
from automatos.runs.forking import carried_over
from tests.fakes.model_server import ModelServer, Reply
from tests.runs.sketch import graph
from tests.surface import Client, Make

CASES = {
    "the first step takes over nothing": ("a b<a c<b", "a b c", "a", ""),
    "a step takes over what comes before it": ("a b<a c<b", "a b c", "b", "a"),
    "the last step takes over all others": ("a b<a c<b", "a b c", "c", "a b"),
    "what is beside it is taken over": ("a b c<a,b", "a b c", "a", "b"),
    "what is beside it and not done is done again": ("a b c<b d<a,c", "a b", "a", "b"),
    "nothing is taken over behind what is done again": ("a b<a c<b d", "b c d", "d", ""),
}


@pytest.mark.parametrize("case", CASES)
def test_what_a_run_takes_over(case: str) -> None:
    written, done, start, taken = CASES[case]
    assert carried_over(graph(written), frozenset(done.split()), start) == taken.split()


@pytest.mark.parametrize(("start", "why"), [("x", "no step 'x' to begin at. It has: a, b, c"),
                                            ("c", "Step 'b' comes before 'c' and is not done")])
def test_a_run_begins_only_at_a_step_whose_beginnings_are_done(start: str, why: str) -> None:
    with pytest.raises(ForkNotPossible, match=why):
        carried_over(graph("a b<a c<b"), frozenset({"a"}), start)


async def fork(client: Client, run: dict[str, Any], step: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/runs/{run['id']}/fork", json={"from_step": step} | more)
    assert answer.status == 202, answer.body
    await client.follow(answer.json()["run_id"])
    return (await client.get(f"/api/runs/{answer.json()['run_id']}")).json()


def taken(run: dict[str, Any]) -> dict[str, str]:
    return {step["step_id"]: step["taken_over_from"] for step in run["steps"] if step["taken_over_from"]}


def asked(model_server: ModelServer) -> list[str]:
    return [call.last_user_text.split()[0] for call in model_server.calls]


LINE = [{"step_id": key, "prompt_template": f"{key} {{input.topic}} {before}"}
        for key, before in (("one", ""), ("two", "{step_1_output}"), ("three", "{step_2_output}"))]
GRAPH = [{"step_id": "left", "prompt_template": "left"}, {"step_id": "right", "prompt_template": "right", "needs": []},
         {"step_id": "join", "prompt_template": "join {step_1_output} {step_2_output}", "needs": ["left", "right"]},
         {"step_id": "end", "prompt_template": "end {step_3_output}"}]
INPUTS = {"topic": {"type": "string", "default": "tides"}}


@pytest.mark.parametrize(("steps", "start", "again"), [
    (LINE, "one", ["one", "two", "three"]), (LINE, "two", ["two", "three"]), (LINE, "three", ["three"]),
    (GRAPH, "left", ["left", "join", "end"]), (GRAPH, "right", ["right", "join", "end"]),
    (GRAPH, "join", ["join", "end"]), (GRAPH, "end", ["end"]),
], ids=lambda value: value if isinstance(value, str) else "")
async def test_only_the_step_and_what_follows_it_is_done_again(
    client: Client, make: Make, model_server: ModelServer, steps: list[dict[str, Any]], start: str, again: list[str]
) -> None:
    recipe = await make.recipe(*steps, inputs=INPUTS)
    run = await client.cooked(recipe["template_id"])
    before = {step["step_id"]: step["output"] for step in run["steps"]}
    model_server.reset()

    forked = await fork(client, run, start)

    assert (forked["status"], forked["forked_from"]) == ("completed", run["id"])
    assert sorted(asked(model_server)) == sorted(again)
    assert taken(forked) == dict.fromkeys(before.keys() - set(again), run["id"])
    assert {step["step_id"]: step["output"] for step in forked["steps"] if step["taken_over_from"]} == {
        key: before[key] for key in before.keys() - set(again)}
    assert forked["total_tokens"] == sum(call.tokens for call in model_server.calls)
    assert all(step["input_tokens"] == 0 and not step["turns"] for step in forked["steps"] if step["taken_over_from"])


async def test_what_was_taken_over_is_read_by_later_steps_and_told_first(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(*LINE, inputs=INPUTS)
    model_server.script(Reply(text="the first word"), match="one tides")
    run = await client.cooked(recipe["template_id"])

    forked = await fork(client, run, "two", input_data={"topic": "moons"})
    events = (await client.get(f"/api/runs/{forked['id']}/events.json")).json()["items"]

    assert model_server.calls[-2].last_user_text == "two moons <data>\nthe first word\n</data>"
    assert [event["type"] for event in events[:4]] == [
        "execution.queued", "step.taken_over", "execution.started", "step.started"]
    assert events[1]["data"] == {"order": 1, "path": "one", "run_id": run["id"], "output_key": "step_1",
                                 "output": "the first word", "is_skipped": False}
    assert forked["input_data"] == {"topic": "moons"}


async def test_a_failed_run_goes_on_at_the_step_that_failed_and_a_fork_can_be_forked(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(*LINE, inputs=INPUTS, execution_config={"max_retries": 0})
    model_server.script(Reply(status=400, message="no"), match="two")
    run = await client.cooked(recipe["template_id"])
    assert run["status"] == "failed"

    forked = await fork(client, run, "two")
    again = await fork(client, forked, "three")

    assert (forked["status"], again["status"]) == ("completed", "completed")
    assert taken(again) == {"one": run["id"], "two": forked["id"]}
    assert asked(model_server) == ["one", "two", "two", "three", "three"]


async def test_items_decisions_and_what_was_passed_over_are_taken_over(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"step_id": "each", "agent_id": None, "for_each": {"items": "input.rows"}},
        {"step_id": "row", "inside": "each", "prompt_template": "row {item}"},
        {"step_id": "pause", "agent_id": None, "wait": {"seconds": 1}, "needs": ["each"]},
        {"step_id": "never", "prompt_template": "never", "needs": ["pause"], "when": "false"},
        {"step_id": "bad", "prompt_template": "bad", "needs": ["pause"], "error_handling": "skip"},
        {"step_id": "end", "prompt_template": "end {step_1_output}", "needs": ["never", "bad"]},
        inputs={"rows": {"type": "array", "default": ["x", "y"]}}, execution_config={"max_retries": 0})
    model_server.script(Reply(status=400, message="no"), match="bad")
    run = await client.cooked(recipe["template_id"])
    model_server.reset()

    forked = await fork(client, run, "end")
    at_items = await fork(client, run, "each")

    assert (run["status"], forked["status"]) == ("completed_with_skips", "completed_with_skips")
    assert taken(forked).keys() == {"each", "pause", "never", "bad"}
    assert sorted(asked(model_server)) == ["bad", "end", "end", "row", "row"]
    assert model_server.calls[0].last_user_text == f"end <data>\n{run['steps'][0]['output']}\n</data>"
    assert at_items["status"] == "completed"


async def test_a_fork_runs_the_version_of_its_run(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe(*LINE, inputs=INPUTS)
    run = await client.cooked(recipe["template_id"])
    changed = {name: recipe[name] for name in ("name", "inputs")} | {
        "steps": [{"step_id": "other", "order": 1, "agent_id": recipe["steps"][0]["agent_id"],
                   "prompt_template": "other"}]}
    assert (await client.put(f"/api/workflow-recipes/{recipe['template_id']}", json=changed)).status == 200
    model_server.reset()

    forked = await fork(client, run, "three")

    assert (forked["recipe_version"], asked(model_server)) == (1, ["three"])


async def test_files_of_the_run_are_there_for_the_steps_that_follow(
    client: Client, make: Make, model_server: ModelServer, settings: Settings
) -> None:
    recipe = await make.recipe(*LINE, inputs=INPUTS)
    run = await client.cooked(recipe["template_id"])
    folder = settings.home / "executions" / run["workspace_id"]
    (folder / run["id"]).mkdir(parents=True, exist_ok=True)
    (folder / run["id"] / "notes.md").write_text("high water")

    forked = await fork(client, run, "three")

    assert (folder / forked["id"] / "notes.md").read_text() == "high water"


def folders(home: Path) -> set[Path]:
    return {path for each in (home / "executions").glob("*") for path in each.glob("*")}


async def test_the_same_key_forks_once_and_another_order_under_it_is_refused(
    client: Client, make: Make, model_server: ModelServer, settings: Settings
) -> None:
    run = await client.cooked((await make.recipe(*LINE, inputs=INPUTS))["template_id"])
    path, key = f"/api/runs/{run['id']}/fork", {"Idempotency-Key": "once"}
    first = await client.post(path, json={"from_step": "three"}, headers=key)
    before = folders(settings.home)
    second = await client.post(path, json={"from_step": "three"}, headers=key)
    other = await client.post(path, json={"from_step": "two"}, headers=key)

    assert second.json()["run_id"] == first.json()["run_id"]
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert folders(settings.home) == before
    await client.follow(first.json()["run_id"])


async def test_what_cannot_be_forked_is_refused_and_leaves_nothing(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe(
        {"step_id": "each", "agent_id": None, "for_each": {"items": "input.rows"}},
        {"step_id": "row", "inside": "each", "prompt_template": "row {item}"},
        {"step_id": "bad", "prompt_template": "bad"}, {"step_id": "end", "prompt_template": "end"},
        inputs={"rows": {"type": "array", "default": ["x"]}}, execution_config={"max_retries": 0})
    model_server.script(Reply(status=400, message="no"), match="bad")
    run = await client.cooked(recipe["template_id"])
    model_server.script(Reply(hang=True), match="row")
    working = await client.cook(recipe["template_id"])
    agent = await make.agent("Alone")
    task = (await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "Hello"})).json()["run_id"]
    await client.follow(task)
    before = (await client.get("/api/runs")).json()["total"]

    async def refused(run_id: str, step: str, **more: Any) -> str:
        answer = await client.post(f"/api/runs/{run_id}/fork", json={"from_step": step} | more)
        return answer.code + ": " + answer.json()["detail"]

    assert "no step 'x'" in await refused(run["id"], "x")
    assert "Begin at 'each'" in await refused(run["id"], "row")
    assert "'bad' comes before 'end'" in await refused(run["id"], "end")
    assert "not over" in await refused(working, "each")
    assert "one step" in await refused(task, "task")
    assert (await refused(run["id"], "bad", input_data={"lines": 1})).startswith("inputs_invalid")
    assert (await refused("0197b7a8-0000-7000-8000-000000000000", "bad")).startswith("run_not_found")
    await client.post(f"/api/runs/{working}/cancel")
    await client.follow(working)
    await client.post(f"/api/agents/{recipe['steps'][2]['agent_id']}/deactivate")
    assert (await refused(run["id"], "bad")).startswith("recipe_not_ready")
    await client.delete(f"/api/workflow-recipes/{recipe['template_id']}")
    assert (await refused(run["id"], "bad")).startswith("recipe_not_found")
    assert (await client.get("/api/runs")).json()["total"] == before
