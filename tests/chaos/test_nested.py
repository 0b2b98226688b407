"""Runs that steps of runs have started, while their workers die: begun once, ended once, counted once."""

from collections import Counter
from typing import Any

import pytest

from tests.chaos.test_graphs import Running, recipe_file, step, table
from tests.chaos.test_kill_worker import until

__all__ = ["table"]
pytestmark = pytest.mark.chaos
CHILD = [step("first"), step("second"), step("third")]


def part(recipe: str, step_id: str = "sub", **fields: Any) -> dict[str, Any]:
    """A step that runs a recipe with the run's tag."""
    return {"step_id": step_id, "run": {"recipe": recipe, "inputs": {"tag": "{input.tag}"}}} | fields


@pytest.mark.parametrize("held", ["before", "first", "third", "after"])
async def test_a_worker_that_dies_around_a_run_under_a_run_begins_and_ends_it_once(table: Running, held: str) -> None:
    await table.client.apply(recipe_file("child", CHILD))
    await table.client.apply(recipe_file("parent", [
        step("before"), {"step_id": "sub", "run": {"recipe": "child", "inputs": {"tag": "{input.tag}"}}},
        step("after")]))
    await table.replace_worker()
    await table.model.script({"hang": True}, match=f"[t {held}]")
    run_id = await table.client.execute("parent", {"tag": "t"})

    async def is_held() -> bool:
        return (await table.count("t"))[held] == 1

    await until(is_held)
    await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    assert follower.types[-1] == "execution.completed"
    assert follower.is_gapless
    assert follower.types.count("step.completed") == 3
    assert await table.count("t") == Counter(["before", "first", "second", "third", "after", held])
    runs = await table.postgres.query(
        "SELECT status, input_tokens + output_tokens AS used, parent IS NULL AS is_own FROM recipe_executions")
    assert sorted((run["is_own"], run["status"]) for run in runs) == [(False, "completed"), (True, "completed")]
    steps = await table.postgres.query(
        "SELECT sum(input_tokens + output_tokens) AS used, execution_id FROM recipe_execution_steps GROUP BY 2")
    assert sorted(each["used"] for each in steps) == sorted(run["used"] for run in runs)


async def test_workers_that_die_all_the_time_end_many_runs_under_runs(table: Running) -> None:
    await table.client.apply(recipe_file("child", CHILD))
    await table.client.apply(recipe_file("parent", [
        {"step_id": "rows", "for_each": {"items": "input.rows", "concurrency": 3}},
        {"step_id": "sub", "inside": "rows", "run": {"recipe": "child", "inputs": {"tag": "{input.tag}-{item}"}}},
    ], rows={"type": "array"}))
    await table.replace_worker()
    run_id = await table.client.execute("parent", {"tag": "t", "rows": [str(number) for number in range(6)]})
    for ended in range(1, 5):
        async def has_ended(number: int = ended) -> bool:
            done = await table.postgres.query(
                "SELECT 1 FROM recipe_executions WHERE parent IS NOT NULL AND finished_at IS NOT NULL")
            return len(done) >= number
        await until(has_ended)
        await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(90)

    assert follower.types[-1] == "execution.completed"
    children = await table.postgres.query(
        "SELECT parent->>'path' AS path, status FROM recipe_executions WHERE parent IS NOT NULL")
    assert sorted((child["path"], child["status"]) for child in children) == [
        (f"rows[{number}].sub", "completed") for number in range(6)]


@pytest.mark.parametrize("depth", [1, 2])
async def test_runs_at_once_keep_the_budget_of_the_run_above_them_though_their_worker_dies_in_the_middle(
    table: Running, depth: int
) -> None:
    keys = ("a", "b", "c")
    for key in keys:
        await table.client.apply(recipe_file(f"{key}-1", [step(key)]))
        for number in range(1, depth):
            await table.client.apply(recipe_file(f"{key}-{number + 1}", [part(f"{key}-{number}")]))
    file = recipe_file("budget", [part(f"{key}-{depth}", step_id=key, needs=[], error_handling="skip") for key in keys])
    file["recipe"]["execution_config"]["max_total_tokens"] = 34_000  # for two of them: each reserves 16,384 and more
    await table.client.apply(file)
    await table.replace_worker()
    for _ in range(2):
        await table.model.script({"hang": True}, match="[t ")
    for key in keys:
        await table.model.script({"text": key, "usage": [900, 16_000]}, match=f"[t {key}]")
    run_id = await table.client.execute("budget", {"tag": "t"})

    async def two_are_asked() -> bool:
        begun = await table.postgres.query(
            "SELECT 1 FROM recipe_execution_steps WHERE status = 'running' AND kind = 'agent'")
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


@pytest.mark.parametrize("handling", ["stop", "skip"])
async def test_a_run_that_fails_while_its_worker_dies_is_handled_once_as_its_step_says(
    table: Running, handling: str
) -> None:
    await table.client.apply(recipe_file("child", [step("first"), step("breaks")]))
    await table.client.apply(recipe_file("parent", [part("child", error_handling=handling), step("after")]))
    await table.replace_worker()
    await table.model.script({"hang": True}, {"status": 400}, match="[t breaks]")
    run_id = await table.client.execute("parent", {"tag": "t"})

    async def is_held() -> bool:
        return (await table.count("t"))["breaks"] == 1

    await until(is_held)
    await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    ends = {"stop": ("execution.failed", 0), "skip": ("execution.completed_with_skips", 1)}
    assert (follower.types[-1], (await table.count("t"))["after"]) == ends[handling]
    assert follower.is_gapless
    assert (await table.count("t"))["first"] == 1


async def test_a_run_that_is_cancelled_while_its_worker_dies_ends_with_all_that_is_under_it(table: Running) -> None:
    await table.client.apply(recipe_file("child", [step("first"), step("held")]))
    await table.client.apply(recipe_file("middle", [part("child")]))
    await table.client.apply(recipe_file("parent", [part("middle")]))
    await table.replace_worker()
    await table.model.script({"hang": True}, match="[t held]")
    run_id = await table.client.execute("parent", {"tag": "t"})

    async def is_held() -> bool:
        return (await table.count("t"))["held"] == 1

    await until(is_held)
    table.worker.kill()
    await table.client.cancel(run_id)
    await table.replace_worker()
    follower = table.client.follow(run_id)
    await follower.until_end(60)

    assert follower.types[-1] == "execution.cancelled"
    runs = await table.postgres.query("SELECT status, input_tokens + output_tokens AS used FROM recipe_executions")
    assert [run["status"] for run in runs] == ["cancelled"] * 3
    assert len({run["used"] for run in runs}) == 1
    assert await table.count("t") == Counter(["first", "held"])
