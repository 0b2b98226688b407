"""A database that goes while something is judged says nothing about what is judged: not ready, not cleaned, failed."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import asyncpg
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.services import Services
from tests.durable.conftest import until
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Answer, Client, Make

CutOff = Callable[[str, Awaitable[Any]], Awaitable[Any]]
WAITING = "SELECT pid FROM pg_locks WHERE relation = to_regclass($1) AND NOT granted"


@pytest.fixture
async def cut_off(migrated: Migrated, services: Services, client: Client) -> AsyncIterator[CutOff]:
    """Have something done whose connection is ended as soon as it comes to a table."""
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)

    async def end_at(table: str, work: Awaitable[Any]) -> Any:
        services.keyring.forget(client.workspace_id)
        async with connection.transaction():
            await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            doing = asyncio.ensure_future(work)
            await until(lambda: _end_waiting(connection, table))
        return await doing

    yield end_at
    await connection.close()


async def _end_waiting(connection: asyncpg.Connection, table: str) -> int:
    waiting = await connection.fetch(WAITING, table)
    for row in waiting:
        await connection.execute("SELECT pg_terminate_backend($1)", row["pid"])
    return len(waiting)


def says_come_again(answer: Answer) -> None:
    assert (answer.status, answer.code) == (503, "database_unavailable"), answer.body
    assert answer.headers["retry-after"]


async def test_a_recipe_is_not_called_unready(client: Client, make: Make, cut_off: CutOff) -> None:
    recipe = await make.recipe("Say hello")
    path = f"/api/workflow-recipes/{recipe['template_id']}/execute"

    says_come_again(await cut_off("credentials", client.post(path, json={})))

    assert (await client.get("/api/runs")).json()["total"] == 0
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"


async def test_an_agent_is_not_called_unready(client: Client, make: Make, cut_off: CutOff) -> None:
    agent = await make.agent(active=False)

    says_come_again(await cut_off("credentials", client.post(f"/api/agents/{agent['id']}/activate")))

    assert (await client.get(f"/api/agents/{agent['id']}")).json()["status"] == "inactive"


async def test_a_model_is_not_said_to_have_refused(client: Client, cut_off: CutOff) -> None:
    body = {"provider": "openai", "model_id": "fake-model"}

    says_come_again(await cut_off("credentials", client.post("/api/models/test", json=body)))

    assert (await client.post("/api/models/test", json=body)).json()["ok"] is True


async def test_a_part_that_could_not_be_removed_is_no_fault_of_the_server(
    client: Client, make: Make, cut_off: CutOff
) -> None:
    agent = await make.agent()

    says_come_again(await cut_off("agent_skills", client.delete(f"/api/agents/{agent['id']}")))

    assert (await client.delete(f"/api/agents/{agent['id']}")).status == 204


async def test_a_tool_that_reads_is_called_again_and_the_model_asked_once(
    client: Client, make: Make, model_server: ModelServer, cut_off: CutOff
) -> None:
    """What the tool would have said is not known to be a failure, so the model hears of none."""
    skill = await client.post("/api/skills", json={
        "name": "sheep-counting", "description": "Counts sheep.", "content": "Count twice.",
        "files": [{"path": "colours.md", "content": "White."}]})
    agent = await make.agent(skill_ids=[skill.json()["id"]])
    model_server.script(
        Reply(tool_calls=[("read_skill_file", {"name": "sheep-counting", "path": "colours.md"})]), Reply(text="done"))

    told = await cut_off("skill_files", client.post(f"/api/agents/{agent['id']}/execute", json={"prompt": "Colours?"}))
    await client.follow(told.json()["execution_id"])

    run = (await client.get(f"/api/runs/{told.json()['execution_id']}")).json()
    tools = [turn for turn in run["steps"][0]["turns"] if turn["kind"] == "tool"]
    assert (run["status"], len(model_server.calls)) == ("completed", 2)
    assert [turn["error"] for turn in tools] == [None]
    assert "White." in model_server.calls[1].tool_results[0]
