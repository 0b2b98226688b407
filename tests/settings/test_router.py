"""Settings over HTTP."""

import pytest

from automatos.kernel.db import Database
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
async def test_an_unknown_provider_in_settings_is_an_explicit_error(client: Client) -> None:
    await client.put("/api/settings/orchestrator_llm/llm_provider", json={"value": "opnai"})

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
