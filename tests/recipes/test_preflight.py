"""Work whose model cannot be asked is refused before it is queued; later faults end the step in their own words."""

from typing import Any

import pytest

from automatos.kernel.db import Database
from automatos.recipes.state import StepState
from automatos.recipes.step_runner import StepRunner
from tests.fakes.model_server import ModelServer
from tests.surface import Client, Make


async def set_default(database: Database, client: Client, provider: str, model: str = "fake-model") -> None:
    """Write a default model past the checks of the settings, as an older server or another hand may have left it."""
    async with database.recording(client.workspace_id) as connection:
        for key, value in (("llm_provider", provider), ("llm_model", model)):
            await connection.execute(
                "INSERT INTO system_settings (workspace_id, category, key, value, value_type, updated_by) "
                "VALUES ($1, 'orchestrator_llm', $2, $3, 'string', 'test')", client.workspace_id, key, f'"{value}"')


@pytest.mark.parametrize(("provider", "words"), [
    ("nonsense", "no provider named 'nonsense'"), ("groq", "no key for Groq")])
async def test_cooking_with_a_model_that_cannot_be_asked_is_refused_and_queues_nothing(
    client: Client, make: Make, database: Database, model_server: ModelServer, provider: str, words: str
) -> None:
    recipe = await make.recipe("Say hello")
    await set_default(database, client, provider)

    response = await client.post(f"/api/workflow-recipes/{recipe['template_id']}/execute", json={"input_data": {}})
    task = await client.post(f"/api/agents/{recipe['steps'][0]['agent_id']}/execute", json={"prompt": "Hello"})

    for refused in (response, task):
        assert (refused.status, refused.json()["code"]) == (409, "recipe_not_ready")
        assert words in refused.json()["detail"]
    assert (await client.get("/api/runs")).json()["total"] == 0
    assert model_server.calls == []


@pytest.mark.parametrize(("spoiled", "code", "words"), [
    (("nonsense", "fake-model"), "unknown_provider", "no provider named 'nonsense'"),
    (("custom", ""), "unknown_model", "without a model"),
    (("groq", "fake-model"), "credential_missing", "no key for Groq"),
])
async def test_settings_that_are_spoiled_after_the_check_end_the_run_at_once_in_their_own_words(
    client: Client, make: Make, database: Database, model_server: ModelServer, monkeypatch: pytest.MonkeyPatch,
    spoiled: tuple[str, str], code: str, words: str,
) -> None:
    recipe = await make.recipe("Say hello")
    prepare, done = StepRunner.prepare, list[bool]()

    async def spoil_and_prepare(runner: StepRunner, record: StepState) -> Any:
        if not done:
            done.append(True)
            await set_default(database, client, *spoiled)
        return await prepare(runner, record)

    monkeypatch.setattr(StepRunner, "prepare", spoil_and_prepare)

    run_id = await client.cook(recipe["template_id"])
    events = await client.follow(run_id)

    run = (await client.get(f"/api/runs/{run_id}")).json()
    assert (run["status"], run["error"]["code"]) == ("failed", code)
    assert words in run["error"]["message"]
    assert [event["type"] for event in events].count("execution.started") == 1
    assert "execution.recovered" not in [event["type"] for event in events]
    assert model_server.calls == []
