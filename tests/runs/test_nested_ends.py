"""How runs under runs end when something comes between: errors, deadlines, changes of recipes, forks, budgets."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.runs.test_budgets import ANSWER, by_step
from tests.runs.test_forks import fork
from tests.runs.test_graphs import run_of, statuses
from tests.runs.test_nested import MAY, child_of, runs, until_child
from tests.surface import Client, Make

SPENDS = {"provider": "openai", "model_id": "fake-model", "max_tokens": ANSWER}


async def counted(client: Client, run_id: str) -> None:
    """Check that a run counts what its steps used, and each of these what its run did."""
    run = await run_of(client, run_id)
    own = [step for step in run["steps"] if step["taken_over_from"] is None]
    assert run["total_tokens"] == sum(step["input_tokens"] + step["output_tokens"] for step in own)
    for step in own:
        if step["child"]:
            assert (await run_of(client, step["child"]["run_id"]))["total_tokens"] == (
                step["input_tokens"] + step["output_tokens"])
            await counted(client, step["child"]["run_id"])


@pytest.mark.parametrize(("handling", "status", "steps"), [
    ("stop", "failed", {"sub": "failed"}),
    ("skip", "completed_with_skips", {"sub": "skipped", "s2": "completed"}),
    ("retry", "failed", {"sub": "failed"}),
])
async def test_a_run_that_fails_is_handled_as_its_step_says(
    client: Client, make: Make, model_server: ModelServer, handling: str, status: str, steps: dict[str, str]
) -> None:
    model_server.script(Reply(text="done", usage=(30, 12)), match="works")
    model_server.script(Reply(status=400, body="no"), match="breaks", repeat=True)
    child = await make.recipe("works", "breaks", execution_config={"max_retries": 0})

    run = await client.cooked((await make.recipe(runs(child, error_handling=handling), "after"))["template_id"])

    assert (run["status"], statuses(run)) == (status, steps)
    assert by_step(run)["sub"]["error"]["code"] == (await run_of(client, child_of(run)["run_id"]))["error"]["code"]
    assert by_step(run)["sub"]["input_tokens"] == 30
    await counted(client, run["id"])


async def test_a_run_that_passed_something_over_says_so_in_every_run_above(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=400, body="no"), match="breaks", repeat=True)
    child = await make.recipe({"prompt_template": "breaks", "error_handling": "skip"}, "works",
                              execution_config={"max_retries": 0})
    run = await client.cooked((await make.recipe(runs(await make.recipe(runs(child)))))["template_id"])
    assert (run["status"], statuses(run)) == ("completed_with_skips", {"sub": "completed"})


async def test_when_the_time_of_a_run_is_over_what_waits_under_it_is_cancelled(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(hang=True), match="too slow")
    parent = await make.recipe(runs(await make.recipe(runs(await make.recipe(MAY)))),
                               {"prompt_template": "too slow", "needs": []}, execution_config={"total_timeout_s": 1})
    run_id = await client.cook(parent["template_id"])
    await client.follow(run_id)

    run = await run_of(client, run_id)
    middle = await run_of(client, child_of(run)["run_id"])
    inner = await run_of(client, child_of(middle)["run_id"])
    assert (run["status"], run["error"]["code"]) == ("failed", "total_timeout")
    assert [middle["status"], inner["status"]] == ["cancelled", "cancelled"]
    assert (await client.post(f"/api/runs/{inner['id']}/steps/1/approve", json={})).status == 409


async def test_the_time_of_a_run_stands_still_while_one_under_it_waits(
    client: Client, make: Make, database: Database
) -> None:
    parent = await make.recipe(runs(await make.recipe(MAY)), "after", execution_config={"total_timeout_s": 30})
    run_id = await client.cook(parent["template_id"])
    inner = await until_child(client, run_id)
    async with database.recording(client.workspace_id) as connection:  # it began to wait an hour ago
        await connection.execute(
            "UPDATE event_records SET events = (SELECT jsonb_agg(jsonb_set(e, '{1}', to_jsonb("
            "(e->>1)::timestamptz - interval '1 hour')) ORDER BY n) FROM jsonb_array_elements(events) WITH ORDINALITY "
            "AS x (e, n)) WHERE stream = $1", f"run:{run_id}")
        await connection.execute(
            "UPDATE recipe_executions SET deadline_at = deadline_at - interval '1 hour', "
            "started_at = started_at - interval '1 hour' WHERE id = $1::uuid", run_id)

    assert (await client.post(f"/api/runs/{inner}/steps/1/approve", json={})).status == 200

    assert (await client.follow(run_id))[-1]["type"] == "execution.completed"


async def test_a_step_runs_the_version_that_its_recipe_has_when_it_begins(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    child = await make.recipe("as it was")
    run_id = await client.cook((await make.recipe(MAY, runs(child, order=2)))["template_id"])
    await client.until_told(run_id, "step.waiting")
    changed = {"name": "x", "steps": [{"step_id": "s1", "order": 1, "agent_id": child["steps"][0]["agent_id"],
                                       "prompt_template": "as it is"}]}
    assert (await client.put(f"/api/workflow-recipes/{child['template_id']}", json=changed)).status == 200

    await client.post(f"/api/runs/{run_id}/steps/1/approve", json={})
    await client.follow(run_id)

    assert [call.last_user_text for call in model_server.calls] == ["as it is"]
    assert child_of(await run_of(client, run_id))["recipe_version"] == 2


async def test_an_agent_that_is_paused_meanwhile_holds_the_run_under_it_and_loses_nothing(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    child = await make.recipe("sweep")
    agent = child["steps"][0]["agent_id"]
    run_id = await client.cook((await make.recipe(MAY, runs(child, order=2)))["template_id"])
    await client.until_told(run_id, "step.waiting")
    assert (await client.post(f"/api/agents/{agent}/pause")).status == 200
    await client.post(f"/api/runs/{run_id}/steps/1/approve", json={})
    inner = await until_child(client, run_id)

    assert (await run_of(client, inner))["finished_at"] is None
    assert model_server.calls == []
    assert (await client.post(f"/api/agents/{agent}/resume")).status == 200
    await client.follow(run_id)
    assert (await run_of(client, run_id))["status"] == "completed"


async def test_what_ended_under_a_run_that_is_begun_again_is_not_paid_twice(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="far below", usage=(40, 2)), match="below")
    model_server.script(Reply(status=400, body="no"), match="breaks")
    inner = await make.recipe("below")
    parent = await make.recipe(runs(await make.recipe(runs(inner))), "breaks {previous_output}",
                               execution_config={"max_retries": 0})
    run = await client.cooked(parent["template_id"])
    first = child_of(run)
    assert (run["status"], run["total_tokens"] >= 42) == ("failed", True)

    again = await fork(client, run, "s2")
    thrice = await fork(client, again, "s2")

    for each in (again, thrice):
        assert (each["status"], child_of(each)) == ("completed", first)
        assert each["total_tokens"] == by_step(each)["s2"]["input_tokens"] + by_step(each)["s2"]["output_tokens"]
        await counted(client, each["id"])
    assert [call.last_user_text.split()[0] for call in model_server.calls] == ["below", *["breaks"] * 3]
    assert "far below" in model_server.calls[-1].last_user_text


async def test_a_run_that_is_begun_again_at_a_step_that_runs_another_begins_that_anew(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    run = await client.cooked((await make.recipe("before", runs(await make.recipe("below"))))["template_id"])
    again = await fork(client, run, "sub")

    assert child_of(again)["run_id"] != child_of(run)["run_id"]
    assert [call.last_user_text for call in model_server.calls] == ["before", "below", "below"]
    await counted(client, again["id"])


async def spender(make: Make, prompt: str) -> dict[str, Any]:
    """A recipe whose only request may use ANSWER tokens, and what its prompt has."""
    agent = await make.agent(prompt, model_config=SPENDS)
    return await make.recipe({"agent_id": agent["id"], "prompt_template": f"spend {prompt}"},
                             execution_config={"max_retries": 0})


@pytest.mark.parametrize("depth", [1, 2])
@pytest.mark.parametrize("first", [0, 1], ids=["the first answers first", "the second answers first"])
async def test_runs_at_once_never_use_more_together_than_the_run_above_them_may(
    client: Client, make: Make, model_server: ModelServer, depth: int, first: int
) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    children: list[dict[str, Any]] = []
    for number, key in enumerate("abc"):
        model_server.script(Reply(text=key, usage=(400, ANSWER), gate=gates[number]), match=f"spend {key}")
        child = await spender(make, key)
        for _ in range(depth - 1):
            child = await make.recipe(runs(child))
        children.append(child)
    parent = await make.recipe(*(runs(child, key, needs=[], error_handling="skip")
                                 for key, child in zip("abc", children, strict=True)),
                               execution_config={"max_total_tokens": 5_000, "max_retries": 0})

    run_id = await client.cook(parent["template_id"])
    await model_server.wait_for_calls(1)
    for gate in [*gates[first:], *gates[:first]]:
        gate.set()
    await client.follow(run_id)
    run = await run_of(client, run_id)

    assert run["total_tokens"] == sum(call.tokens for call in model_server.calls) <= 5_000
    assert len(model_server.calls) == 2
    refused = [step for step in run["steps"] if step["status"] == "skipped"]
    assert [step["error"]["code"] for step in refused] == ["budget_exceeded"]
    assert "of its 5,000 tokens" in refused[0]["error"]["message"]
    await counted(client, run_id)


@pytest.mark.parametrize(("limits", "spent"), [
    ((2_700, None, None), 1), ((None, 2_700, None), 1), ((5_000, 2_700, None), 1), ((5_000, 8_000, None), 2),
    ((8_000, 5_000, None), 2)], ids=str)
async def test_what_is_used_far_below_is_held_by_the_limit_of_every_run_above(
    client: Client, make: Make, model_server: ModelServer, limits: tuple[int | None, ...], spent: int
) -> None:
    model_server.script(Reply(text="x", usage=(400, ANSWER)), match="spend", repeat=True)
    agent = await make.agent(model_config=SPENDS)
    steps: list[dict[str, Any]] = [{"agent_id": agent["id"], "prompt_template": f"spend {key}"} for key in "abc"]
    recipe: dict[str, Any] = {}
    for limit in reversed(limits):
        config = {"max_retries": 0} | ({"max_total_tokens": limit} if limit else {})
        recipe = await make.recipe(*steps, execution_config=config)
        steps = [runs(recipe)]

    run = await client.cooked(recipe["template_id"])

    allowed = min(limit for limit in limits if limit)
    assert (run["status"], run["error"]["code"]) == ("failed", "budget_exceeded")
    assert run["total_tokens"] == sum(call.tokens for call in model_server.calls) <= allowed
    assert len(model_server.calls) == spent
    await counted(client, run["id"])
