"""What steps of a graph may use together: parallel steps cannot exceed a limit that each of them keeps."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.runs.budgets import RunBudget
from automatos.runs.errors import BudgetExceeded, StepLost
from tests.durable.conftest import add_workspace, own_database, own_ground
from tests.fakes.model_server import Call, ModelServer, Reply
from tests.surface import Client, Make

__all__ = ["own_database", "own_ground"]
LIMIT = 6_000
ANSWER = 2_000
ONCE = {"max_retries": 0, "max_total_tokens": LIMIT}


async def sides(make: Make, *keys: str, config: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A recipe of steps at once, each with an agent of its own, and one that joins them."""
    agents = [(await make.agent(key, model_config={"provider": "openai", "model_id": "fake-model",
                                                   "max_tokens": ANSWER}))["id"] for key in keys]
    steps = [{"step_id": key, "agent_id": agent, "prompt_template": f"side {key}", "needs": []} | more
             for key, agent in zip(keys, agents, strict=True)]
    return await make.recipe(*steps, execution_config=config or ONCE)


def by_step(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["step_id"]: step for step in run["steps"]}


@pytest.mark.parametrize("held", [0, 1, 2], ids=["none waits", "the first waits", "the second waits"])
async def test_steps_at_once_that_fit_alone_but_not_together_stay_below_the_limit_whichever_is_first(
    client: Client, make: Make, model_server: ModelServer, held: int
) -> None:
    gates = [asyncio.Event() for _ in range(3)]
    for number, key in enumerate("abc"):
        model_server.script(Reply(text=key, usage=(400, ANSWER), gate=gates[number]), match=f"side {key}")
    recipe = await sides(make, "a", "b", "c", config=ONCE | {"max_total_tokens": 5_000}, error_handling="skip")

    run_id = await client.cook(recipe["template_id"])
    await model_server.wait_for_calls(1)
    for gate in [*gates[held:], *gates[:held]]:
        gate.set()
    await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    refused = [step for step in run["steps"] if step["status"] == "skipped"]
    assert run["total_tokens"] == sum(call.tokens for call in model_server.calls) <= 5_000
    assert len(model_server.calls) == 2
    assert [step["error"]["code"] for step in refused] == ["budget_exceeded"]
    assert "4,800 of its 5,000 tokens" in refused[0]["error"]["message"]


async def test_what_a_request_did_not_use_is_there_for_those_that_wait(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="short", usage=(10, 10)), match="side", repeat=True)
    recipe = await sides(make, *"abcdef", config=ONCE | {"max_total_tokens": 3_000})

    run = await client.cooked(recipe["template_id"])

    assert run["status"] == "completed"
    assert (len(model_server.calls), run["total_tokens"]) == (6, 120)


async def test_the_last_request_gets_an_answer_as_long_as_there_is_room_for(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    def most(call: Call) -> int:
        return call.body.get("max_tokens") or call.body["max_completion_tokens"]

    model_server.script(Reply(text="long", usage=(400, ANSWER)), match="side", repeat=True)
    recipe = await sides(make, "a", "b", config=ONCE | {"max_total_tokens": 4_400})

    run_id = await client.cook(recipe["template_id"])
    await client.follow(run_id)

    first, second = map(most, model_server.calls)
    assert first == ANSWER
    assert 256 <= second < ANSWER


async def test_a_request_that_failed_is_made_again_within_the_budget_and_what_it_used_counts(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=503, headers={"Retry-After": "0"}), match="side a")
    model_server.script(Reply(text="done", usage=(10, 10)), match="side", repeat=True)
    recipe = await sides(make, "a", "b", config={"max_retries": 2, "max_total_tokens": 3_000, "retry_delay_ms": 1})

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["total_tokens"], len(model_server.calls)) == ("completed", 40, 3)


