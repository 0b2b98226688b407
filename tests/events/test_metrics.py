"""Metrics of runs: what a recipe did is in /metrics with its tokens and money, and names are bounded."""

import re
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from automatos.durable.types import StoredEvent
from automatos.events.metrics import MAX_NAMES, RunMetrics
from automatos.events.service import recorded
from automatos.events.types import ModelAnswered, RunEventData, ToolFinished
from tests.fakes.model_server import ModelServer, Reply
from tests.journeys.test_cook_recipe import script, three_agents
from tests.surface import Client, Make

Figures = dict[tuple[str, tuple[str, ...]], float]


async def figures(client: Client) -> Figures:
    """Every sample of /metrics by its name and the values of its labels, without the buckets."""
    text = (await client.get("/metrics")).body.decode()
    return {(sample.name, tuple(sample.labels.values())): sample.value
            for family in text_string_to_metric_families(text) for sample in family.samples
            if not sample.name.endswith(("_bucket", "_created"))}


def grown(before: Figures, after: Figures, name: str, *labels: str) -> float:
    """How much the samples of this name have grown whose labels hold all of these values."""
    return round(sum(value - before.get(key, 0.0) for key, value in after.items()
                     if key[0] == name and set(labels) <= set(key[1])), 9)


async def test_a_recipe_that_was_cooked_is_counted_once_with_its_calls_tokens_tools_and_money(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await three_agents(make, "openai")
    script(model_server)
    before = await figures(client)

    run = await client.cooked(recipe["template_id"], numbers="19 and 23")
    after = await figures(client)

    assert grown(before, after, "automatos_runs_started_total", "recipe") == 1
    assert grown(before, after, "automatos_run_duration_seconds_count", "completed") == 1
    assert grown(before, after, "automatos_run_duration_seconds_sum") == run["duration_ms"] / 1000
    assert grown(before, after, "automatos_steps_total", "completed") == 3
    assert grown(before, after, "gen_ai_client_operation_duration_seconds_count", "openai", "fake-model", "") == 4
    assert grown(before, after, "gen_ai_client_token_usage_sum", "input") == 100 + 120 + 90 + 95
    assert grown(before, after, "gen_ai_client_token_usage_sum", "output") == 10 + 8 + 9 + 11
    assert grown(before, after, "automatos_tool_duration_seconds_count", "calculator", "ok") == 1
    known = grown(before, after, "automatos_model_cost_usd_total", "fake-model")
    unpriced = grown(before, after, "automatos_model_unpriced_calls_total", "fake-model")
    assert (known, unpriced) == (float(run["known_cost_usd"]), run["unpriced_calls"])


async def test_a_request_that_fails_is_counted_by_its_error_and_its_step_as_failed(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent(model_config={"provider": "openai", "model_id": "fake-model"})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Say hello"},
                               execution_config={"max_retries": 0})
    model_server.script(Reply(status=400, body=b"no such thing"))
    before = await figures(client)

    run = await client.cooked(recipe["template_id"])
    after = await figures(client)

    assert run["status"] == "failed"
    assert grown(before, after, "gen_ai_client_operation_duration_seconds_count", run["error"]["code"]) == 1
    assert grown(before, after, "automatos_steps_total", "failed") == 1
    assert grown(before, after, "automatos_run_duration_seconds_count", "failed") == 1


async def test_connections_and_the_queue_are_told_as_they_are(client: Client) -> None:
    now = await figures(client)

    assert now["db_client_connection_count", ("engine", "idle")] + now["db_client_connection_count",
                                                                      ("engine", "used")] >= 1
    assert {key[1][0] for key in now if key[0] == "db_client_connection_count"} == {"sessions", "workspaces", "engine"}
    assert now["automatos_job_places", ()] >= 1
    assert now["automatos_dispatcher", ()] == 1
    assert now["automatos_jobs_waiting", ()] == 0


async def test_the_documentation_names_every_metric_and_no_other(client: Client) -> None:
    text = (await client.get("/metrics")).body.decode()
    told = {family.name + ("_total" if family.type == "counter" else "")
            for family in text_string_to_metric_families(text)}
    page = (Path(__file__).parents[2] / "docs/how-to/watch-with-prometheus.md").read_text()
    described = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))

    assert described == {name for name in told
                         if not name.startswith(("process_", "python_")) and not name.endswith("_created")}


def test_tenants_cannot_make_the_metrics_grow_without_end() -> None:
    registry = CollectorRegistry()
    metrics = RunMetrics(registry)

    for number in range(MAX_NAMES + 50):
        metrics.count(UUID(int=0), [stored(answered(f"model-{number}")), stored(called(f"tool-{number}"))])

    models = registry.get_sample_value("gen_ai_client_operation_duration_seconds_count", {
        "gen_ai_operation_name": "chat", "gen_ai_provider_name": "other", "gen_ai_request_model": "other",
        "error_type": ""})
    tools = registry.get_sample_value("automatos_tool_duration_seconds_count", {"tool": "other", "status": "ok"})
    assert (models, tools) == (50, 50)


def stored(event: RunEventData) -> StoredEvent:
    new = recorded(event)
    return StoredEvent("run:1", 1, new.type, "2026-01-01T00:00:00Z", new.data)


def answered(model: str) -> ModelAnswered:
    nothing: dict[str, Any] = {"text": "", "tool_calls": [], "input_tokens": 1, "output_tokens": 1, "cost_usd": "0.5"}
    return ModelAnswered(order=1, turn=1, provider="openai", model=model, latency_ms=10, **nothing)


def called(tool: str) -> ToolFinished:
    return ToolFinished(order=1, turn=1, call_id="1", name=tool, arguments="{}", ok=True, output="", duration_ms=1)
