"""Advice about models: which fit a task and why, what a call costs, what there is."""

from typing import Any

import pytest

from automatos.entrypoints.services import Services
from automatos.kernel.db import Database
from automatos.llm import advice
from automatos.llm.bodies import ModelNeeds
from automatos.llm.models import LlmModel
from automatos.llm.seed import seed_models
from tests.surface import Client


@pytest.fixture(autouse=True)
async def _catalogue(database: Database, http: object, services: Services) -> None:
    del http  # the server runs, with prices that it may have read before
    await seed_models(database)
    services.models.forget_prices()


async def recommended(client: Client, **needs: Any) -> dict[str, Any]:
    answer = await client.post("/api/models/recommend", json=needs)
    assert answer.status == 200, answer.body
    return answer.json()


async def test_models_that_can_be_asked_now_come_first_each_with_its_reason(client: Client) -> None:
    found = await recommended(client, task_type="coding", limit=50)

    configured = [each["configured"] for each in found["items"]]
    assert configured == sorted(configured, reverse=True)
    assert {each["provider"] for each in found["items"] if each["configured"]} == {"openai", "anthropic"}
    best = found["items"][0]
    assert best["reason"].startswith("Recommended for coding; strong in coding")
    assert best["model"]["model_id"] == best["model_id"]
    assert "needs a credential for" in found["items"][-1]["reason"]
    for group in (True, False):
        scores = [each["score"] for each in found["items"] if each["configured"] is group]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(("needs", "reason"), [
    ({"require_vision": True}, "require_vision"), ({"min_context": 900_000}, "min_context"),
    ({"max_cost": "0.001"}, "max_cost"), ({"required_capabilities": ["levitation"]}, "required_capabilities"),
])
async def test_a_need_that_is_not_met_leaves_a_model_out_and_is_counted(
    client: Client, needs: dict[str, Any], reason: str
) -> None:
    found = await recommended(client, limit=50, **needs)

    assert found["left_out"][reason] > 0
    for each in found["items"]:
        model = each["model"]
        assert reason != "require_vision" or model["supports_vision"]
        assert reason != "min_context" or model["context_window"] >= 900_000
        assert reason != "max_cost" or float(model["input_cost_per_1k"]) + float(model["output_cost_per_1k"]) <= 0.001
        assert reason != "required_capabilities"


async def test_the_preferred_provider_wins_among_equals(client: Client) -> None:
    first = (await recommended(client, task_type="coding", prefer_provider="anthropic"))["items"][0]
    other = (await recommended(client, task_type="coding", prefer_provider="openai"))["items"][0]

    assert (first["provider"], other["provider"]) == ("anthropic", "openai")


@pytest.mark.parametrize(("said", "task"), [
    ("coding", "coding"), ("tool use", "tool_use"), ("Refactor this software", "coding"), ("", "general"),
    ("translate an email", "writing"), ("qwertz", "general"), ("sentiment triage", "classification"),
])
def test_a_task_is_recognised_by_its_words(said: str, task: str) -> None:
    assert advice.recognise(said) == task


def test_no_rule_names_a_model_and_every_task_has_weights() -> None:
    rules = advice.rules()

    assert advice.GENERAL in rules.tasks
    assert all(set(about) == {"weights", "words"} and about["weights"] for about in rules.tasks.values())


def test_an_unknown_price_is_never_cheap() -> None:
    model = LlmModel(id=1, provider="p", model_id="m", display_name="M", capabilities={}, recommended_for=[],
                     status="active", supports_functions=True, supports_vision=False, supports_streaming=True)

    found = advice.recommend([model], ModelNeeds.model_validate({"max_cost": "5"}), frozenset())

    assert (found.total, found.left_out) == (0, {"max_cost": 1})


async def test_models_for_a_task_are_those_that_say_so(client: Client) -> None:
    found = (await client.get("/api/models/by-task/coding")).json()
    unknown = await client.get("/api/models/by-task/knitting")

    assert found["total"] == len(found["items"]) > 0
    assert all("coding" in model["recommended_for"] for model in found["items"])
    assert (unknown.status, unknown.code) == (404, "unknown_task")
    assert unknown.json()["known"] == found["tasks"]


async def test_an_estimate_is_what_the_ledger_would_write(client: Client) -> None:
    async def estimate(**question: Any) -> dict[str, Any]:
        answer = await client.post("/api/models/estimate-cost", json={
            "input_tokens": 2000, "output_tokens": 500} | question)
        assert answer.status == 200, answer.body
        return answer.json()

    known = await estimate(model_id="gpt-4o-mini")
    published = await estimate(provider="openai", model_id="gpt-4.1-nano")
    unknown = await estimate(provider="custom", model_id="gpt-4o-mini")

    assert (known["provider"], known["source"], known["model"]["model_id"]) == ("openai", "catalogue", "gpt-4o-mini")
    assert (known["input_cost_usd"], known["output_cost_usd"], known["total_cost_usd"]) == (
        "0.000300", "0.000300", "0.000600")
    assert (published["source"], published["total_cost_usd"]) == ("published", "0.000400")
    assert (unknown["source"], unknown["total_cost_usd"], unknown["model"]) == ("unknown", None, None)


@pytest.mark.parametrize(("question", "code"), [
    ({"model_id": "nobody"}, "unknown_model"), ({"model_id": "openai/gpt-oss-120b"}, "model_ambiguous"),
    ({"model_id": "m", "provider": "opnai"}, "unknown_provider"),
    ({"model_id": "m", "input_tokens": -1}, "invalid_request"),
])
async def test_what_cannot_be_estimated_is_named(client: Client, question: dict[str, Any], code: str) -> None:
    answer = await client.post("/api/models/estimate-cost", json={"input_tokens": 1, "output_tokens": 1} | question)

    assert (answer.status, answer.code) == (422, code)


async def test_the_figures_are_those_of_the_catalogue(client: Client) -> None:
    figures = (await client.get("/api/models/stats")).json()
    listed = (await client.get("/api/models?status=all")).json()

    assert figures["total_models"] == listed["total"] == sum(figures["by_status"].values())
    providers = {each["provider"]: each for each in figures["providers"]}
    assert sum(each["models"] for each in providers.values()) == listed["total"]
    assert providers["openai"]["configured"]
    assert providers["huggingface"]["average_input_cost_per_1k"] is None


@pytest.mark.capability("S037")
async def test_each_service_reads_its_own_category_of_settings(client: Client) -> None:
    found = (await client.get("/api/models/service-categories")).json()

    categories = {each["service"]: each["category"] for each in found["items"]}
    assert (categories["orchestrator"], categories["heartbeat"]) == ("orchestrator_llm", "orchestrator_llm")
    assert (categories["rag"], categories["nl2sql"], categories["chatbot"]) == ("rag", "nl2sql", "chatbot")
    assert found["default_category"] == "orchestrator_llm"
