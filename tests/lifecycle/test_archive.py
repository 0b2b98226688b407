"""Archiving: an agent is put away with its history and can be taken back."""

from random import Random
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.lifecycle.lives import confirm, put_status, until
from tests.lifecycle.references import References
from tests.surface import Client, Make


async def usage_of(client: Client, path: str) -> dict[str, Any]:
    return (await client.get(path)).json()["model_usage_stats"]


async def names(client: Client, **query: str) -> list[str]:
    return [one["name"] for one in (await client.get("/api/agents", params=query)).json()["items"]]


@pytest.mark.capability("S092")
@pytest.mark.capability("S213")
@pytest.mark.parametrize("before", ["inactive", "active", "paused", "maintenance", "training"])
async def test_an_archived_agent_is_listed_when_asked_for_and_comes_back_inactive(
    client: Client, make: Make, before: str
) -> None:
    agent = await make.agent("Keeper", active=before in ("active", "paused"))
    if before not in ("active", "inactive"):
        assert (await put_status(client, agent["id"], before)).status == 200
    path = f"/api/agents/{agent['id']}"

    archived = await client.post(f"{path}/archive")

    assert (archived.status, archived.json()["status"]) == (200, "archived"), archived.body
    assert (await names(client), await names(client, status="archived")) == ([], ["Keeper"])
    assert (await client.get(path)).json()["status"] == "archived"
    assert (await client.get("/api/agents/stats")).json()["total_agents"] == 0
    again = await client.post(f"{path}/archive")
    assert again.json()["status"] == "archived"
    restored = await client.post(f"{path}/restore")
    assert (restored.json()["status"], await names(client)) == ("inactive", ["Keeper"])
    twice = await client.post(f"{path}/restore")
    assert (twice.status, twice.code) == (409, "wrong_status")


@pytest.mark.capability("S213")
async def test_an_archived_agent_takes_no_work_and_keeps_its_history(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Keeper")
    path = f"/api/agents/{agent['id']}"
    model_server.script(Reply(text="Done."))
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    run = await client.cooked(recipe["template_id"])
    used = await until(lambda: usage_of(client, path), lambda stats: stats["total_requests"] == 1)
    assert (await client.post(f"{path}/archive")).status == 200

    task = await client.post(f"{path}/execute", json={"prompt": "Work"})
    cooked = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})
    activated = await put_status(client, agent["id"], "active")

    assert (task.status, task.code) == (400, "agent_not_eligible")
    assert (cooked.status, cooked.code) == (409, "recipe_not_ready")
    assert (activated.status, activated.json()["allowed"]) == (409, ["inactive"])
    assert [one["run_id"] for one in (await client.get(f"{path}/runs")).json()["items"]] == [run["id"]]
    assert await usage_of(client, path) == used
    assert (await client.get(f"{path}/versions")).json()["total"] == 1


@pytest.mark.capability("S213")
async def test_an_archived_agent_leaves_its_name_to_others(client: Client, make: Make) -> None:
    first = await make.agent("Keeper", active=False)
    path = f"/api/agents/{first['id']}"
    await client.post(f"{path}/archive")
    await make.agent("keeper", active=False)
    for refused in (await client.post(f"{path}/restore"), await put_status(client, first["id"], "inactive")):
        assert (refused.status, refused.code) == (409, "agent_name_taken")
    assert (await client.put(path, json={"name": "Elder"})).status == 200
    assert (await client.post(f"{path}/restore")).json()["name"] == "Elder"


@pytest.mark.capability("S105")
@pytest.mark.capability("S213")
async def test_archiving_an_agent_at_work_is_a_stop_that_has_to_be_confirmed(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent("Keeper")
    await References(database, client.workspace_id, Random(1), [agent["id"]]).add_work(agent["id"], "queued")
    refused = await client.post(f"/api/agents/{agent['id']}/archive")
    assert (refused.status, refused.code) == (409, "impact_not_confirmed")
    assert refused.json()["missing"] == ["acknowledge_workflow_impact", "acknowledge_queue_impact", "confirm_shutdown"]
    done = await confirm(client, agent["id"], "archived")
    assert done["agent"]["status"] == "archived"


@pytest.mark.capability("S213")
async def test_several_are_archived_and_restored_and_a_stranger_finds_none(
    client: Client, stranger: Client, make: Make
) -> None:
    ids = [(await make.agent(active=False))["id"] for _ in range(2)]
    for action, status in (("archive", "archived"), ("restore", "inactive")):
        done = await client.post("/api/agents/bulk/actions", json={"action": action, "agent_ids": ids})
        assert (done.json()["succeeded"], done.json()["failed"]) == (2, 0)
        assert len(await names(client, status=status)) == 2
        other = await stranger.post(f"/api/agents/{ids[0]}/{action}")
        assert (other.status, other.code) == (404, "agent_not_found")
