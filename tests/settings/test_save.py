"""Typed settings of the system and of workspaces."""

from uuid import UUID

import pytest

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.settings.errors import SettingInvalid
from automatos.settings.service import find_values, list_settings, save_setting
from automatos.settings.types import SettingScope
from automatos.workspaces.errors import SystemAdminRequired
from automatos.workspaces.types import AuthMethod, Caller, Role


@pytest.fixture
def save(database: Database, workspace_id: UUID):
    async def save(key: str, value: object, *, category: str = "orchestrator_llm", system: bool = False,
                   is_system_admin: bool = True):
        caller = Caller(user=None, workspace_id=workspace_id, role=Role.ADMIN, auth_method=AuthMethod.NONE,
                        is_system_admin=is_system_admin)
        async with database.session(workspace_id, Scope.ADMIN if system and is_system_admin else None) as session:
            return await save_setting(session, caller, category, key, value=value,
                                      scope=SettingScope.SYSTEM if system else SettingScope.WORKSPACE)

    return save


@pytest.mark.parametrize(("key", "value", "value_type"), [
    ("greeting", "hello", "string"), ("limit", 3, "number"), ("ratio", 0.5, "number"), ("is_on", True, "boolean"),
    ("map", {"a": [1, None]}, "json"), ("list", [1, "b"], "json"),
])
async def test_a_value_comes_back_as_it_was_with_its_type(
    save, database: Database, workspace_id: UUID, key: str, value: object, value_type: str
) -> None:
    await save(key, "first" if value_type == "string" else value, category="notes")
    saved = await save(key, value, category="notes")

    async with database.session(workspace_id) as session:
        (found,) = [s for s in await list_settings(session, workspace_id) if s.scope == "workspace"]
    assert (found.value, found.value_type, saved.value) == (value, value_type, value)
    assert (await find_values(database, workspace_id, "notes"))["workspace"] == {key: value}


@pytest.mark.parametrize(("key", "value"), [("llm_provider", 3), ("llm_model", ["gpt"]), ("temperature", "hot"),
                                            ("max_tokens", True), ("llm_model", "x" * 70_000),
                                            ("max_tokens", 1.5), ("temperature", 2.1), ("max_tokens", 0),
                                            ("llm_model", " ")])
async def test_a_value_of_another_type_or_too_large_is_refused(save, key: str, value: object) -> None:
    with pytest.raises(SettingInvalid, match=f"orchestrator_llm/{key}"):
        await save(key, value)


async def test_a_model_that_is_chosen_alone_keeps_the_provider_it_was_chosen_for(
    save, database: Database, workspace_id: UUID
) -> None:
    async def own() -> dict[str, object]:
        return (await find_values(database, workspace_id, "chatbot"))["workspace"]

    await save("llm_provider", "mistral", category="chatbot", system=True)
    await save("llm_model", "gpt-4.1", category="chatbot")
    assert await own() == {"llm_provider": "mistral", "llm_model": "gpt-4.1"}

    await save("llm_provider", "groq", category="chatbot", system=True)
    assert (await own())["llm_provider"] == "mistral"

    await save("temperature", 0.5, category="chatbot")
    await save("llm_provider", None, category="chatbot")
    assert await own() == {"temperature": 0.5}, "a model without its provider would be another's"

    await save("llm_provider", None, category="chatbot", system=True)
    await save("llm_model", "gpt-4.1", category="chatbot")
    assert await own() == {"temperature": 0.5, "llm_model": "gpt-4.1"}


async def test_null_removes_a_value(save, database: Database, workspace_id: UUID) -> None:
    await save("llm_model", "gpt-4.1")
    await save("llm_model", None)
    await save("llm_model", None)

    assert (await find_values(database, workspace_id, "orchestrator_llm"))["workspace"] == {}


async def test_the_systems_values_are_seen_by_all_and_set_by_system_admins_only(
    save, database: Database, workspace_id: UUID
) -> None:
    with pytest.raises(SystemAdminRequired):
        await save("greeting", "no", category="test_system", system=True, is_system_admin=False)
    await save("greeting", "hello", category="test_system", system=True)

    assert (await find_values(database, new_id(), "test_system"))["system"] == {"greeting": "hello"}
    await save("greeting", None, category="test_system", system=True)


async def test_another_workspace_does_not_see_a_value(save, database: Database) -> None:
    await save("llm_model", "mine")

    assert (await find_values(database, new_id(), "orchestrator_llm"))["workspace"] == {}


async def test_a_change_is_in_the_audit_log_with_old_and_new(save, database: Database, workspace_id: UUID) -> None:
    await save("llm_model", "old")
    await save("llm_model", "new")

    async with database.recording(workspace_id) as connection:
        rows = await connection.fetch("SELECT action, target_id, detail FROM audit_log ORDER BY id")
    assert [(row["target_id"], row["detail"]["old"], row["detail"]["new"]) for row in rows] == [
        ("orchestrator_llm/llm_model", None, "old"), ("orchestrator_llm/llm_model", "old", "new")]
