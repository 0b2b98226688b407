"""Runs that steps of runs have started, while their workers die: begun once, ended once, counted once."""

from collections import Counter

import pytest

from tests.chaos.test_graphs import Running, recipe_file, step, table
from tests.chaos.test_kill_worker import until

__all__ = ["table"]
pytestmark = pytest.mark.chaos
CHILD = [step("first"), step("second"), step("third")]


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
