"""What a recipe needs that another one runs: missed before anything is queued, and seen before an agent is stopped."""

from typing import Any

import pytest

from tests.fakes.model_server import ModelServer
from tests.lifecycle.lives import preview, put_status
from tests.runs.test_nested import MAY, runs, until_child
from tests.surface import Answer, Client, Make


async def refused(client: Client, template_id: str) -> str:
    """Cook a recipe that cannot begin, and return why."""
    answer: Answer = await client.post(f"/api/workflow-recipes/{template_id}/execute", json={"input_data": {}})
    assert (answer.status, answer.code) == (409, "recipe_not_ready"), answer.body
    return answer.json()["detail"]


async def nested(client: Client, make: Make, depth: int) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """An agent of its own in a recipe, and the recipe that many others stand between."""
    agent = await make.agent("Sweeper")
    inner = recipe = await make.recipe({"prompt_template": "sweep", "agent_id": agent["id"]}, name="Sweep")
    for _ in range(depth):
        recipe = await make.recipe("first", runs(recipe))
    return agent, inner, recipe


@pytest.mark.parametrize("depth", [1, 3])
async def test_a_recipe_does_not_begin_while_an_agent_of_one_that_it_runs_is_not_active(
    client: Client, make: Make, model_server: ModelServer, depth: int
) -> None:
    agent, inner, recipe = await nested(client, make, depth)
    assert (await put_status(client, agent["id"], "inactive")).status == 200

    said = await refused(client, recipe["template_id"])

    assert f"The recipe {inner['template_id']!r}, which it runs, needs agents that are not active" in said
    assert "Sweeper" in said
    assert (await client.get("/api/runs")).json()["items"] == []
    assert (await client.post(f"/api/agents/{agent['id']}/activate")).status == 200
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"
    assert len(model_server.calls) == depth + 1


async def test_a_fork_does_not_begin_either_unless_the_run_was_taken_over(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent, _, _ = await nested(client, make, 0)
    inner = await make.recipe({"prompt_template": "sweep", "agent_id": agent["id"]})
    run = await client.cooked((await make.recipe("first", runs(inner), "last"))["template_id"])
    assert (await put_status(client, agent["id"], "inactive")).status == 200

    answers = [await client.post(f"/api/runs/{run['id']}/fork", json={"from_step": step}) for step in ("sub", "s3")]

    assert [answer.status for answer in answers] == [409, 202]
    assert (answers[0].code, inner["template_id"] in answers[0].json()["detail"]) == ("recipe_not_ready", True)
    await client.follow(answers[1].json()["run_id"])
    assert len(model_server.calls) == 4


async def test_a_recipe_does_not_begin_when_what_it_runs_was_deleted_through_another_hand(
    client: Client, make: Make, database: Any
) -> None:
    _, inner, recipe = await nested(client, make, 2)
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE workflow_recipes SET deleted_at = now() WHERE template_id = $1",
                                 inner["template_id"])
    assert f"The recipe {inner['template_id']!r}, which it runs, was deleted" in await refused(
        client, recipe["template_id"])


async def test_who_stops_an_agent_sees_the_recipes_and_runs_that_come_to_it_through_others(
    client: Client, make: Make
) -> None:
    agent, inner, recipe = await nested(client, make, 2)
    other = await make.recipe("nothing of it")
    held = await make.recipe(MAY, runs(recipe, order=2))
    waiting = await client.cook(held["template_id"])
    nothing = await client.cook((await make.recipe(MAY, runs(other, order=2)))["template_id"])
    await until_waiting(client, waiting)
    await until_waiting(client, nothing)

    seen = (await preview(client, agent["id"], "inactive"))["impact_analysis"]

    assert [(each["id"], each["place"]) for each in seen["active_workflows"]] == [(waiting, "later")]
    said = " ".join(each["message"] for each in seen["recommendations"])
    assert "1 execution will need the agent at a later step" in said
    assert "4 recipes that need the agent cannot start until it is active again" in said
    assert inner["template_id"] != held["template_id"]


async def test_a_run_whose_part_is_at_work_is_counted_once(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Sweeper")
    inner = await make.recipe(MAY, {"prompt_template": "sweep", "agent_id": agent["id"], "order": 2})
    run_id = await client.cook((await make.recipe(runs(inner)))["template_id"])
    part = await until_child(client, run_id)
    await until_waiting(client, part)

    seen = (await preview(client, agent["id"], "inactive"))["impact_analysis"]

    assert [(each["id"], each["place"]) for each in seen["active_workflows"]] == [(part, "later")]
    assert model_server.calls == []


async def until_waiting(client: Client, run_id: str) -> None:
    while (await client.get(f"/api/runs/{run_id}")).json()["status"] != "waiting":
        await client.until_told(run_id, "step.waiting")
