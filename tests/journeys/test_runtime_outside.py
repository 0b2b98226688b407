"""An agent at work as one sees it from outside: when its model is asked, and what it holds."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make


async def executed(client: Client, agent: dict[str, Any], prompt: str) -> dict[str, Any]:
    started = await client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": prompt})
    assert started.status == 202, started.body
    await client.follow(started.json()["execution_id"])
    return (await client.get(f"/api/runs/{started.json()['execution_id']}")).json()


@pytest.mark.capability("S110")
async def test_an_active_agent_asks_its_model_with_its_first_work_and_not_before(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Lazy", active=False)
    model_server.script(Reply(text="done"), repeat=True)

    activated = await client.put(f"/api/agents/{agent['id']}", json={"status": "active"})
    await client.get(f"/api/agents/{agent['id']}/assembled-context")

    assert activated.json()["status"] == "active"
    assert model_server.calls == []
    assert (await executed(client, agent, "Begin."))["status"] == "completed"
    assert len(model_server.calls) == 1


@pytest.mark.capability("S110")
async def test_a_model_that_is_chosen_after_the_activation_is_the_one_that_is_asked(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent("Changed", model_config={"provider": "openai", "model_id": "fake-model"})
    model_server.script(Reply(text="done"), repeat=True)

    changed = await client.put(f"/api/agents/{agent['id']}/model-config",
                               json={"provider": "openai", "model_id": "other-model"})
    await executed(client, agent, "Begin.")

    assert changed.status == 200, changed.body
    assert [call.body["model"] for call in model_server.calls] == ["other-model"]


@pytest.mark.capability("S111")
async def test_what_an_agent_holds_is_what_its_model_gets_and_its_counters_go_up_by_that(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(
        "Ada", description="Adds.", tools=["calculator"],
        model_config={"provider": "openai", "model_id": "fake-model", "temperature": 0.25})
    held = (await client.get(f"/api/agents/{agent['id']}/assembled-context")).json()
    before = (await client.get(f"/api/agents/{agent['id']}")).json()
    model_server.script(Reply(text="two", usage=(40, 2)))

    await executed(client, agent, "Add one and one.")
    call = model_server.calls[-1]
    after = await counted(client, agent)

    assert (held["agent_id"], "You are Ada" in held["system_prompt"]) == (agent["id"], True)
    assert call.body["messages"][0]["content"] == held["system_prompt"]
    assert (call.body["model"], call.body["temperature"]) == (held["model"]["model_id"], held["temperature"])
    assert [tool["function"]["name"] for tool in call.body["tools"]] == held["tools"] == ["calculator"]
    assert used(before) == (0, 0, 0)
    assert used(after) == (1, 42, 1)


def used(agent: dict[str, Any]) -> tuple[int, int, int]:
    usage, work = agent["model_usage_stats"], agent["performance_metrics"]
    return usage["total_requests"], usage["total_tokens"], work["total_tasks_executed"]


async def counted(client: Client, agent: dict[str, Any]) -> dict[str, Any]:
    """The agent, once what it did has been counted: that follows the run's end."""
    async with asyncio.timeout(60):
        while 0 in used(found := (await client.get(f"/api/agents/{agent['id']}")).json()):
            await asyncio.sleep(0.05)
    return found


@pytest.mark.capability("S168")
async def test_deleting_an_agent_takes_its_links_and_leaves_what_they_led_to(
    client: Client, make: Make, database: Database
) -> None:
    body = {"name": "count-things", "description": "Counts.", "content": "Count one by one."}
    skill = (await client.post("/api/skills", json=body)).json()
    gone, stays = [await make.agent(name, active=False, skill_ids=[skill["id"]]) for name in ("Gone", "Stays")]

    deleted = await client.delete(f"/api/agents/{gone['id']}")

    assert deleted.status == 204, deleted.body
    assert await linked(database, client) == [(stays["id"], skill["id"])]
    assert (await client.get(f"/api/skills/{skill['id']}")).status == 200
    assert [one["id"] for one in (await client.get(f"/api/agents/{stays['id']}")).json()["skills"]] == [skill["id"]]


@pytest.mark.capability("S168")
async def test_deleting_skills_takes_their_links_and_no_others(
    client: Client, stranger: Client, database: Database
) -> None:
    for one in (client, stranger):
        body = {"name": "count-things", "description": "Counts.", "content": "Count one by one."}
        skill = (await one.post("/api/skills", json=body)).json()
        await Make(one).agent("Linked", active=False, skill_ids=[skill["id"]])
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("DELETE FROM skills WHERE workspace_id = $1", client.workspace_id)

    assert await linked(database, client) == []
    assert len(await linked(database, stranger)) == 1


async def linked(database: Database, client: Client) -> list[tuple[int, int]]:
    async with database.recording(client.workspace_id) as connection:
        rows = await connection.fetch("SELECT agent_id, skill_id FROM agent_skills ORDER BY agent_id, skill_id")
    return [tuple(row) for row in rows]
