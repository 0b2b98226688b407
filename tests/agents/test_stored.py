"""What older versions stored is understood when it is read, and not written again."""

from typing import Any

import pytest

from automatos.agents.service import load_for_run
from automatos.agents.stored import configuration_of, model_settings_of
from automatos.llm.types import ModelChoice
from tests.agents.conftest import AgentDeps

PLAIN = {"temperature": None, "max_tokens": None, "top_p": None, "frequency_penalty": None, "presence_penalty": None,
         "fallback_model_id": None, "reasoning_effort": None}


async def store(desk: AgentDeps, agent: dict[str, Any], configuration: dict[str, Any]) -> None:
    async with desk.database.recording(desk.workspace_id) as connection:
        await connection.execute("UPDATE agents SET configuration = $2 WHERE id = $1", agent["id"], configuration)


async def stored(desk: AgentDeps, agent: dict[str, Any]) -> Any:
    async with desk.database.recording(desk.workspace_id) as connection:
        return await connection.fetchrow("SELECT configuration, model_config FROM agents WHERE id = $1", agent["id"])


@pytest.mark.capability("S008")
async def test_tags_inside_the_configuration_are_hidden_and_go_with_the_next_save(desk: AgentDeps) -> None:
    agent = await desk.create("Ada", tags=["real"])
    await store(desk, agent, {"tags": ["old"], "category": "HR", "timeout_seconds": 90})

    shown = (await desk.ask("GET", f"/{agent['id']}")).json()
    assert shown["tags"] == ["real"]
    assert shown["configuration"] == agent["configuration"] | {"timeout_seconds": 90}
    assert (await desk.ask("GET", params={"tag": "old"})).json()["total"] == 0
    assert (await stored(desk, agent))["configuration"]["tags"] == ["old"]

    await desk.ask("PUT", f"/{agent['id']}", json={"configuration": {}, "description": None})
    assert (await stored(desk, agent))["configuration"]["tags"] == ["old"]
    saved = await desk.ask("PUT", f"/{agent['id']}", json={"description": "New"})
    assert saved.json()["configuration"]["timeout_seconds"] == 90
    assert "tags" not in (await stored(desk, agent))["configuration"]


@pytest.mark.capability("S044")
async def test_a_model_named_the_old_way_is_shown_used_and_moved_with_the_next_save(desk: AgentDeps) -> None:
    agent = await desk.create("Ada")
    await store(desk, agent, {"llm_provider": "demo", "llm_model": "demo", "temperature": 0.25, "max_tokens": "many"})

    expected = {"provider": "demo", "model_id": "demo", **PLAIN, "temperature": 0.25}
    assert (await desk.ask("GET", f"/{agent['id']}")).json()["model_config"] == expected
    assert (await desk.ask("GET", f"/{agent['id']}/model-config")).json()["model_config"] == expected
    assert "model_id: demo" in (await desk.ask("GET", f"/{agent['id']}/export")).text
    spec = (await load_for_run(desk.database, desk.workspace_id, [agent["id"]]))[0]
    assert spec.model == ModelChoice("demo", "demo", temperature=0.25)

    await desk.ask("PUT", f"/{agent['id']}", json={"configuration": {"retry_attempts": 1}})
    row = await stored(desk, agent)
    assert row["model_config"] == expected
    assert not {"llm_provider", "llm_model", "temperature"} & set(row["configuration"])
    cleared = await desk.ask("PUT", f"/{agent['id']}", json={"model_config": None})
    assert cleared.json()["model_config"] is None


