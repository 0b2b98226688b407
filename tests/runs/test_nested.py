"""A step runs another recipe: begun once, its end is the step's, what is asked of the run reaches it, counted once."""

import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.runs.test_graphs import run_of, statuses
from tests.runs.test_pausing import jobs
from tests.surface import Client, Make

MAY = {"step_id": "may", "order": 1, "agent_id": None, "approval": {}, "prompt_template": "May it?"}


def runs(recipe: dict[str, Any], step_id: str = "sub", **fields: Any) -> dict[str, Any]:
    """A step that runs a recipe."""
    inputs = fields.pop("inputs", {})
    return {"step_id": step_id, "agent_id": None, "run": {"recipe": recipe["template_id"], "inputs": inputs}} | fields


def child_of(run: dict[str, Any], key: str = "sub") -> dict[str, Any]:
    return next(step["child"] for step in run["steps"] if (step["path"] or step["step_id"]) == key)


async def until_child(client: Client, run_id: str, key: str = "sub") -> str:
    async with asyncio.timeout(60):
        while True:
            steps = (await run_of(client, run_id))["steps"]
            if found := [step["child"] for step in steps if step["step_id"] == key and step["child"]]:
                return found[0]["run_id"]
            await asyncio.sleep(0.02)


async def until(client: Client, run_id: str, status: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while (run := await run_of(client, run_id))["status"] != status:
            await asyncio.sleep(0.02)
    return run


async def test_a_step_runs_a_recipe_with_inputs_that_are_filled_in_and_gives_what_it_gives(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text='["red","blue"]'), match="list colours of sky")
    model_server.script(Reply(text="mixed"), match="mix")
    child = await make.recipe(
        "mix {input.colours} for {input.whom}, {input.note}", outputs={"colour": {"type": "string", "from": "step_1"}},
        inputs={"colours": {"type": "array", "required": True}, "whom": {"type": "string"}, "note": {"type": "string"}})
    parent = await make.recipe(
        {"step_id": "list", "prompt_template": "list colours of {input.what}", "output_key": "list_out"},
        runs(child, inputs={"colours": "{previous_output}", "whom": "the {input.what}", "note": "{list_out}"}),
        {"step_id": "tell", "prompt_template": "tell of {previous_output}"},
        inputs={"what": {"type": "string"}})

    run_id = await client.cook(parent["template_id"], what="sky")
    events = await client.follow(run_id)
    run = await run_of(client, run_id)
    inner = await run_of(client, child_of(run)["run_id"])

    assert run["status"] == "completed"
    assert child_of(run) == {"run_id": inner["id"], "recipe_id": child["template_id"], "recipe_version": 1,
                             "status": "completed"}
    assert (inner["parent"]["run_id"], inner["parent"]["path"]) == (run_id, "sub")
    assert (inner["triggered_by"], inner["recipe_id"]) == (run["triggered_by"], child["template_id"])
    assert inner["input_data"] == {"colours": ["red", "blue"], "whom": "the sky", "note": '["red","blue"]'}
    asked = next(call.last_user_text for call in model_server.calls if call.last_user_text.startswith("mix"))
    assert "for the sky," in asked
    assert '<data>\n["red","blue"]\n</data>' in asked  # what a model wrote is no order here either
    sub = next(step for step in run["steps"] if step["step_id"] == "sub")
    assert json.loads(sub["output"]) == {"colour": "mixed"}
    waiting = next(event["data"] for event in events if event["type"] == "step.waiting")
    assert (waiting["until"], waiting["child_run_id"], waiting["recipe_version"]) == ("run", inner["id"], 1)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))


