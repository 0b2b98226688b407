"""Trying a model before it is configured: one tiny real call; and what is wrong with a choice without any."""

from typing import Any

import pytest

from automatos.kernel.db import Database, Scope
from automatos.llm.seed import seed_models
from automatos.llm.service import ModelClient, check_choice
from automatos.llm.types import ModelChoice
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, add_key


@pytest.fixture
def model_server(shared_model_server: ModelServer) -> ModelServer:
    """The model server that the running application asks."""
    shared_model_server.reset()
    return shared_model_server


async def trial(client: Client, **body: Any) -> dict[str, Any]:
    answer = await client.post("/api/models/test", json={"provider": "openai", "model_id": "fake-model"} | body)
    assert answer.status == 200, answer.body
    return answer.json()


@pytest.mark.capability("S036")
async def test_one_small_call_is_made_and_booked_as_a_test(
    client: Client, model_server: ModelServer, services: Any, database: Database
) -> None:
    model_server.script(Reply(text="ready", usage=(20, 2)))

    result = await trial(client, temperature=0.3, max_tokens=9000)

    assert (result["ok"], result["text"], result["problem"]) == (True, "ready", None)
    assert (result["input_tokens"], result["output_tokens"]) == (20, 2)
    (call,) = model_server.calls
    assert call.body["temperature"] == 0.3
    assert call.body["max_completion_tokens"] <= 512
    await services.models.flush_usage()
    async with database.recording(client.workspace_id, Scope.ADMIN) as connection:
        rows = await connection.fetch("SELECT * FROM llm_usage WHERE workspace_id = $1", client.workspace_id)
    assert [(row["request_type"], row["status"], row["total_tokens"]) for row in rows] == [("test", "success", 22)]


@pytest.mark.capability("S036")
@pytest.mark.parametrize(("reply", "code", "provider_status"), [
    (Reply(status=401, message="no"), "credential_refused", 401),
    (Reply(status=404, code="model_not_found"), "model_not_found", 404),
    (Reply(status=429), "model_rate_limited", 429), (Reply(status=500), "model_unavailable", 500),
    (Reply(html=True), "model_answer_invalid", None),
])
async def test_a_refusal_is_a_result_and_not_an_error(
    client: Client, model_server: ModelServer, reply: Reply, code: str, provider_status: int | None
) -> None:
    model_server.script(reply)

    result = await trial(client)

    assert (result["ok"], result["text"], result["cost_usd"]) == (False, "", None)
    assert (result["problem"]["code"], result["problem"]["provider_status"]) == (code, provider_status)
    assert result["problem"]["next_step"]
    assert len(model_server.calls) == 1


async def test_a_missing_key_is_a_result_too_and_the_demo_answers(client: Client) -> None:
    assert (await trial(client, provider="mistral"))["problem"]["code"] == "credential_missing"
    assert (await trial(client, provider="demo", model_id="demo"))["ok"]


@pytest.mark.capability("S029")
async def test_the_environment_chooses_the_key_that_is_tried(client: Client, model_server: ModelServer) -> None:
    for environment in ("production", "staging"):
        made = await client.post("/api/credentials", json={
            "name": environment, "provider": "custom", "value": f"key-of-{environment}", "environment": environment,
            "base_url": model_server.base_url})
        assert made.status == 201, made.body

    for environment in ("staging", "production"):
        assert (await trial(client, provider="custom", environment=environment))["ok"]

    assert [call.headers["authorization"] for call in model_server.calls] == [
        "Bearer key-of-staging", "Bearer key-of-production"]


@pytest.mark.parametrize(("body", "code"), [
    ({"provider": "opnai"}, "unknown_provider"), ({"temperature": 9}, "invalid_request"),
    ({"model_id": ""}, "invalid_request"), ({"environment": "moon"}, "invalid_request"),
])
async def test_what_cannot_be_tried_is_refused(client: Client, body: dict[str, Any], code: str) -> None:
    answer = await client.post("/api/models/test", json={"provider": "openai", "model_id": "m"} | body)

    assert (answer.status, answer.code) == (422, code)


async def test_a_viewer_may_not_spend(client: Client, database: Database) -> None:
    viewer = Client(client.http, client.workspace_id,
                    {"X-API-Key": await add_key(database, client.workspace_id, "viewer")})

    assert (await viewer.post("/api/models/test", json={"provider": "openai", "model_id": "m"})).status == 403


@pytest.mark.parametrize(("choice", "words"), [
    (ModelChoice("opnai", "gpt"), ["no provider named 'opnai'"]),
    (ModelChoice("anthropic", "claude-haiku-4-5", temperature=1.5), ["temperatures from 0 to 1, not 1.5"]),
    (ModelChoice("openai", "gpt-4o-mini", max_tokens=20_000), ["at most 16,384 tokens"]),
    (ModelChoice("openai", "gpt-4o-mini", temperature=3, max_tokens=20_000), ["from 0 to 2", "at most 16,384"]),
    (ModelChoice("openai", "gpt-4o-mini", fallback_model_id="openai:gpt-4o-mini"), ["the model itself"]),
    (ModelChoice("openai", "gpt-4o-mini", temperature=2, max_tokens=16_384), []),
    (ModelChoice("openai", "never-heard-of", temperature=2, max_tokens=1_000_000), []),
])
async def test_what_is_wrong_with_a_choice_is_known_before_anybody_is_asked(
    database: Database, choice: ModelChoice, words: list[str]
) -> None:
    await seed_models(database)

    faults = await check_choice(database, choice)

    assert len(faults) == len(words)
    assert all(word in fault for word, fault in zip(words, faults, strict=True))


async def test_a_trial_warns_of_what_the_catalogue_finds_wrong(client: Client, database: Database) -> None:
    await seed_models(database)

    result = await trial(client, provider="anthropic", model_id="claude-haiku-4-5", temperature=1.5)

    assert result["ok"]
    assert "temperatures from 0 to 1" in result["faults"][0]


def test_the_client_is_the_one_interface(models: ModelClient) -> None:
    assert {"complete", "estimate", "resolve_default", "find_obstacle"} <= set(dir(models))
