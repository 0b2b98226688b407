"""Every request of the product's description against the running server; each departure is listed, and happens."""

import re
from typing import Any

import aiohttp
import pytest

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer, Reply
from tests.seed_client.client import PAGE, Documented, departures, difference, documented, page, send, variables
from tests.surface import Client, Make
from tests.tenancy.world import new_person

REQUESTS = list(documented().values())


@pytest.fixture
async def client(http: aiohttp.ClientSession, database: Database) -> Client:
    """Somebody who may do all that the description names: a system admin at home."""
    person = await new_person(http, database, "seed", system_role="admin")
    return await person.at(person.home)


async def made_before(client: Client, make: Make, database: Database) -> dict[str, Any]:
    """What the description's requests need to be there."""
    agent, active = await make.agent("Writer", active=False), await make.agent("Worker")
    recipe = await make.recipe({"agent_id": active["id"], "prompt_template": "Say hello"})
    skill = (await client.post("/api/skills", json={
        "name": "count-things", "description": "Counts.", "content": "Count one by one."})).json()
    persona = (await client.post(f"/api/workspaces/{client.workspace_id}/personas", json={
        "name": "Keeper", "system_prompt": "You keep the light.", "category": "Support"})).json()
    foreign = new_id()
    async with database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Other', $2)", foreign, f"other-{foreign.hex}")
    return {"agent_id": agent["id"], "agent_name": agent["name"], "active_agent_id": active["id"],
            "recipe_id": recipe["template_id"], "skill_id": skill["id"], "persona_id": persona["id"],
            "workspace_id": client.workspace_id, "foreign_workspace_id": foreign}


@pytest.mark.capability("S220")
@pytest.mark.parametrize("request_", REQUESTS, ids=[one.id for one in REQUESTS])
async def test_a_documented_request_is_answered_as_described_or_as_its_departure_says(
    client: Client, make: Make, database: Database, model_server: ModelServer, request_: Documented
) -> None:
    model_server.script(Reply(text="Hello."), repeat=True)
    names = await made_before(client, make, database)

    answer = await send(client, request_, names)

    accepted = departures().get(request_.id)
    assert difference(request_, answer) == (accepted.answers if accepted else ""), answer.body[:400]


@pytest.mark.capability("S220")
def test_departures_are_of_requests_that_exist_each_with_its_kind_and_reason() -> None:
    assert set(departures()) <= set(documented())
    every = [*departures().values(), *filter(None, variables().values())]
    assert {one.kind for one in every} <= {"decided", "not built yet"}
    assert all(len(one.reason) > 20 for one in every)


@pytest.mark.capability("S220")
async def test_what_is_said_not_to_be_built_has_no_address_and_what_has_one_refuses_the_field(client: Client) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    shapes = {(method, re.sub(r"\{\w+\}", "{}", path)) for path, ways in paths.items() for method in ways}
    there: dict[str, str] = {}
    for name, one in departures().items():
        method, path = documented()[name].send.lower().split(" ", 1)
        has_address = (method, re.sub(r"\{\w+\}", "{}", path.partition("?")[0])) in shapes
        if one.kind == "not built yet" and has_address is (one.answers == "404"):
            there[name] = f"answers {one.answers}, and {'has' if has_address else 'has no'} address"
    assert there == {}


def test_the_page_of_departures_is_current() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.capabilities"