async def test_what_a_run_under_a_run_used_is_counted_in_both_once(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    child = await make.recipe("one", "two")
    middle = await make.recipe(runs(child), "three")
    run = await client.cooked((await make.recipe("four", runs(middle)))["template_id"])
    of_middle = await run_of(client, child_of(run)["run_id"])
    of_child = await run_of(client, child_of(of_middle)["run_id"])

    assert of_child["total_tokens"] > 0
    for each in (run, of_middle, of_child):
        assert each["total_tokens"] == sum(step["input_tokens"] + step["output_tokens"] for step in each["steps"])
    assert of_middle["total_tokens"] > of_child["total_tokens"]
    assert run["total_tokens"] > of_middle["total_tokens"]
    assert len(model_server.calls) == 4


async def test_a_recipe_that_fails_fails_the_step_with_its_reason(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=400, body="no"), match="break", repeat=True)
    child = await make.recipe("break", execution_config={"max_retries": 0})
    run = await client.cooked((await make.recipe(runs(child), "after"))["template_id"])
    inner = await run_of(client, child_of(run)["run_id"])

    assert (run["status"], inner["status"]) == ("failed", "failed")
    assert run["error"] == inner["error"]
    assert next(step for step in run["steps"] if step["step_id"] == "sub")["error"] == inner["error"]

    passed = await client.cooked((await make.recipe(runs(child, error_handling="skip"), "after"))["template_id"])
    assert (passed["status"], statuses(passed)) == ("completed_with_skips", {"sub": "skipped", "s2": "completed"})


async def test_to_cancel_a_run_cancels_the_one_under_it_and_counts_what_that_used(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="x", gate=gate), match="second")
    child = await make.recipe("first", "second")
    run_id = await client.cook((await make.recipe(runs(await make.recipe(runs(child)))))["template_id"])
    await model_server.wait_for_calls(2)

    assert (await client.post(f"/api/runs/{run_id}/cancel")).status == 202
    events = await client.follow(run_id)
    gate.set()
    run = await run_of(client, run_id)
    middle = await run_of(client, child_of(run)["run_id"])
    inner = await run_of(client, child_of(middle)["run_id"])

    assert events[-1]["type"] == "execution.cancelled"
    assert [each["status"] for each in (run, middle, inner)] == ["cancelled"] * 3
    assert run["total_tokens"] == middle["total_tokens"] == inner["total_tokens"] > 0


async def test_a_run_that_is_cancelled_alone_fails_the_step_that_started_it(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="x", gate=gate), match="wait here")
    run_id = await client.cook((await make.recipe(runs(await make.recipe("wait here"))))["template_id"])
    await model_server.wait_for_calls(1)

    await client.post(f"/api/runs/{await until_child(client, run_id)}/cancel")
    await client.follow(run_id)
    gate.set()

    run = await run_of(client, run_id)
    assert (run["status"], run["error"]["code"]) == ("failed", "run_cancelled")


async def test_to_pause_and_resume_a_run_reaches_the_one_under_it(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    model_server.script(Reply(text="x", gate=gate), match="first")
    run_id = await client.cook((await make.recipe(runs(await make.recipe("first", "second"))))["template_id"])
    await model_server.wait_for_calls(1)
    inner = await until_child(client, run_id)

    assert (await client.post(f"/api/runs/{run_id}/pause")).status == 202
    gate.set()
    await until(client, inner, "paused")
    await until(client, run_id, "paused")
    assert len(model_server.calls) == 1

    assert (await client.post(f"/api/runs/{run_id}/resume")).status == 202
    await client.follow(run_id)
    assert [(await run_of(client, each))["status"] for each in (run_id, inner)] == ["completed"] * 2
    assert len(model_server.calls) == 2


async def test_a_run_that_is_paused_already_and_one_that_another_person_paused_stay_as_they_are(
    client: Client, make: Make, database: Database
) -> None:
    run_id = await client.cook((await make.recipe(runs(await make.recipe(MAY))))["template_id"])
    inner = await until_child(client, run_id)
    await client.post(f"/api/runs/{inner}/pause")
    await client.post(f"/api/runs/{run_id}/pause")
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE recipe_executions SET paused_by = 'Grace' WHERE id = $1", UUID(inner))

    await client.post(f"/api/runs/{run_id}/resume")
    assert (await run_of(client, inner))["status"] == "paused"
    await client.post(f"/api/runs/{inner}/resume")
    await client.post(f"/api/runs/{inner}/steps/1/approve", json={})
    await client.follow(run_id)
    assert (await run_of(client, run_id))["status"] == "completed"


@pytest.mark.parametrize(("is_circle", "code"), [(True, "recipe_in_itself"), (False, "recipe_not_found")])
async def test_what_became_of_the_recipe_since_it_was_saved_fails_the_step_in_every_run_above(
    client: Client, make: Make, is_circle: bool, code: str
) -> None:
    last = await make.recipe("plain")
    middle = await make.recipe(MAY, runs(last, order=2))
    first = await make.recipe(runs(middle, order=1))
    run_id = await client.cook(first["template_id"])
    inner = await until_child(client, run_id)
    plain = {"name": "x", "steps": [last["steps"][0] | {"agent": None}]}
    del plain["steps"][0]["agent"]
    assert (await client.put(f"/api/workflow-recipes/{middle['template_id']}", json=plain)).status == 200
    if is_circle:
        back = {"name": "x", "steps": [{"step_id": "back", "order": 1, "run": {"recipe": first["template_id"]}}]}
        assert (await client.put(f"/api/workflow-recipes/{last['template_id']}", json=back)).status == 200
    else:
        assert (await client.delete(f"/api/workflow-recipes/{last['template_id']}")).status == 204

    await client.post(f"/api/runs/{inner}/steps/1/approve", json={})
    await client.follow(run_id)

    assert [(await run_of(client, each))["error"]["code"] for each in (run_id, inner)] == [code, code]


async def test_a_fork_takes_over_what_a_run_under_a_run_gave(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="from below"), match="below")
    parent = await make.recipe(runs(await make.recipe("below")), "then {previous_output}")
    run = await client.cooked(parent["template_id"])
    forked = (await client.post(f"/api/runs/{run['id']}/fork", json={"from_step": "s2"})).json()["run_id"]
    await client.follow(forked)
    again = await run_of(client, forked)

    assert len(model_server.calls) == 3
    assert (again["steps"][0]["taken_over_from"], child_of(again)) == (run["id"], child_of(run))
    assert again["total_tokens"] < run["total_tokens"]


