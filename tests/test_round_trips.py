"""What a GET gave, a PUT of the same address takes: made from the description of the API, for every resource."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from tests.surface import Client, Make
from tests.tenancy.world import new_person

Maker = Callable[[Client, Make], Awaitable[str]]
"""Makes a thing and returns the address at which it is read and written."""

MODEL = {"provider": "openai", "model_id": "gpt-4o-mini", "temperature": 0.5}
MOVES_BY_ITSELF = {"updated_at", "version", "last_used_at"}
NEVER_SHOWN = {"/api/auth/password"}


async def agent(client: Client, make: Make) -> str:
    skill = await client.post("/api/skills", json={
        "name": "count-things", "description": "Counts.", "content": "Count one by one."})
    made = await make.agent(
        active=False, tools=["calculator"], tags=["a"], model_config=MODEL, skill_ids=[skill.json()["id"]],
        custom_persona_prompt="Be brief.",
        configuration={"priority_level": "high", "resource_limits": {"cpu_percent": 7}})
    return f"/api/agents/{made['id']}"


async def recipe(client: Client, make: Make) -> str:
    first, second = await make.agent(), await make.agent()
    made = await make.recipe(
        {"agent_id": first["id"], "prompt_template": "One"}, {"agent_id": second["id"], "prompt_template": "Two"},
        {"agent_id": first["id"], "prompt_template": "Three"}, tags=["x"],
        inputs={"topic": {"type": "string", "default": "tides"}})
    return f"/api/workflow-recipes/{made['template_id']}"


async def skill(client: Client, make: Make) -> str:
    made = await client.post("/api/skills", json={
        "name": "read-maps", "description": "Reads maps.", "content": "Look north.",
        "files": [{"path": "references/signs.md", "content": "A cross is a church."}]})
    assert made.status == 201, made.body
    return f"/api/skills/{made.json()['id']}"


async def credential(client: Client, make: Make) -> str:
    made = await client.post("/api/credentials", json={
        "name": "Key", "provider": "openai", "value": "sk-0123456789abcdef", "tags": ["team"]})
    assert made.status == 201, made.body
    return f"/api/credentials/{made.json()['id']}"


async def persona(client: Client, make: Make) -> str:
    made = await client.post(f"/api/workspaces/{client.workspace_id}/personas", json={
        "name": "Lighthouse keeper", "system_prompt": "You keep the light.", "category": "Support"})
    assert made.status == 201, made.body
    return f"/api/workspaces/{client.workspace_id}/personas/{made.json()['id']}"


async def pattern(client: Client, make: Make) -> str:
    made = await client.post("/api/patterns", json={
        "name": "Two readers", "pattern_type": "coordination", "pattern_data": {"steps": ["read", "compare"]}})
    assert made.status == 201, made.body
    return f"/api/patterns/{made.json()['slug']}"


async def setting(client: Client, make: Make) -> str:
    path = "/api/settings/heartbeat/timezone"
    assert (await client.put(path, json={"value": "Europe/Berlin"})).status == 200
    return path


async def settings_of_category(client: Client, make: Make) -> str:
    return (await setting(client, make)).rpartition("/")[0]


async def source(client: Client, make: Make) -> str:
    sources = (await client.get("/api/skills/sources")).json()["items"]
    return f"/api/skills/sources/{sources[0]['id']}"


async def catalogue_entry(client: Client, make: Make) -> str:
    made = await client.post("/api/models/catalogue", json={
        "provider": "openai", "model_id": f"house-{new_id().hex}", "display_name": "House model"})
    assert made.status == 201, made.body
    return f"/api/models/catalogue/{made.json()['id']}"


def part_of_agent(before: str, after: str) -> Maker:
    async def made(client: Client, make: Make) -> str:
        path = await agent(client, make)
        return before + path.removeprefix("/api/agents") + after

    return made


async def workspace(client: Client, make: Make) -> str:
    return f"/api/workspaces/{client.workspace_id}"


async def any_workspace(client: Client, make: Make) -> str:
    return f"/api/admin/workspaces/{client.workspace_id}"


MAKERS: dict[str, Maker] = {
    "/api/admin/workspaces/{tenant_id}": any_workspace,
    "/api/agents/{agent_id}": agent,
    "/api/agents/{agent_id}/config": part_of_agent("/api/agents", "/config"),
    "/api/agents/{agent_id}/model-config": part_of_agent("/api/agents", "/model-config"),
    "/api/agents/{agent_id}/persona": part_of_agent("/api/agents", "/persona"),
    "/api/agents/{agent_id}/status": part_of_agent("/api/agents", "/status"),
    "/api/credentials/{credential_id}": credential,
    "/api/heartbeat/agents/{agent_id}/config": part_of_agent("/api/heartbeat/agents", "/config"),
    "/api/models/agents/{agent_id}/config": part_of_agent("/api/models/agents", "/config"),
    "/api/models/catalogue/{entry_id}": catalogue_entry,
    "/api/patterns/{pattern_slug}": pattern,
    "/api/settings/{category}": settings_of_category,
    "/api/settings/{category}/{key}": setting,
    "/api/skills/sources/{source_id}": source,
    "/api/skills/{skill_id}": skill,
    "/api/workflow-recipes/{template_id}": recipe,
    "/api/workspaces/{workspace_id}": workspace,
    "/api/workspaces/{workspace_id}/personas/{persona_id}": persona,
}


def put_paths(document: dict[str, Any]) -> set[str]:
    return {path for path, verbs in document["paths"].items() if "put" in verbs}


@pytest.fixture
async def client(http: aiohttp.ClientSession, database: Database) -> Client:
    """A system admin at home, who may write everything; the workspace has a source of skills."""
    person = await new_person(http, database, "root", system_role="admin")
    client = await person.at(person.home)
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO skill_sources (id, workspace_id, source_name, source_type, git_url, git_branch) "
            "VALUES ($1, $2, 'House skills', 'git', 'https://example.com/skills.git', 'main')",
            new_id(), client.workspace_id)
    return client


async def test_every_address_that_is_written_can_be_read_and_has_a_round_trip(client: Client) -> None:
    document = await description(client)
    assert {path for path in put_paths(document) if "get" not in document["paths"][path]} == NEVER_SHOWN
    assert put_paths(document) - NEVER_SHOWN == set(MAKERS)


@pytest.mark.capability("S015")
@pytest.mark.capability("S220")
@pytest.mark.parametrize("template", list(MAKERS))
async def test_what_was_read_can_be_written_back(client: Client, make: Make, template: str) -> None:
    path = await MAKERS[template](client, make)
    read = await client.get(path)
    assert read.status == 200, read.body

    written = await client.put(path, json=read.json())

    assert written.status == 200, written.body
    after = (await client.get(path)).json()
    assert {name: value for name, value in after.items() if name not in MOVES_BY_ITSELF} == {
        name: value for name, value in read.json().items() if name not in MOVES_BY_ITSELF}


@pytest.mark.capability("S220")
@pytest.mark.parametrize("template", list(MAKERS))
async def test_a_field_that_can_only_be_read_is_refused_with_another_value(
    client: Client, make: Make, template: str
) -> None:
    path = await MAKERS[template](client, make)
    read = (await client.get(path)).json()
    writable = writable_fields(await description(client), template)
    read_only = [name for name in read if name not in writable]

    for name in read_only:
        refused = await client.put(path, json=read | {name: other_than(read[name])})
        assert (refused.status, refused.code) == (422, "read_only_field"), (name, refused.body)
        assert refused.json()["errors"][0]["field"] == name
    unknown = await client.put(path, json=read | {"no_such_field": 1})

    assert read_only or template == "/api/agents/{agent_id}/config"
    assert (unknown.status, unknown.code) == (422, "invalid_request")
    assert "no_such_field" in unknown.json()["detail"]
    assert (await client.get(path)).json() == read


@pytest.mark.capability("S220")
async def test_steps_may_be_moved_and_given_to_others_with_what_the_list_showed_of_their_agents(
    client: Client, make: Make
) -> None:
    path = await recipe(client, make)
    read = (await client.get(path)).json()
    first, second, third = read["steps"]
    moved = read | {"steps": [third | {"order": 1}, first | {"order": 2}, second | {"order": 3}]}
    wrong = read | {"steps": [first | {"agent": first["agent"] | {"name": "Somebody else"}}, second, third]}

    taken = await client.put(path, json=moved)
    refused = await client.put(path, json=wrong)

    assert taken.status == 200, taken.body
    assert [step["prompt_template"] for step in taken.json()["steps"]] == ["Three", "One", "Two"]
    assert (refused.status, refused.json()["errors"][0]["field"]) == (422, "steps.0.agent")


@pytest.mark.capability("S021")
async def test_a_stranger_and_a_viewer_learn_nothing_from_a_body_with_read_only_fields(
    client: Client, stranger: Client, make: Make
) -> None:
    path = await agent(client, make)
    read = (await client.get(path)).json()
    for body in (read, read | {"slug": "guess"}):
        answer = await stranger.put(path, json=body)
        assert (answer.status, answer.code) in ((404, "agent_not_found"), (422, "invalid_request"))
        assert answer.code != "read_only_field"


async def description(client: Client) -> dict[str, Any]:
    return (await client.get("/api/openapi.json")).json()


def writable_fields(document: dict[str, Any], template: str) -> set[str]:
    schema = document["paths"][template]["put"]["requestBody"]["content"]["application/json"]["schema"]
    found = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return set(found["properties"])


def other_than(value: Any) -> Any:
    """A value of the same kind that is not that one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    return json.dumps(value) + " changed"
