"""Deleting an agent: refused while it is used; whole when that was accepted, and nothing of others is lost."""

import asyncio
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import Database
from automatos.lifecycle import deletion
from automatos.lifecycle.deletion import Part
from tests.fakes.model_server import ModelServer, Reply
from tests.lifecycle.lives import audit, lane, run_ends
from tests.surface import Answer, Client, Make


async def delete(client: Client, agent_id: int, **query: Any) -> Answer:
    return await client.delete(f"/api/agents/{agent_id}", params={k: str(v) for k, v in query.items()})


async def token_of(client: Client, agent_id: int) -> str:
    return (await client.get(f"/api/agents/{agent_id}/deletion")).json()["impact_token"]


@pytest.mark.capability("S016")
async def test_an_agent_that_nothing_uses_goes_with_its_relations(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent()

    answer = await delete(client, agent["id"])

    assert answer.status == 204
    assert (await client.get(f"/api/agents/{agent['id']}")).status == 404
    assert await lane(database, agent["id"]) is None
    async with database.recording(client.workspace_id) as connection:
        left = await connection.fetchval(
            "SELECT (SELECT count(*) FROM agent_versions WHERE agent_id = $1) + "
            "(SELECT count(*) FROM agent_skills WHERE agent_id = $1)", agent["id"])
    assert left == 0
    assert (await audit(database, client))[-1][1:] == ("agent.deleted", {"name": agent["name"]})


async def test_an_agent_in_use_stays_and_the_refusal_shows_who_uses_it(client: Client, make: Make) -> None:
    agent = await make.agent()
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Hello"})

    refused = await delete(client, agent["id"])
    stale = await delete(client, agent["id"], cascade=True, impact_token="0" * 40)
    without = await delete(client, agent["id"], cascade=True)

    assert (refused.status, refused.code) == (409, "agent_in_use")
    assert refused.json()["dependents"] == [{"kind": "recipe", "id": recipe["template_id"], "name": recipe["name"]}]
    impact = refused.json()["impact"]
    assert (impact["proposed_status"], impact["shutdown_type"]) == ("deleted", None)
    assert (stale.status, stale.code) == (409, "impact_changed")
    assert without.code == "agent_in_use"
    assert (await client.get(f"/api/agents/{agent['id']}")).status == 200


async def test_a_cascade_ends_its_work_keeps_recipes_and_usage(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    gate = asyncio.Event()
    agent = await make.agent(configuration={"max_concurrent_tasks": 1})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Work"})
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"
    model_server.script(Reply(gate=gate), repeat=True)
    running, waiting = [await client.cook(recipe["template_id"]) for _ in range(2)]
    await model_server.wait_for_calls(2)
    seen = (await client.get(f"/api/agents/{agent['id']}/deletion")).json()
    assert (seen["will_interrupt"], seen["will_cancel"]) == ([running], [waiting])

    answer = await delete(client, agent["id"], cascade=True, impact_token=await token_of(client, agent["id"]))

    assert answer.status == 204, answer.body
    await model_server.wait_for(lambda: model_server.calls[1].disconnected, 5)
    assert {(await run_ends(client, run))["status"] for run in (running, waiting)} <= {"failed", "cancelled"}
    stored = (await client.get(f"/api/workflow-recipes/{recipe['template_id']}")).json()
    assert stored["steps"][0]["agent_id"] == agent["id"]
    start = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={})
    assert start.code == "recipe_not_ready"
    assert "deleted" in start.json()["detail"]
    gate.set()


@pytest.mark.capability("S109")
async def test_usage_of_a_deleted_agent_stays_without_it(client: Client, make: Make, database: Database) -> None:
    agent = await make.agent()
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO llm_usage (workspace_id, agent_id, request_type, provider, model_id, status) "
            "VALUES ($1, $2, 'test', 'openai', 'fake-model', 'success')", client.workspace_id, agent["id"])

    assert (await delete(client, agent["id"])).status == 204

    async with database.recording(client.workspace_id) as connection:
        rows = await connection.fetch("SELECT agent_id, provider FROM llm_usage")
    assert [tuple(row) for row in rows] == [(None, "openai")]


async def rename(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """A part that works: what it wrote is there afterwards, or with a failure is not."""
    del agent_id
    await session.execute(text("UPDATE workspaces SET name = 'Cleaned' WHERE id = :id"), {"id": workspace_id})


async def fail(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """A part that fails in the database, as a missing column does."""
    del workspace_id, agent_id
    await session.execute(text("DELETE FROM workspaces WHERE no_such_column = 1"))


def with_parts(monkeypatch: pytest.MonkeyPatch, *planted: Part) -> None:
    """Have other packages take part in the deletion, before those that do."""
    monkeypatch.setattr(deletion, "PARTS", (*planted, *deletion.PARTS))


async def name_of(client: Client, database: Database) -> str:
    async with database.recording(client.workspace_id) as connection:
        return str(await connection.fetchval("SELECT name FROM workspaces WHERE id = $1", client.workspace_id))


@pytest.mark.capability("S108", partly="The parts that fail are planted; workflows and memories do not exist yet.")
async def test_a_required_part_that_fails_keeps_the_agent_and_is_named(
    client: Client, make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await make.agent()
    with_parts(monkeypatch, Part("name", rename), Part("diary", fail))

    answer = await delete(client, agent["id"])

    assert (answer.status, answer.code, answer.json()["part"]) == (500, "dependent_not_cleaned", "diary")
    assert (await client.get(f"/api/agents/{agent['id']}")).status == 200
    assert await name_of(client, database) == "Test"
    assert await lane(database, agent["id"]) == (5, "open")


@pytest.mark.capability("S108")
async def test_an_optional_part_that_fails_is_left_and_the_others_are_cleaned(
    client: Client, make: Make, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = await make.agent()
    with_parts(monkeypatch, Part("diary", fail, is_required=False), Part("name", rename))

    assert (await delete(client, agent["id"])).status == 204

    assert (await client.get(f"/api/agents/{agent['id']}")).status == 404
    assert await name_of(client, database) == "Cleaned"