async def test_a_job_of_a_step_whose_run_has_not_ended_changes_nothing_and_one_whose_run_is_gone_ends(
    client: Client, make: Make, database: Database
) -> None:
    parent = await make.recipe(runs(await make.recipe(MAY)))
    asked, cancelled = [await client.cook(parent["template_id"]) for _ in range(2)]
    inner = {run_id: await until_child(client, run_id) for run_id in (asked, cancelled)}

    async def tell(run_id: str) -> None:
        async with database.recording(client.workspace_id) as connection:
            await connection.execute("SELECT durable.enqueue('runs.step', $1, $2, 1, NULL, '')", f"{run_id}/sub",
                                     client.workspace_id)
        async with asyncio.timeout(60):
            while await jobs(database, run_id):
                await asyncio.sleep(0.02)

    await tell(asked)
    assert (await run_of(client, asked))["status"] == "waiting"
    async with database.recording(client.workspace_id) as connection:
        for child in inner.values():
            await connection.execute("DELETE FROM recipe_executions WHERE id = $1", UUID(child))
    await tell(asked)
    assert (await run_of(client, asked))["error"]["code"] == "run_gone"
    await client.post(f"/api/runs/{cancelled}/cancel")
    assert (await run_of(client, cancelled))["status"] == "cancelled"


async def test_each_item_of_a_for_each_runs_a_recipe(client: Client, make: Make, model_server: ModelServer) -> None:
    child = await make.recipe("do {input.what}", inputs={"what": {"type": "string"}})
    run = await client.cooked((await make.recipe(
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows", "concurrency": 2}},
        runs(child, "each", inside="rows", inputs={"what": "{item} of {index}"}),
        inputs={"rows": {"type": "array"}}))["template_id"], rows=["a", "b", "c"])

    assert run["status"] == "completed"
    assert len({child_of(run, f"rows[{number}].each")["run_id"] for number in range(3)}) == 3
    given = [(await run_of(client, child_of(run, f"rows[{number}].each")["run_id"]))["input_data"]["what"]
             for number in range(3)]
    assert given == ["a of 0", "b of 1", "c of 2"]
    assert len(model_server.calls) == 3


