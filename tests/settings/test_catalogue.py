"""The settings this server reads: each with type, default, bounds and meaning; others in their categories refused."""

from typing import Any

import pytest

from automatos.kernel.db import Database, Scope
from automatos.settings.catalogue import categories
from automatos.settings.seed import seed_settings
from automatos.settings.service import find_values
from automatos.settings.types import MODEL_CATEGORIES
from tests.surface import Client


@pytest.mark.capability("S043")
async def test_the_catalogue_tells_every_setting(client: Client) -> None:
    found = (await client.get("/api/settings/catalogue")).json()

    items = {(each["category"], each["key"]): each for each in found["items"]}
    assert found["total"] == len(items)
    assert {each["name"] for each in found["categories"]} == MODEL_CATEGORIES | {"heartbeat", "runs"}
    temperature = items["rag", "temperature"]
    assert (temperature["value_type"], temperature["minimum"], temperature["maximum"]) == ("number", 0, 2)
    providers = items["orchestrator_llm", "llm_provider"]["options"]
    assert {"openai", "groq", "custom"} <= set(providers)
    assert items["orchestrator_llm", "llm_model"]["options"] is None
    assert items["heartbeat", "active_hours_start"]["default"] == "08:00"
    assert all(each["description"].endswith(".") for each in found["items"])


@pytest.mark.capability("S043")
@pytest.mark.parametrize(("path", "value", "code"), [
    ("orchestrator_llm/greeting", "hi", "unknown_setting"), ("chatbot/llm_modle", "gpt", "unknown_setting"),
    ("rag/credential_name_", "x", "unknown_setting"), ("rag/max_tokens", 0.5, "setting_invalid"),
    ("rag/temperature", 3, "setting_invalid"), ("rag/llm_model", "", "setting_invalid"),
    ("rag/credential_name_openai", 5, "setting_invalid"), ("heartbeat/active_hours_start", "25:00", "setting_invalid"),
    ("heartbeat/timezone", "../../etc", "setting_invalid"), ("runs/kept_days", 0, "setting_invalid"),
    ("runs/kept_days", 1.5, "setting_invalid"), ("runs/kept_days", 36_501, "setting_invalid"),
    ("runs/kept_days", "30", "setting_invalid"), ("runs/kept_day", 30, "unknown_setting"),
    ("heartbeat/active_hours_end", "08:00\n", "setting_invalid"),
])
async def test_what_the_server_does_not_read_or_cannot_use_is_refused(
    client: Client, path: str, value: Any, code: str
) -> None:
    answer = await client.put(f"/api/settings/{path}", json={"value": value})

    assert (answer.status, answer.code) == (422, code)
    assert not any(item["scope"] == "workspace" for item in (await client.get("/api/settings")).json()["items"])


@pytest.mark.capability("S043")
@pytest.mark.parametrize(("path", "value"), [
    ("rag/credential_name_openai", "My key"), ("rag/max_tokens", 500), ("rag/temperature", 2),
    ("heartbeat/timezone", "Europe/Berlin"), ("heartbeat/active_hours_end", "7:30"), ("rag/llm_model", None),
    ("runs/kept_days", 30), ("notes/anything", {"a": [1]}), ("notes/is_on", True),
])
async def test_what_fits_or_is_nobodys_business_is_kept(client: Client, path: str, value: Any) -> None:
    answer = await client.put(f"/api/settings/{path}", json={"value": value})

    assert (answer.status, answer.json()["value"]) == (200, value)


async def test_the_defaults_are_written_once_and_keep_what_was_changed(database: Database, workspace_id: Any) -> None:
    await seed_settings(database)
    async with database.recording(None, Scope.ADMIN) as connection:
        await connection.execute("UPDATE system_settings SET value = '\"09:00\"' WHERE key = 'active_hours_start'")
        await seed_settings(database)
        system = (await find_values(database, workspace_id, "heartbeat"))["system"]
        await connection.execute("DELETE FROM system_settings WHERE workspace_id IS NULL")

    assert system == {"active_hours_start": "09:00", "active_hours_end": "20:00", "timezone": "UTC"}


def test_a_default_fits_its_own_setting() -> None:
    for category in categories().values():
        for setting in category.settings:
            assert setting.default is None or setting.value_type == "string"