async def test_a_fallback_is_asked_within_the_budget(client: Client, make: Make, model_server: ModelServer) -> None:
    agent = await make.agent("Falls", model_config={"provider": "openai", "model_id": "fake-model",
                                                    "max_tokens": ANSWER, "fallback_model_id": "fake-small"})
    model_server.script(Reply(status=404, message="The model does not exist"), match=lambda c: c.model == "fake-model")
    model_server.script(Reply(text="done", usage=(10, 10)))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "side a", "needs": []},
                               execution_config=ONCE)

    run = await client.cooked(recipe["template_id"])

    assert (run["status"], run["total_tokens"]) == ("completed", 20)
    assert [call.model for call in model_server.calls] == ["fake-model", "fake-small"]


async def insert(database: Database, workspace_id: Any, steps: int) -> Any:
    """Store a run with steps at work."""
    run_id = new_id()
    async with database.recording(workspace_id) as connection:
        await connection.execute(
            "INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, deadline_at, kind, status) "
            "VALUES ($1, $2, 0, 1, now() + interval '1 hour', 'task', 'running')", run_id, workspace_id)
        await connection.execute(
            "INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, status, "
            "output_key, epoch) SELECT $1, $2, n, 's' || n, 's' || n, 'running', 'k' || n, 1 "
            "FROM generate_series(1, $3) AS n", run_id, workspace_id, steps)
    return run_id


class Account:
    """A run in a database, and what each of its steps may take."""

    def __init__(self, database: Database, workspace_id: Any, run_id: Any) -> None:
        self.database, self.workspace_id, self.run_id = database, workspace_id, run_id

    def of(self, order: int, epoch: int = 1) -> RunBudget:
        return RunBudget(self.database, self.workspace_id, self.run_id, order, epoch, 1_000)

    async def change(self, text: str) -> None:
        async with self.database.recording(self.workspace_id) as connection:
            await connection.execute(f"UPDATE {text}")


@pytest.fixture
async def account(own_database: Database) -> Account:
    workspace_id = await add_workspace(own_database)
    return Account(own_database, workspace_id, await insert(own_database, workspace_id, 3))


async def test_of_two_that_ask_in_the_same_moment_one_gets_what_is_left(account: Account) -> None:
    answers = await asyncio.gather(*(account.of(order).reserve(600, 600, 60) for order in (1, 2)))

    assert sorted(answers, key=str) == [600, None]


async def test_a_step_that_asks_again_gives_back_what_it_had(account: Account) -> None:
    assert await account.of(1).reserve(900, 900, 60) == 900
    assert await account.of(1).reserve(800, 800, 60) == 800
    assert await account.of(2).reserve(200, 200, 60) == 200


@pytest.mark.parametrize("what", [
    "recipe_execution_steps SET epoch = 2", "recipe_execution_steps SET last_seq = 7",
    "recipe_execution_steps SET finished_at = now()",
    "recipe_execution_steps SET reserved_until = now() - interval '1 second'",
], ids=["taken over", "recorded", "over", "too old"])
async def test_a_reservation_ends_with_its_writer_its_record_its_step_or_its_time(account: Account, what: str) -> None:
    assert await account.of(1).reserve(900, 900, 60) == 900
    assert await account.of(2).reserve(900, 900, 60) is None

    await account.change(f"{what} WHERE step_order = 1")

    assert await account.of(2).reserve(900, 900, 60) == 900


async def test_what_can_never_fit_is_refused_with_both_figures_though_others_hold_some(account: Account) -> None:
    assert await account.of(1).reserve(100, 100, 60) == 100
    await account.change("recipe_executions SET input_tokens = 300, output_tokens = 200")

    with pytest.raises(BudgetExceeded, match=r"used 500 of its 1,000 tokens, and the next request needs at least 501"):
        await account.of(2).reserve(900, 501, 60)
    assert await account.of(2).reserve(900, 500, 60) is None


async def test_whoever_lost_its_step_or_its_run_reserves_nothing(account: Account) -> None:
    with pytest.raises(StepLost):
        await account.of(1, epoch=2).reserve(10, 10, 60)
    await account.change("recipe_executions SET finished_at = now()")
    with pytest.raises(StepLost):
        await account.of(1).reserve(10, 10, 60)