async def test_steps_of_a_run_under_a_run_take_of_its_budget(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    child = await make.recipe("say one", "say two", "say three")
    parent = await make.recipe(runs(child), execution_config={"max_total_tokens": 60})

    run = await client.cooked(parent["template_id"])

    assert run["status"] == "failed"
    assert run["error"]["code"] == "budget_exceeded"
    assert "of its 60 tokens" in run["error"]["message"]
    assert run["total_tokens"] <= 60


@pytest.mark.parametrize("inputs", [{"n": "{input.what}"}, {"n": "x"}, {"n": None}], ids=str)
async def test_inputs_that_do_not_fit_when_the_step_begins_fail_it(
    client: Client, make: Make, model_server: ModelServer, inputs: dict[str, Any]
) -> None:
    child = await make.recipe("count {input.n}", inputs={"n": {"type": "integer", "required": True}})
    run = await client.cooked((await make.recipe(
        runs(child, inputs=inputs), inputs={"what": {"type": "string"}}))["template_id"], what="no number")

    assert (run["status"], run["error"]["code"]) == ("failed", "inputs_invalid")
    assert child_of(run) is None
    assert model_server.calls == []


async def faults_of(client: Client, recipe: dict[str, Any], **fields: Any) -> dict[str, str]:
    body = {name: recipe[name] for name in ("name", "steps", "inputs")} | fields
    answer = await client.put(f"/api/workflow-recipes/{recipe['template_id']}", json=body)
    assert answer.status == 422, answer.body
    return {fault["where"]: fault["message"] for fault in answer.json()["faults"]}


async def test_a_recipe_cannot_be_saved_with_what_it_cannot_run(client: Client, make: Make, stranger: Client) -> None:
    child = await make.recipe("a {input.x}", inputs={"x": {"type": "string", "required": True}})
    theirs = await Make(stranger).recipe("theirs")
    parent = await make.recipe(runs(child, inputs={"x": "1"}, order=1))

    def steps(**run: Any) -> list[dict[str, Any]]:
        return [{"step_id": "sub", "order": 1, "run": {"recipe": child["template_id"]} | run}]

    assert await faults_of(client, parent, steps=steps(recipe="no-such")) == {
        "steps[0].run.recipe": "this workspace has no recipe 'no-such'"}
    assert await faults_of(client, parent, steps=steps(recipe=theirs["template_id"])) == {
        "steps[0].run.recipe": f"this workspace has no recipe {theirs['template_id']!r}"}
    assert set(await faults_of(client, parent, steps=steps(inputs={"y": 1}))) == {
        "steps[0].run.inputs.y", "steps[0].run.inputs"}
    assert set(await faults_of(client, parent, steps=steps(inputs={"x": "{nothing}"}))) == {"steps[0].run.inputs.x"}
    assert "run in a run of itself" in (await faults_of(
        client, parent, steps=steps(recipe=parent["template_id"])))["steps[0].run.recipe"]
    circle = [{"step_id": "back", "order": 1, "run": {"recipe": parent["template_id"]}}]
    assert (await faults_of(client, child, steps=circle))["steps[0].run.recipe"] == (
        f"a recipe cannot run in a run of itself: {child['template_id']!r} runs {parent['template_id']!r} "
        f"runs {child['template_id']!r}")


async def test_runs_stand_in_each_other_five_deep_and_no_deeper(client: Client, make: Make) -> None:
    recipe = await make.recipe("the innermost")
    for _ in range(4):
        recipe = await make.recipe(runs(recipe))
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"

    body = {"template_id": "too-deep", "name": "x", "steps": [
        {"step_id": "sub", "order": 1, "run": {"recipe": recipe["template_id"]}}]}
    answer = await client.post("/api/workflow-recipes", json=body)
    assert answer.status == 422
    assert "at most 5 deep" in answer.body.decode()


async def test_a_recipe_that_others_run_is_deleted_when_they_do_not_any_more(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    child = await make.recipe("say", {"step_id": "may", "agent_id": None, "approval": {}, "prompt_template": "?"})
    parent = await make.recipe(runs(child, order=1))
    run_id = await client.cook(parent["template_id"])
    await until_child(client, run_id)
    assert (await client.delete(f"/api/workflow-recipes/{child['template_id']}")).status == 409
    plain = [{"step_id": "x", "order": 1, "agent_id": child["steps"][0]["agent_id"], "prompt_template": "x"}]
    assert (await client.put(f"/api/workflow-recipes/{parent['template_id']}", json={
        "name": "x", "steps": plain})).status == 200
    assert (await client.delete(f"/api/workflow-recipes/{child['template_id']}")).status == 204
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(run_id)
