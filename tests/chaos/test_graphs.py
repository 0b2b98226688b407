"""Runs that are graphs while their workers die: joins, items, approvals and times are taken up where they were."""

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.chaos.client import Refused, set_up
from tests.chaos.harness import stage
from tests.chaos.test_kill_worker import Table, lock_row, until

pytestmark = pytest.mark.chaos
QUICK = {"AUTOMATOS_LEASE_S": "1"}


def recipe_file(template_id: str, steps: list[dict[str, Any]], **inputs: Any) -> dict[str, Any]:
    """A recipe whose prompts carry the run's tag, done by one agent with room for many tasks."""
    inputs = {"tag": {"type": "string", "required": True}} | inputs
    return {
        "apiVersion": "automatos/v1", "kind": "Recipe",
        "agents": [{"name": "Worker", "prompt": "Do it.", "configuration": {"max_concurrent_tasks": 10}}],
        "recipe": {"template_id": template_id, "name": template_id, "inputs": inputs, "steps": steps,
                   "execution_config": {"max_retries": 0}},
    }


def step(key: str, **fields: Any) -> dict[str, Any]:
    return {"step_id": key, "agent": "Worker", "prompt_template": f"[{{input.tag}} {key}]"} | fields


JOIN = [step("left"), step("right", needs=[]),
        step("join", needs=["left", "right"], prompt_template="[{input.tag} join] {step_1_output} {step_2_output}")]


@dataclass
class Running(Table):
    """A table whose worker can be killed and replaced."""

    worker: Any = None

    async def replace_worker(self) -> None:
        if self.worker:
            self.worker.kill()
        self.worker = await self.start_worker()

    async def count(self, tag: str) -> Counter[str]:
        """Count the model's calls of a run by step."""
        return Counter(call["last_user_text"].partition("]")[0].rpartition(" ")[2] for call in await self.calls(tag))


@pytest.fixture
async def table() -> AsyncIterator[Running]:
    async with stage() as scene:
        postgres = await scene.start_postgres()
        model = await scene.start_model_server(latency_ms=0)
        server = await scene.start_server(database_url=postgres.url, model=model, with_worker=False, variables=QUICK)
        async with await set_up(server.url) as client:
            yield Running(scene, postgres, model, server, client, {})


@pytest.mark.parametrize("held", [("left",), ("right",), ("left", "right"), ("join",)], ids="-".join)
async def test_a_join_happens_once_whichever_side_of_it_the_worker_dies_on(
    table: Running, held: tuple[str, ...]
) -> None:
    await table.client.apply(recipe_file("join", JOIN))
    await table.replace_worker()
    for key in held:
        await table.model.script({"hang": True}, match=f"[t {key}]")
    run_id = await table.client.execute("join", {"tag": "t"})
    wanted = {"left", "right", *held}

    async def is_held() -> bool:
        done = await table.postgres.query(
            "SELECT count(*) AS n FROM recipe_execution_steps WHERE status = 'completed'")
        return set(await table.count("t")) == wanted and done[0]["n"] == len(wanted - set(held))

    await until(is_held)
    await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    assert follower.types[-1] == "execution.completed"
    assert follower.is_gapless
    assert await table.count("t") == Counter({"left": 1, "right": 1, "join": 1}) + Counter(held)
    assert follower.types.count("step.completed") == 3
    assert follower.types.count("model.answered") == 3


async def test_a_step_whose_end_was_not_recorded_with_its_join_is_done_again_and_the_join_once(
    table: Running
) -> None:
    await table.client.apply(recipe_file("join", JOIN))
    await table.replace_worker()
    await table.model.script({"delay_s": 1.0}, match="[t right]")
    run_id = await table.client.execute("join", {"tag": "t"})

    async def left_is_done() -> bool:
        done = await table.postgres.query("SELECT 1 FROM recipe_execution_steps WHERE status = 'completed'")
        return len(done) == 1 and (await table.count("t"))["right"] == 1

    await until(left_is_done)
    lock = await lock_row(table.postgres, run_id)
    await lock.until_somebody_waits(table.postgres)
    table.worker.kill()
    await lock.let_go(table.postgres)
    await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    assert follower.is_gapless
    assert await table.count("t") == {"left": 1, "right": 2, "join": 1}
    keys = {call["idempotency_key"] for call in await table.calls("t") if call["last_user_text"] == "[t right]"}
    assert len(keys) == 1


