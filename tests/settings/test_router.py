"""Settings over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.settings.service import find_values, save_settings
from automatos.settings.types import SettingScope
from automatos.workspaces.types import AuthMethod, Caller, Role
from tests.surface import Client, add_key


@pytest.mark.capability("S037")
async def test_a_saved_choice_of_model_becomes_the_default(client: Client) -> None:
    before = (await client.get("/api/models/default")).json()
    for key, value in (("llm_provider", "anthropic"), ("llm_model", "claude-haiku-4-5")):
        saved = await client.put(f"/api/settings/orchestrator_llm/{key}", json={"value": value})
        assert saved.status == 200, saved.body

    after = (await client.get("/api/models/default")).json()
    listed = (await client.get("/api/settings")).json()["items"]

    assert (before["source"], before["provider"]) == ("environment", "openai")
    assert after == {"provider": "anthropic", "model_id": "claude-haiku-4-5", "source": "workspace_settings",
                     "is_demo": False}
    assert {(s["key"], s["value"], s["value_type"], s["scope"]) for s in listed} == {
        ("llm_provider", "anthropic", "string", "workspace"), ("llm_model", "claude-haiku-4-5", "string", "workspace")}


@pytest.mark.capability("S037")
@pytest.mark.capability("S043")
@pytest.mark.parametrize("category", ["orchestrator_llm", "chatbot", "rag"])
@pytest.mark.parametrize("name", ["bogus", "OpenAI", "openai "])
async def test_an_unknown_provider_cannot_be_saved_and_the_refusal_names_those_there_are(
    client: Client, category: str, name: str
) -> None:
    one = await client.put(f"/api/settings/{category}/llm_provider", json={"value": name})
    several = await client.put(f"/api/settings/{category}", json={"values": {"llm_model": "m", "llm_provider": name}})

    for answer in (one, several):
        assert (answer.status, answer.code) == (422, "setting_invalid")
        assert "anthropic" in answer.json()["detail"]
        assert "openai" in answer.json()["detail"]
    assert (await client.get("/api/settings")).json()["items"] == []


@pytest.mark.capability("S037")
@pytest.mark.capability("S043")
async def test_a_provider_and_its_model_are_set_in_one_save(client: Client) -> None:
    saved = await client.put("/api/settings/orchestrator_llm", json={
        "values": {"llm_provider": "anthropic", "llm_model": "claude-haiku-4-5", "temperature": 0.2}})
    assert (saved.status, saved.json()["total"]) == (200, 3)
    found = (await client.get("/api/models/default")).json()
    assert (found["provider"], found["model_id"]) == ("anthropic", "claude-haiku-4-5")
    half = await client.put("/api/settings/orchestrator_llm", json={
        "values": {"llm_provider": "openai", "temperature": "hot"}})
    assert (half.status, half.code) == (422, "setting_invalid")
    assert (await client.get("/api/models/default")).json() == found


@pytest.fixture
async def servers_choice(client: Client, database: Database) -> AsyncIterator[Client]:
    """A server whose own default is openai/gpt-4o, set by its admin, in the workspace of a caller who may set it."""
    caller = Caller(user=None, workspace_id=client.workspace_id, role=Role.ADMIN, auth_method=AuthMethod.NONE,
                    is_system_admin=True)

    async def choose(provider: str | None, model: str | None) -> None:
        async with database.session(client.workspace_id, Scope.ADMIN) as session:
            await save_settings(session, caller, "orchestrator_llm",
                                {"llm_provider": provider, "llm_model": model}, scope=SettingScope.SYSTEM)

    await choose("openai", "gpt-4o")
    yield client
    await choose(None, None)


async def choose(client: Client, **values: str | None) -> dict[str, str]:
    """Set a default in one request; return what the workspace has of its own."""
    saved = await client.put("/api/settings/orchestrator_llm", json={"values": values})
    assert saved.status == 200, saved.body
    listed = (await client.get("/api/settings")).json()["items"]
    return {each["key"]: each["value"] for each in listed if each["scope"] == "workspace"}


@pytest.mark.capability("S043")
async def test_a_choice_of_model_never_has_a_half_that_is_inherited(servers_choice: Client) -> None:
    client = servers_choice

    assert await choose(client, llm_provider="openai", llm_model="gpt-4o") == {}
    own = {"llm_provider": "openai", "llm_model": "gpt-5-mini"}
    assert await choose(client, **own) == own
    assert await choose(client, llm_provider=None, llm_model=None) == {}

    await client.put("/api/settings/orchestrator_llm/llm_provider", json={"value": "openai"})
    whole = {"llm_provider": "openai", "llm_model": "gpt-4o"}
    assert await choose(client, **whole) == whole


@pytest.mark.capability("S043")
async def test_the_servers_choice_is_saved_whatever_a_workspace_has_of_its_own(
    servers_choice: Client, database: Database
) -> None:
    client, stranger = servers_choice, new_id()
    await choose(client, llm_provider="anthropic", llm_model="claude-haiku-4-5")
    caller = Caller(user=None, workspace_id=client.workspace_id, role=Role.ADMIN, auth_method=AuthMethod.NONE,
                    is_system_admin=True)

    async with database.session(client.workspace_id, Scope.ADMIN) as session:
        await save_settings(session, caller, "orchestrator_llm",
                            {"llm_provider": "anthropic", "llm_model": "claude-haiku-4-5"}, scope=SettingScope.SYSTEM)

    assert (await find_values(database, stranger, "orchestrator_llm"))["system"] == {
        "llm_provider": "anthropic", "llm_model": "claude-haiku-4-5"}


@pytest.mark.capability("S043")
async def test_two_who_choose_at_once_leave_the_choice_of_one(client: Client) -> None:
    pairs = [{"llm_provider": "openai", "llm_model": "gpt-4o"}, {"llm_model": "claude-haiku-4-5",
                                                                "llm_provider": "anthropic"}]

    for _ in range(5):
        answers = await asyncio.gather(*(
            client.put("/api/settings/orchestrator_llm", json={"values": pair}) for pair in pairs * 2))
        assert {answer.status for answer in answers} == {200}
        left = (await client.get("/api/settings/orchestrator_llm")).json()["values"]
        assert left in pairs


@pytest.mark.capability("S043")
@pytest.mark.parametrize(("value", "other"), [(3, "3"), ("on", True), (False, 0), ({"a": 1}, None), ("3", 3)])
async def test_a_setting_keeps_its_type_until_another_is_declared(client: Client, value: Any, other: Any) -> None:
    path = "/api/settings/notes/thing"
    first = (await client.put(path, json={"value": value})).json()
    if other is None:  # JSON holds anything
        changed = await client.put(path, json={"value": "text"})
        assert (changed.status, changed.json()["value_type"], changed.json()["value"]) == (200, "json", "text")
        return
    silent = await client.put(path, json={"value": other})
    assert (silent.status, silent.code) == (422, "setting_invalid")
    assert first["value_type"] in silent.json()["detail"]
    assert (await client.get(path)).json()["value"] == value
    kinds = {bool: "boolean", int: "number", str: "string"}
    said = await client.put(path, json={"value": other, "value_type": kinds[type(other)]})
    assert (said.status, said.json()["value"], said.json()["value_type"]) == (200, other, kinds[type(other)])
    wide = await client.put(path, json={"value": {"any": [value]}, "value_type": "json"})
    assert (wide.status, wide.json()["value_type"]) == (200, "json")


@pytest.mark.capability("S043")
async def test_a_setting_is_read_by_its_name_with_what_is_assumed_where_nothing_is_set(client: Client) -> None:
    assumed = (await client.get("/api/settings/orchestrator_llm/temperature")).json()
    assert (assumed["value"], assumed["value_type"], assumed["scope"]) == (None, "number", "system")
    for path in ("orchestrator_llm/no_such_key", "notes/no_such_key"):
        missing = await client.get(f"/api/settings/{path}")
        assert (missing.status, missing.code) == (422, "unknown_setting")
    declared = await client.put("/api/settings/orchestrator_llm/temperature", json={"value": 1, "value_type": "string"})
    assert (declared.status, declared.code) == (422, "setting_invalid")


async def test_a_provider_that_went_away_is_an_explicit_error_where_it_is_used(
    client: Client, database: Database
) -> None:
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO system_settings (workspace_id, category, key, value, value_type) "
            "VALUES ($1, 'orchestrator_llm', 'llm_provider', $2, 'string')", client.workspace_id, '"opnai"')

    answer = await client.get("/api/models/default")

    assert (answer.status, answer.code) == (422, "unknown_provider")
    assert "openai" in answer.json()["detail"]


@pytest.mark.parametrize(("path", "body", "code"), [
    ("orchestrator_llm/llm_model", {"value": 3}, "setting_invalid"),
    ("orchestrator_llm/llm_model", {}, "invalid_request"),
    ("orchestrator_llm/llm_model", {"value": "x", "workspace_id": "y"}, "invalid_request"),
    ("orchestrator_llm/llm_model", {"value": "x", "scope": "galaxy"}, "invalid_request"),
    ("Orchestrator/llm_model", {"value": "x"}, "invalid_request"),
    ("orchestrator_llm/" + "k" * 101, {"value": "x"}, "invalid_request"),
])
async def test_what_does_not_fit_is_refused(client: Client, path: str, body: dict[str, object], code: str) -> None:
    answer = await client.put(f"/api/settings/{path}", json=body)

    assert (answer.status, answer.code) == (422, code)


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("editor", 403), ("admin", 200)])
async def test_everybody_reads_and_admins_write(client: Client, database: Database, role: str, status: int) -> None:
    caller = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, role)})

    assert (await caller.get("/api/settings")).status == 200
    assert (await caller.put("/api/settings/notes/greeting", json={"value": "hi"})).status == status


async def test_the_systems_scope_needs_a_system_admin(client: Client) -> None:
    answer = await client.put("/api/settings/notes/greeting", json={"value": "hi", "scope": "system"})

    assert (answer.status, answer.code) == (403, "system_admin_required")
