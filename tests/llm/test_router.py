"""Models and usage over HTTP."""

from uuid import UUID

import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.seed import seed_models
from automatos.llm.types import CallContext, Cost, Usage, UsageRow
from automatos.llm.usage import UsageRecorder
from tests.surface import Client


@pytest.fixture(autouse=True)
async def _catalogue(database: Database) -> None:
    await seed_models(database)


async def test_lists_the_models_of_one_provider_with_their_rates(client: Client) -> None:
    answer = await client.get("/api/models", params={"provider": "openai"})

    models = {model["model_id"]: model for model in answer.json()["items"]}
    assert answer.json()["total"] == len(models)
    assert {model["provider"] for model in models.values()} == {"openai"}
    assert (models["gpt-4o-mini"]["input_cost_per_1k"], models["gpt-4o-mini"]["output_cost_per_1k"]) == (
        "0.00015", "0.0006")
    assert models["gpt-4o-mini"]["context_window"] == 128000


async def test_an_unknown_rate_is_null(client: Client) -> None:
    models = (await client.get("/api/models", params={"provider": "huggingface"})).json()["items"]

    assert {model["input_cost_per_1k"] for model in models} == {None}


async def test_lists_every_provider_and_whether_it_can_be_used(client: Client) -> None:
    providers = {p["name"]: p for p in (await client.get("/api/models/providers")).json()["items"]}

    assert {"openai", "anthropic", "google", "huggingface", "azure", "ollama", "custom"} <= set(providers)
    assert "demo" not in providers
    assert (providers["openai"]["configured"], providers["openai"]["source"]) == (True, "environment")
    assert (providers["mistral"]["configured"], providers["mistral"]["env_variable"]) == (False, "MISTRAL_API_KEY")
    assert providers["ollama"]["needs_key"] is False


async def test_the_summary_counts_what_the_workspace_used_and_only_that(
    client: Client, stranger: Client, database: Database
) -> None:
    async def book(workspace_id: UUID, cost: Cost | None, status: str = "success") -> None:
        recorder = UsageRecorder(database)
        context = CallContext(workspace_id, run_id=new_id(), turn=1)
        recorder.record(UsageRow(context, "openai", "m", 1, status, Usage(100, 20, 40, 5), cost))  # type: ignore[arg-type]
        await recorder.close()

    await book(client.workspace_id, Cost(1000, 200))
    await book(client.workspace_id, None)
    await book(client.workspace_id, None, "error")
    await book(stranger.workspace_id, Cost(5, 5))

    assert (await client.get("/api/usage/summary")).json() == {
        "requests": 3, "failed_requests": 1, "input_tokens": 300, "output_tokens": 60, "total_tokens": 360,
        "cost_usd": None, "known_cost_usd": "0.001200", "unpriced_calls": 2, "unknown_cost_requests": 2,
        "estimated_requests": 0, "cache_read_tokens": 120, "cache_write_tokens": 15}