async def test_an_approval_and_a_time_outlive_the_death_of_worker_and_server(table: Running) -> None:
    steps = [step("draft"), {"step_id": "pause", "wait": {"seconds": 4}, "needs": []},
             {"step_id": "ok", "approval": {}, "prompt_template": "Go on with {step_1_output}?", "needs": ["draft"]},
             step("end", needs=["ok", "pause"])]
    await table.client.apply(recipe_file("wait", steps))
    await table.replace_worker()
    run_id = await table.client.execute("wait", {"tag": "t"})

    async def is_waiting() -> bool:
        rows = await table.postgres.query("SELECT status FROM recipe_execution_steps ORDER BY step_order")
        return [row["status"] for row in rows] == ["completed", "waiting", "waiting"]

    await until(is_waiting)
    held = await table.postgres.query("SELECT 1 FROM durable.jobs WHERE executor_id IS NOT NULL")
    assert held == []
    table.worker.kill()
    table.server.kill()
    table.server = await table.scene.start_server(
        database_url=table.postgres.url, model=table.model, with_worker=False, variables=QUICK,
        home=table.server.home, port=table.server.port)
    await table.replace_worker()

    async def time_has_come() -> bool:
        rows = await table.postgres.query("SELECT status FROM recipe_execution_steps WHERE step_id = 'pause'")
        return rows[0]["status"] == "completed"

    await until(time_has_come)
    await table.replace_worker()
    await table.client.call("POST", f"/api/runs/{run_id}/steps/3/approve", {"comment": "Yes."})
    with pytest.raises(Refused) as again:
        await table.client.call("POST", f"/api/runs/{run_id}/steps/3/reject", {})
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    assert again.value.problem["code"] == "step_already_decided"
    assert follower.types[-1] == "execution.completed"
    assert follower.is_gapless
    assert await table.count("t") == {"draft": 1, "end": 1}


@pytest.mark.parametrize("steps", [JOIN, [step("left"), step("right"), step("join")]], ids=["graph", "line"])
async def test_a_paused_run_stays_paused_whoever_dies_and_goes_on_where_it_stood(
    table: Running, steps: list[dict[str, Any]]
) -> None:
    await table.client.apply(recipe_file("pause", steps))
    await table.replace_worker()
    await table.model.script({"hang": True}, match="[t left]")
    run_id = await table.client.execute("pause", {"tag": "t"})

    async def is_asked() -> bool:
        right = await table.postgres.query(
            "SELECT 1 FROM recipe_execution_steps WHERE step_id = 'right' AND status <> 'completed'")
        return right == [] and (await table.count("t"))["left"] == 1

    async def is_held() -> bool:
        return (await table.client.call("GET", f"/api/runs/{run_id}"))["status"] == "paused"

    await until(is_asked)
    await table.client.call("POST", f"/api/runs/{run_id}/pause")
    await table.replace_worker()
    await until(is_held)
    assert await table.postgres.query("SELECT 1 FROM durable.jobs") == []
    table.server.kill()
    table.server = await table.scene.start_server(
        database_url=table.postgres.url, model=table.model, with_worker=False, variables=QUICK,
        home=table.server.home, port=table.server.port)
    before = await table.count("t")
    await table.client.call("POST", f"/api/runs/{run_id}/resume")
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    assert follower.types[-1] == "execution.completed"
    assert follower.is_gapless
    assert before["join"] == 0
    assert await table.count("t") == {"left": 2, "right": 1, "join": 1}


async def test_steps_at_once_keep_their_common_budget_though_their_worker_dies_in_the_middle(table: Running) -> None:
    keys = ("a", "b", "c")
    file = recipe_file("budget", [step(key, needs=[], error_handling="skip") for key in keys])
    file["recipe"]["execution_config"]["max_total_tokens"] = 34_000  # for two of them: each reserves 16,384 and more
    await table.client.apply(file)
    await table.replace_worker()
    for _ in range(2):
        await table.model.script({"hang": True}, match="[t ")
    for key in keys:
        await table.model.script({"text": key, "usage": [900, 16_000]}, match=f"[t {key}]")
    run_id = await table.client.execute("budget", {"tag": "t"})

    async def two_are_asked() -> bool:
        begun = await table.postgres.query("SELECT 1 FROM recipe_execution_steps WHERE status = 'running'")
        return len(begun) == 3 and sum((await table.count("t")).values()) == 2

    await until(two_are_asked)
    await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(60)
    run = await table.client.call("GET", f"/api/runs/{run_id}")

    assert run["status"] == "completed_with_skips"
    assert sorted(each["status"] for each in run["steps"]) == ["completed", "completed", "skipped"]
    assert [each["error"]["code"] for each in run["steps"] if each["error"]] == ["budget_exceeded"]
    assert run["total_tokens"] == 33_800
    assert sum((await table.count("t")).values()) == 4
