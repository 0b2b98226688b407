"""Work whose model cannot be asked is refused before it is queued; later faults end the step in their own words."""

import pytest

from automatos.kernel.db import Database
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
