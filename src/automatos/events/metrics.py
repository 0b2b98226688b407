"""What runs did in this process, in numbers for Prometheus, counted by the events that it recorded.

An event is recorded once, whoever dies meanwhile, so nothing is counted twice. Names and boundaries of what models do
are those of OpenTelemetry's conventions for generative AI.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final
from uuid import UUID

import orjson
from prometheus_client import CollectorRegistry, Counter, Histogram

from automatos.durable.types import StoredEvent
from automatos.events.types import (
    FINAL_EVENTS,
    ExecutionQueued,
    ModelAnswered,
    ModelFailed,
    ModelRetrying,
    StepCancelled,
    StepCompleted,
    StepFailed,
    StepSkipped,
    ToolFinished,
)

MAX_NAMES: Final = 200
"""So many models, and tools, are told apart; tenants choose their names, and each costs memory here and there."""
OTHER: Final = "other"
CALL_BUCKETS_S = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92)
TOKEN_BUCKETS = (1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576)
WORK_BUCKETS_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 14400)
MODEL = ("gen_ai_provider_name", "gen_ai_request_model")


class RunMetrics:
    """Counts recorded events into a registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._started = Counter(
            "automatos_runs_started", "Runs that were accepted.", ("kind",), registry=registry)
        self._ended = Histogram(
            "automatos_run_duration_seconds", "Runs that are over, from their beginning to their end.", ("status",),
            registry=registry, buckets=WORK_BUCKETS_S)
        self._steps = Counter("automatos_steps", "Steps that are over.", ("status",), registry=registry)
        self._answers = Histogram(
            "automatos_step_duration_seconds", "Steps that were completed, from their first attempt to their end.",
            registry=registry, buckets=WORK_BUCKETS_S)
        self._calls = Histogram(
            "gen_ai_client_operation_duration_seconds", "Requests to models; `error_type` is empty for an answer.",
            ("gen_ai_operation_name", *MODEL, "error_type"), registry=registry, buckets=CALL_BUCKETS_S)
        self._tokens = Histogram(
            "gen_ai_client_token_usage", "Tokens of a request to a model.",
            ("gen_ai_operation_name", *MODEL, "gen_ai_token_type"), registry=registry, buckets=TOKEN_BUCKETS)
        self._cost = Counter(
            "automatos_model_cost_usd", "US dollars of requests to models whose price is known.", MODEL,
            registry=registry)
        self._unpriced = Counter(
            "automatos_model_unpriced_calls", "Requests to models whose price is not known.", MODEL, registry=registry)
        self._tools = Histogram(
            "automatos_tool_duration_seconds", "Calls of tools.", ("tool", "status"), registry=registry,
            buckets=CALL_BUCKETS_S)
        self._models_seen, self._tools_seen = set[tuple[str, str]](), set[str]()
        over = {StepFailed: "failed", StepSkipped: "skipped", StepCancelled: "cancelled"}
        self._counts: dict[str, Callable[[str, dict[str, Any]], None]] = {
            ExecutionQueued.type: self._run_started, StepCompleted.type: self._step_completed,
            ModelAnswered.type: self._model_called, ModelRetrying.type: self._model_called,
            ModelFailed.type: self._model_called, ToolFinished.type: self._tool_called,
            **dict.fromkeys(FINAL_EVENTS, self._run_ended), **{kind.type: self._step_over for kind in over},
        }

    def count(self, _workspace_id: UUID, events: Sequence[StoredEvent]) -> None:
        """Count events that this process has recorded."""
        for event in events:
            if count := self._counts.get(event.type):
                count(event.type, orjson.loads(event.data))

    def _run_started(self, _type: str, data: dict[str, Any]) -> None:
        self._started.labels(data.get("kind", "recipe")).inc()

    def _run_ended(self, type_: str, data: dict[str, Any]) -> None:
        self._ended.labels(_last_word(type_)).observe(data["duration_ms"] / 1000)

    def _step_completed(self, type_: str, data: dict[str, Any]) -> None:
        self._answers.observe(data["duration_ms"] / 1000)
        self._step_over(type_, data)

    def _step_over(self, type_: str, _data: dict[str, Any]) -> None:
        self._steps.labels(_last_word(type_)).inc()

    def _model_called(self, _type: str, data: dict[str, Any]) -> None:
        model = data["provider"], data["model"]
        if model not in self._models_seen:
            model = model if len(self._models_seen) < MAX_NAMES else (OTHER, OTHER)
            self._models_seen.add(model)
        self._calls.labels("chat", *model, data.get("code", "")).observe(data["latency_ms"] / 1000)
        self._tokens.labels("chat", *model, "input").observe(data["input_tokens"])
        self._tokens.labels("chat", *model, "output").observe(data["output_tokens"])
        if data["cost_usd"] is None:
            self._unpriced.labels(*model).inc()
        else:
            self._cost.labels(*model).inc(float(data["cost_usd"]))

    def _tool_called(self, _type: str, data: dict[str, Any]) -> None:
        tool = data["name"]
        if tool not in self._tools_seen:
            tool = tool if len(self._tools_seen) < MAX_NAMES else OTHER
            self._tools_seen.add(tool)
        self._tools.labels(tool, "ok" if data["ok"] else "failed").observe(data["duration_ms"] / 1000)


def _last_word(type_: str) -> str:
    return type_.rpartition(".")[2]
