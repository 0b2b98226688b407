"""Runs that steps of runs have started are marked in lists and can be left out; what they used is counted once."""

from typing import Any

from tests.fakes.model_server import ModelServer
from tests.lifecycle.lives import until
from tests.runs.test_graphs import run_of
from tests.runs.test_nested import child_of, runs
from tests.surface import Client, Make


async def listed(client: Client, **asked: str) -> list[dict[str, Any]]:
    answer = await client.get("/api/runs", params=asked)
    assert answer.status == 200, answer.body
    assert answer.json()["total"] == len(answer.json()["items"])
    return answer.json()["items"]


async def test_a_list_marks_what_is_part_of_another_run_or_leaves_it_out(client: Client, make: Make) -> None:
    child = await make.recipe("one", name="Tidy up")
    middle = await make.recipe(runs(child), name="Keep house")
    run = await client.cooked((await make.recipe(runs(middle), name="Live well"))["template_id"])
    plain = await client.cooked(child["template_id"])
    of_middle = child_of(run)["run_id"]
    of_child = child_of(await run_of(client, of_middle))["run_id"]

    everything = {each["id"]: each["parent"] for each in await listed(client)}

    assert everything == {
        plain["id"]: None, run["id"]: None,
        of_middle: {"run_id": run["id"], "path": "sub", "recipe_id": run["recipe_id"], "recipe_name": "Live well"},
        of_child: {"run_id": of_middle, "path": "sub", "recipe_id": middle["template_id"],
                   "recipe_name": "Keep house"}}
    assert (await run_of(client, of_child))["parent"] == everything[of_child]
    assert [each["id"] for each in await listed(client, top_level="true")] == [plain["id"], run["id"]]
    for status, kind in (("completed", "recipe"), ("completed", ""), ("", "recipe")):
        asked = {name: value for name, value in (("status", status), ("kind", kind)) if value}
        assert [each["id"] for each in await listed(client, top_level="true", **asked)] == [plain["id"], run["id"]]
        assert {each["id"] for each in await listed(client, **asked)} == everything.keys()
    only = {"recipe": child["template_id"]}
    assert [each["id"] for each in await listed(client, top_level="true", **only)] == [plain["id"]]
    assert {each["id"] for each in await listed(client, **only)} == {plain["id"], of_child}


async def test_usage_counts_what_runs_under_runs_used_once(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    child = await make.recipe("one", "two")
    run = await client.cooked((await make.recipe("three", runs(await make.recipe(runs(child)))))["template_id"])
    spent = sum(call.tokens for call in model_server.calls)

    async def used() -> int:
        return (await client.get("/api/usage/summary")).json()["total_tokens"]

    assert len(model_server.calls) == 3
    assert await until(used, lambda tokens: tokens >= spent) == spent  # it is counted a moment after the answer
    assert run["total_tokens"] == sum(each["total_tokens"] for each in await listed(client, top_level="true")) == spent