@pytest.mark.capability("S044")
@pytest.mark.parametrize(("column", "configuration", "expected"), [
    (None, {}, None), ({}, {"model": ""}, None), (None, {"model": 5}, None), (None, {"model": "mystery"}, None),
    (None, {"model": "gpt-4"}, ("openai", "gpt-4")), (None, {"model": "claude-3"}, ("anthropic", "claude-3")),
    (None, {"llm_model": "gemini-pro"}, ("google", "gemini-pro")), (None, {"model": "grok-4"}, ("xai", "grok-4")),
    (None, {"model": "meta/llama"}, ("openrouter", "meta/llama")),
    (None, {"llm_provider": "mistral", "model": "gpt-like"}, ("mistral", "gpt-like")),
    (None, {"model_config": {"provider": "demo", "model": "x"}}, ("demo", "x")),
    ({"provider": "demo", "model_id": "kept"}, {"model": "gpt-4"}, ("demo", "kept")),
    ({"provider": "demo", "model": "renamed"}, {}, ("demo", "renamed")),
    ({"provider": "demo", "model_id": "m", "temperature": 9, "unknown": 1}, {}, ("demo", "m")),
    (None, {"model": "gpt-" + "x" * 300}, None), (None, {"model": "gpt-4\n"}, ("openai", "gpt-4")),
])
def test_where_a_model_was_named(
    column: dict[str, Any] | None, configuration: dict[str, Any], expected: tuple[str, str] | None
) -> None:
    found = model_settings_of(column, configuration)
    assert (found and (found["provider"], found["model_id"])) == expected
    assert found is None or set(found) == {"provider", "model_id", *PLAIN}


@pytest.mark.parametrize("broken", [
    {"max_concurrent_tasks": 50}, {"priority_level": "urgent"}, {"resource_limits": {"memory_mb": -1}},
    {"tools": "all"}, {"retry_attempts": None}, {"timeout_seconds": "5", "environment": 7},
])
def test_a_setting_that_is_no_longer_allowed_has_its_default(broken: dict[str, Any]) -> None:
    assert configuration_of(broken | {"max_iterations": 3}) == configuration_of({"max_iterations": 3})


@pytest.mark.capability("S044")
@pytest.mark.parametrize(("body", "expected"), [
    ({"preferred_model": "gpt-4", "temperature": 0.2, "max_tokens": 50}, ("openai", "gpt-4", 0.2, 50)),
    ({"llm_provider": "mistral", "llm_model": "small"}, ("mistral", "small", None, None)),
    ({"configuration": {"model": "claude-3", "temperature": 1}}, ("anthropic", "claude-3", 1, None)),
])
async def test_deprecated_model_fields_are_taken_and_kept_under_todays_names(
    desk: AgentDeps, body: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    made = await desk.create("Ada", **body)
    changed = await desk.ask("PUT", f"/{(await desk.create('Bob'))['id']}", json=body)
    for agent in (made, changed.json()):
        model = agent["model_config"]
        assert (model["provider"], model["model_id"], model["temperature"], model["max_tokens"]) == expected
        assert set(agent["configuration"]) == set((await desk.ask("GET", f"/{made['id']}")).json()["configuration"])


@pytest.mark.capability("S044")
@pytest.mark.parametrize("body", [
    {"preferred_model": "mystery"}, {"preferred_model": "vendor/model"}, {"temperature": 0.5},
    {"preferred_model": "gpt-4", "model_config": {"provider": "demo", "model_id": "demo"}}, {"preferred_model": 7},
])
async def test_a_deprecated_field_that_says_too_little_or_contradicts_is_refused(
    desk: AgentDeps, body: dict[str, Any]
) -> None:
    refused = await desk.ask("POST", json={"name": "Ada"} | body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, next(iter(body)))


@pytest.mark.capability("S008")
async def test_tags_and_category_inside_the_configuration_become_the_agents_own(desk: AgentDeps) -> None:
    made = await desk.create("Ada", configuration={"tags": "Old, older", "category": "DevOps", "timeout_seconds": 90})
    assert (made["tags"], made["marketplace_category"], made["agent_type"]) == (
        ["old", "older"], "DevOps", "infrastructure_manager")
    assert made["configuration"]["timeout_seconds"] == 90
    kept = await desk.ask("PUT", f"/{made['id']}", json={"tags": ["new"], "configuration": {"tags": ["ignored"]}})
    assert kept.json()["tags"] == ["new"]
