"""What a plan allows is set by system admins and held wherever one more is made, also by several at once."""

import asyncio
from typing import Any
from uuid import UUID

import aiohttp
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from tests.surface import Answer, Client, Make, new_client
from tests.tenancy.world import new_person

LIMIT = 3
EVERY = "/api/admin/workspaces"


@pytest.fixture
async def root(http: aiohttp.ClientSession, database: Database) -> Client:
    """A system admin at home, who is a member of no other workspace."""
    person = await new_person(http, database, "root", system_role="admin")
    return await person.at(person.home)


@pytest.fixture
async def bounded(http: aiohttp.ClientSession, database: Database, root: Client) -> Client:
    """An owner of a workspace that may have three agents and three recipes."""
    client = await new_client(http, database)
    await plan(root, client.workspace_id, max_agents=LIMIT, max_workflows=LIMIT)
    return client


async def plan(root: Client, workspace_id: UUID, **limits: int) -> dict[str, Any]:
    answer = await root.put(f"{EVERY}/{workspace_id}", json={"plan_limits": limits})
    assert answer.status == 200, answer.body
    return answer.json()


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
    http: aiohttp.ClientSession, database: Database, root: Client, migrated: Migrated
) -> None:
    client = await new_client(http, database)
    await plan(root, client.workspace_id, max_agents=-1, max_workflows=-1)
    async with database.recording(None, Scope.AUTH) as connection, connection.transaction():
        await connection.execute(
            "SELECT FROM workspaces WHERE id = $1 FOR NO KEY UPDATE", client.workspace_id)
        async with asyncio.timeout(20):
            assert (await client.post("/api/agents", json=agent("Free"))).status == 201


async def test_a_workspace_says_what_its_plan_allows(bounded: Client) -> None:
    place = (await bounded.get(f"/api/workspaces/{bounded.workspace_id}")).json()

    assert place["plan_limits"] == {"max_agents": LIMIT, "max_workflows": LIMIT, "max_members": -1}


async def test_a_system_admin_raises_a_limit_and_what_is_not_named_stays(bounded: Client, root: Client) -> None:
    for number in range(LIMIT):
        await Make(bounded).agent(f"Agent {number}", active=False)
    assert refuses(await bounded.post("/api/agents", json=agent("Fourth")), "max_agents")

    told = await plan(root, bounded.workspace_id, max_agents=LIMIT + 1)

    assert told["plan_limits"] == {"max_agents": LIMIT + 1, "max_workflows": LIMIT, "max_members": -1}
    assert (await bounded.post("/api/agents", json=agent("Fourth"))).status == 201
    lowered = await plan(root, bounded.workspace_id, max_agents=0)
    assert lowered["plan_limits"]["max_agents"] == 0
    assert await agents_of(bounded) == LIMIT + 1, "what is there stays"
    assert (await bounded.post("/api/agents", json=agent("Fifth"))).code == "plan_limit_reached"


async def test_the_workspace_reads_in_its_log_who_changed_its_plan_and_only_what_changed(
    bounded: Client, root: Client
) -> None:
    await plan(root, bounded.workspace_id, max_agents=5, max_workflows=LIMIT)
    await plan(root, bounded.workspace_id, max_agents=5)

    entries = (await bounded.get("/api/audit?action=workspace.plan_changed")).json()["items"]

    assert [each["detail"] for each in entries] == [
        {"max_agents": {"from": LIMIT, "to": 5}},
        {"max_agents": {"from": -1, "to": LIMIT}, "max_workflows": {"from": -1, "to": LIMIT}}]
    me = (await root.get("/api/auth/me")).json()["user"]["id"]
    assert {(each["user_id"], each["carrier"]) for each in entries} == {(me, "cookie")}


@pytest.mark.parametrize("limits", [
    {"max_agents": -2}, {"max_agents": 1_000_001}, {"max_agents": "5"}, {"max_agents": 2.5}, {"max_agents": True},
    {"max_documents": 5}, [], None, "all",
])
async def test_a_plan_that_cannot_be_meant_changes_nothing(bounded: Client, root: Client, limits: Any) -> None:
    answer = await root.put(f"{EVERY}/{bounded.workspace_id}", json={"plan_limits": limits})

    assert (answer.status, answer.code) == (422, "invalid_request")
    place = (await bounded.get(f"/api/workspaces/{bounded.workspace_id}")).json()
    assert place["plan_limits"] == {"max_agents": LIMIT, "max_workflows": LIMIT, "max_members": -1}


async def test_only_system_admins_see_all_workspaces_or_set_a_plan_not_even_its_owner(
    bounded: Client, http: aiohttp.ClientSession
) -> None:
    own, body = f"{EVERY}/{bounded.workspace_id}", {"plan_limits": {"max_agents": -1}}
    nobody = Client(http, bounded.workspace_id)

    for absent in (own, f"{EVERY}/{new_id()}"):
        assert (await bounded.put(absent, json=body)).code == "system_admin_required"
        assert (await bounded.get(absent)).code == "system_admin_required"
        assert (await nobody.put(absent, json=body)).status == 401
    assert (await bounded.get(EVERY)).code == "system_admin_required"
    place = (await bounded.get(f"/api/workspaces/{bounded.workspace_id}")).json()
    assert place["plan_limits"]["max_agents"] == LIMIT


async def test_every_workspace_is_found_page_by_page_with_its_owner_and_reading_is_noted(
    bounded: Client, root: Client, http: aiohttp.ClientSession, database: Database
) -> None:
    people = [await new_person(http, database, f"plan_{number}%") for number in range(3)]
    homes = [str(person.home) for person in people]

    found, cursor = list[dict[str, Any]](), ""
    while True:
        page = (await root.get(f"{EVERY}?limit=2&search=PLAN_{cursor}")).json()
        found += page["items"]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert [each["id"] for each in found] == sorted(homes)
    assert {each["owner"] for each in found} == {person.email for person in people}
    assert {each["members"] for each in found} == {1}
    assert found[0]["plan_limits"] == {"max_agents": 10, "max_workflows": 10, "max_members": 5}
    one = (await root.get(f"{EVERY}/{homes[0]}")).json()
    assert one == next(each for each in found if each["id"] == homes[0])
    assert (await root.get(f"{EVERY}/{new_id()}")).code == "workspace_not_found"
    absent = await root.put(f"{EVERY}/{new_id()}", json={"plan_limits": {"max_agents": 1}})
    assert absent.code == "workspace_not_found"
    noted = (await root.get("/api/audit?action=workspaces.read_across")).json()["items"]
    assert len(noted) >= 3
