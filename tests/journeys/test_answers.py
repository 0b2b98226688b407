"""What an answer and its attempts are worth: cut off, declined, cancelled, failed; in runs, agents and totals."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

ONCE = {"max_retries": 0}


async def test_an_answer_cut_off_by_its_limit_is_marked_everywhere_and_later_steps_go_on(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("First", "Second", execution_config=ONCE)
    model_server.script(Reply(text="half of", finish_reason="length"), Reply(text="done"))

    run_id = await client.cook(recipe["template_id"])
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert (run["status"], run["is_cut_off"]) == ("completed", True)
    assert [step["is_cut_off"] for step in run["steps"]] == [True, False]
    assert "cut off" in run["steps"][0]["warning"]
    assert run["steps"][1]["warning"] is None
    told = {event["type"]: event["data"] for event in events}
    assert told["execution.completed"]["is_cut_off"] is True
    assert [e["data"]["is_cut_off"] for e in events if e["type"] == "step.completed"] == [True, False]
    assert (await client.get("/api/runs")).json()["items"][0]["is_cut_off"] is True


@pytest.mark.parametrize(("of_recipe", "of_step", "status"), [
    ("stop", None, "failed"), ("continue", "stop", "failed"), ("stop", "continue", "completed"),
])
async def test_a_recipe_or_a_step_may_want_whole_answers(
    client: Client, make: Make, model_server: ModelServer, of_recipe: str, of_step: str | None, status: str
) -> None:
    recipe = await make.recipe({"prompt_template": "First", "on_cut_off": of_step}, "Second",
                               execution_config={**ONCE, "on_cut_off": of_recipe})
    model_server.script(Reply(text="half of", finish_reason="length", usage=(10, 5)), Reply(text="done", usage=(1, 1)))

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == status
    assert run["steps"][0]["is_cut_off"] is True
    if status == "failed":
        assert run["error"]["code"] == "answer_cut_off"
        assert run["total_tokens"] == 15
        assert len(model_server.calls) == 1


async def test_a_declined_answer_ends_the_step_with_its_own_code_and_its_tokens(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("First", execution_config={"max_retries": 3, "retry_delay_ms": 1})
    model_server.script(Reply(text="I will not.", finish_reason="content_filter", usage=(20, 4)), repeat=True)

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"], run["total_tokens"]) == ("failed", "answer_refused", 24)
    assert len(model_server.calls) == 1


async def test_a_run_that_is_cancelled_in_mid_answer_counts_what_came(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    gate = asyncio.Event()
    recipe = await make.recipe("Write at length", execution_config=ONCE)
    model_server.script(Reply(text="word " * 400, chunks=8, gate=gate, gate_after=6))
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    await client.until_told(run_id, "step.delta", "step.text")

    await client.post(f"/api/runs/{run_id}/cancel")
    events = await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    gate.set()
    assert run["status"] == "cancelled"
    assert run["is_estimated"] is True
    assert run["total_tokens"] > 50
    assert (run["cost_usd"], run["unpriced_calls"]) == (None, 1)
    assert [(a["status"], a["code"]) for a in run["steps"][0]["attempts"]] == [("cancelled", "cancelled")]
    assert events[-1]["data"]["total_tokens"] == run["total_tokens"]


async def _events(client: Client, run_id: str) -> list[dict[str, Any]]:
    return (await client.get(f"/api/runs/{run_id}/events.json")).json()["items"]


async def test_a_limit_of_tokens_holds_at_an_endpoint_that_tells_none(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "go " + "word " * 400},
                               execution_config={**ONCE, "max_total_tokens": 1000})
    for number in range(20):
        model_server.script(Reply(tool_calls=[("calculator", {"expression": f"{number}+1"})], with_usage=False))

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["error"]["code"]) == ("failed", "run_limit_reached")
    assert len(model_server.calls) <= 4
    assert run["is_estimated"] is True


async def test_agents_and_totals_count_what_failed_and_what_has_no_price(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    priced = await make.agent(model_config={"provider": "openai", "model_id": "gpt-4o"})
    unpriced = await make.agent(model_config={"provider": "openai", "model_id": "fake-model"})
    failing = await make.agent(model_config={"provider": "openai", "model_id": "fake-small"})
    for agent in (priced, unpriced, failing):
        recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": f"Task of {agent['id']}"},
                                   execution_config={"max_retries": 2, "retry_delay_ms": 1})
        if agent is failing:
            model_server.script(Reply(status=429, headers={"Retry-After": "0"}), repeat=True)
        else:
            model_server.script(Reply(text="ok", usage=(1000, 100)))
        await client.cooked(recipe["template_id"])

    async def usage(agent: dict[str, Any]) -> dict[str, Any]:
        return (await client.get(f"/api/agents/{agent['id']}")).json()["model_usage_stats"]

    while (await usage(failing))["total_requests"] < 3:
        await asyncio.sleep(0.05)
    one, two, three = await usage(priced), await usage(unpriced), await usage(failing)
    assert (one["total_cost"], one["unpriced_requests"]) == (one["known_cost"], 0)
    assert float(one["known_cost"]) > 0
    assert (two["total_cost"], two["known_cost"], two["unpriced_requests"]) == (None, "0.000000", 1)
    assert (three["total_requests"], three["failed_requests"], three["total_tokens"]) == (3, 3, 0)
    stats = (await client.get("/api/agents/stats")).json()
    assert (stats["total_cost_usd"], stats["unpriced_requests"]) == (None, 1)
    assert float(stats["known_cost_usd"]) == float(one["known_cost"])
    summary = (await client.get("/api/usage/summary")).json()
    assert (summary["requests"], summary["failed_requests"], summary["unpriced_calls"]) == (5, 3, 1)


async def test_attempts_used_before_a_worker_died_are_not_given_again(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    recipe = await make.recipe("Say hello", execution_config={"max_retries": 1, "retry_delay_ms": 3000,
                                                              "backoff_strategy": "fixed"})
    model_server.script(Reply(status=500), repeat=True)
    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    while not any(event["type"] == "model.retrying" for event in await _events(client, run_id)):
        await asyncio.sleep(0.05)

    async with database.recording(client.workspace_id) as connection:
        stored = await connection.fetchrow(
            "SELECT attempt, attempts FROM recipe_execution_steps WHERE execution_id::text = $1", run_id)

    assert stored["attempt"] == 2
    assert [each["attempt"] for each in stored["attempts"]] == [1]
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(run_id)  # its next request would be counted by another test
