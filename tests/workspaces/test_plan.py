"""What a plan allows is held wherever one more is made, also by several at once."""

import asyncio
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from automatos.entrypoints.migrate import Ground
from automatos.kernel.db import Database, Scope
from tests.surface import Answer, Client, Make, new_client

LIMIT = 3


@pytest.fixture
async def bounded(http: aiohttp.ClientSession, database: Database) -> Client:
    """An owner of a workspace that may have three agents and three recipes."""
    client = await new_client(http, database)
    await plan(database, client.workspace_id, max_agents=LIMIT, max_workflows=LIMIT)
    return client


async def plan(database: Database, workspace_id: UUID, **limits: int) -> None:
    async with database.recording(None, Scope.AUTH) as connection:
        written = ", ".join(f'"{name}": {most}' for name, most in limits.items())
        await connection.execute(
            "UPDATE workspaces SET plan_limits = $1 WHERE id = $2", f"{{{written}}}", workspace_id)


async def agents_of(client: Client) -> int:
    return (await client.get("/api/agents/stats")).json()["total_agents"]


async def recipes_of(client: Client) -> int:
    return (await client.get("/api/workflow-recipes")).json()["total"]


def refuses(answer: Answer, limit_name: str, used: int = LIMIT) -> bool:
    body = answer.json()
    assert (answer.status, body.get("code")) == (409, "plan_limit_reached"), answer.body
    assert (body["limit_name"], body["limit"], body["used"]) == (limit_name, LIMIT, used)
    assert "shared workspace" in body["detail"]
    return True


def agent(name: str) -> dict[str, Any]:
    return {"name": name, "agent_type": "custom"}


def recipe_file(name: str, *agents: str) -> dict[str, Any]:
    return {
        "apiVersion": "automatos/v1", "kind": "Recipe",
        "agents": [{"name": each, "agent_type": "custom", "prompt": "You work."} for each in agents],
        "recipe": {"template_id": name, "name": name, "steps": [
            {"step_id": "s1", "agent": agents[0], "prompt_template": "Hello"}]},
    }


async def test_one_agent_more_than_the_plan_allows_is_refused_however_it_comes(bounded: Client) -> None:
    for number in range(LIMIT - 1):
        await Make(bounded).agent(f"Agent {number}", active=False)

    bulk = await bounded.post("/api/agents/bulk", json={"agents": [agent("Third"), agent("Fourth")]})
    assert refuses(bulk, "max_agents")
    assert bulk.json()["index"] == 1
    assert refuses(await bounded.post("/api/agents/import", json={"documents": [
        {"name": "Third"}, {"name": "Fourth"}]}), "max_agents")
    assert refuses(await bounded.post("/api/workflow-recipes/apply", json=recipe_file("two", "Third", "Fourth")),
                   "max_agents")
    assert await agents_of(bounded) == LIMIT - 1, "all or none"

    await Make(bounded).agent("Third", active=False)
    assert refuses(await bounded.post("/api/agents", json=agent("Fourth")), "max_agents")
    applied = await bounded.post("/api/workflow-recipes/apply", json=recipe_file("one", "Third"))
    assert applied.status == 200, "what is there may be applied again"
    assert await agents_of(bounded) == LIMIT


async def test_an_archived_agent_takes_no_room_and_comes_back_only_into_some(bounded: Client) -> None:
    made = [await Make(bounded).agent(f"Agent {number}", active=False) for number in range(LIMIT)]
    first = f"/api/agents/{made[0]['id']}"
    assert (await bounded.post(f"{first}/archive")).status == 200

    await Make(bounded).agent("Successor", active=False)

    assert refuses(await bounded.post(f"{first}/restore"), "max_agents")
    assert refuses(await bounded.put(f"{first}/status", json={"status": "inactive"}), "max_agents")
    acted = await bounded.post("/api/agents/bulk/actions", json={"action": "restore", "agent_ids": [made[0]["id"]]})
    assert acted.json()["items"][0]["error"]["code"] == "plan_limit_reached"
    assert (await bounded.delete(f"/api/agents/{made[1]['id']}")).status in {200, 204}
    assert (await bounded.post(f"{first}/restore")).status == 200


async def test_one_recipe_more_than_the_plan_allows_is_refused_and_leaves_no_agent(bounded: Client) -> None:
    for number in range(LIMIT):
        applied = await bounded.post("/api/workflow-recipes/apply", json=recipe_file(f"recipe-{number}", "Worker"))
        assert applied.status == 200, applied.body
    worker = (await bounded.get("/api/agents")).json()["items"][0]["id"]

    assert refuses(await bounded.post("/api/workflow-recipes/apply", json=recipe_file("fourth", "Another")),
                   "max_workflows")
    assert refuses(await bounded.post("/api/workflow-recipes", json={
        "template_id": "fourth", "name": "Fourth",
        "steps": [{"step_id": "s1", "order": 1, "agent_id": worker, "prompt_template": "Hello"}]}), "max_workflows")

    assert (await recipes_of(bounded), await agents_of(bounded)) == (LIMIT, 1)
    assert (await bounded.delete("/api/workflow-recipes/recipe-0")).status == 204
    assert (await bounded.post("/api/workflow-recipes/apply", json=recipe_file("fourth", "Worker"))).status == 200


async def test_many_at_once_make_no_more_than_the_plan_allows(bounded: Client) -> None:
    answers = await asyncio.gather(
        *(bounded.post("/api/agents", json=agent(f"Single {number}")) for number in range(4)),
        *(bounded.post("/api/agents/bulk", json={"agents": [agent(f"Bulk {number}")]}) for number in range(4)),
        *(bounded.post("/api/workflow-recipes/apply", json=recipe_file(f"r-{number}", f"Worker {number}"))
          for number in range(4)),
    )

    assert {answer.status for answer in answers} <= {200, 201, 409}
    assert sum(answer.status < 300 for answer in answers) == LIMIT
    assert await agents_of(bounded) == LIMIT


async def test_without_a_limit_nobody_waits_for_anybody(
    http: aiohttp.ClientSession, database: Database, ground: Ground
) -> None:
    client = await new_client(http, database)
    await plan(database, client.workspace_id, max_agents=-1, max_workflows=-1)
    async with database.recording(None, Scope.AUTH) as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM workspaces WHERE id = $1 FOR NO KEY UPDATE", client.workspace_id)
        async with asyncio.timeout(20):
            assert (await client.post("/api/agents", json=agent("Free"))).status == 201


async def test_a_workspace_says_what_its_plan_allows(bounded: Client) -> None:
    place = (await bounded.get(f"/api/workspaces/{bounded.workspace_id}")).json()

    assert place["plan_limits"] == {"max_agents": LIMIT, "max_workflows": LIMIT, "max_members": -1}
