"""Traces of a server: what a real collector gets of runs and requests, and what it never gets."""

import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from automatos.durable.service import events_after
from automatos.entrypoints.services import Services
from automatos.entrypoints.tracing import SpanFigures, TracedRequests, tracing
from automatos.events.contents import Contents
from automatos.events.traces import RunTraces
from automatos.events.types import ModelAnswered
from automatos.kernel.otlp import OtlpTracer, TracingRefused, refuse_missing_library
from automatos.kernel.tracing import Span, SpanPlace, current_traceparent, trace_id_of
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.otlp_collector import Collector
from tests.journeys.test_cook_recipe import script, three_agents
from tests.surface import Client, Make

CALLER = ("0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331")
SECRET = "sk-live-4eC39HqLyjWDarjtT1zdp7dc"


@pytest.fixture
async def collector(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Collector]:
    async with Collector() as made:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
        yield made


@asynccontextmanager
async def traced(services: Services, **settings: Any) -> AsyncIterator[OtlpTracer]:
    """Trace what the running server records while the block lasts; at its end everything is sent."""
    services.bus.tell_recorded()
    asked = services.settings.model_copy(update={"otel_endpoint": "set by the environment"} | settings)
    async with tracing(asked, services.database, services.bus) as tracer:
        assert tracer
        yield tracer


async def test_a_run_of_three_agents_and_a_tool_is_one_trace_of_the_conventions_names(
    client: Client, make: Make, model_server: ModelServer, services: Services, collector: Collector
) -> None:
    recipe = await three_agents(make, "openai")
    script(model_server)

    async with traced(services):
        run = await client.cooked(recipe["template_id"], numbers="19 and 23")

    workflow = "invoke_workflow Test recipe"
    assert collector.parents() == sorted([
        (workflow, ""), ("invoke_agent Analyst", workflow), ("invoke_agent Writer", workflow),
        ("invoke_agent Editor", workflow), ("execute_tool calculator", "invoke_agent Analyst"),
        ("chat fake-model", "invoke_agent Analyst"), ("chat fake-model", "invoke_agent Analyst"),
        ("chat fake-model", "invoke_agent Writer"), ("chat fake-model", "invoke_agent Editor")])
    assert {span.trace_id for span in collector.spans} == {f"{trace_id_of(UUID(run['id'])):032x}"}
    assert {span.resource["service.name"] for span in collector.spans} == {"automatos"}
    assert collector.named(workflow).attributes == {
        "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "Test recipe",
        "automatos.recipe.id": recipe["template_id"], "automatos.recipe.version": 1, "automatos.run.id": run["id"],
        "automatos.run.kind": "recipe", "automatos.workspace.id": str(client.workspace_id),
        "automatos.run.status": "completed", "automatos.run.total_tokens": run["total_tokens"],
        "automatos.run.steps_completed": 3} | (
            {"automatos.run.cost_usd": float(run["cost_usd"])} if run["cost_usd"] is not None else {})
    tool, agent = collector.named("execute_tool calculator"), collector.named("invoke_agent Analyst")
    assert (tool.kind, tool.is_error) == ("internal", False)
    assert {name: tool.attributes[name] for name in ("gen_ai.operation.name", "gen_ai.tool.name")} == {
        "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "calculator"}
    calls = [span for span in collector.spans if span.parent_id == agent.span_id and span.name.startswith("chat")]
    first = min(calls, key=lambda span: span.start_ns)
    assert first.kind == "client"
    assert first.attributes == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "fake-model",
        "gen_ai.request.stream": True, "gen_ai.usage.input_tokens": 100, "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 0, "gen_ai.usage.cache_creation.input_tokens": 0,
        "gen_ai.response.finish_reasons": ["tool_call"], "gen_ai.agent.name": "Analyst",
        "gen_ai.agent.id": agent.attributes["gen_ai.agent.id"], "automatos.run.id": run["id"],
        "gen_ai.conversation.id": agent.attributes["gen_ai.conversation.id"]}
    assert (agent.attributes["gen_ai.usage.input_tokens"], agent.attributes["gen_ai.usage.output_tokens"]) == (220, 18)


async def test_what_was_said_is_in_no_span_unless_it_is_asked_for_and_secrets_never_are(
    client: Client, make: Make, model_server: ModelServer, services: Services, collector: Collector
) -> None:
    agent = await make.agent(tools=["calculator"], model_config={"provider": "openai", "model_id": "fake-model"})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": f"Whisper {{input.word}} {SECRET}"},
                               inputs={"word": {"type": "string", "required": True}})

    def replies() -> None:
        model_server.reset()
        model_server.script(Reply(tool_calls=[("calculator", {"expression": "6 * 7"})]), Reply(text=f"Mellon {SECRET}"))

    replies()
    async with traced(services):
        await client.cooked(recipe["template_id"], word="friend")
    silent = b"".join(collector.bodies)
    for word in (b"Whisper", b"friend", b"Mellon", b"6 * 7", SECRET.encode()):
        assert word not in silent

    collector.bodies.clear()
    collector.spans.clear()
    replies()
    async with traced(services, otel_capture_content="true"):
        await client.cooked(recipe["template_id"], word="friend")
    assert SECRET.encode() not in b"".join(collector.bodies)
    work = collector.named(f"invoke_agent {agent['name']}")
    assert "Whisper friend" in work.attributes["gen_ai.input.messages"]
    assert "Mellon" in work.attributes["gen_ai.output.messages"]
    tool = collector.named("execute_tool calculator")
    assert ("6 * 7" in tool.attributes["gen_ai.tool.call.arguments"], tool.attributes["gen_ai.tool.call.result"]) == (
        True, "42")


async def test_each_request_that_fails_is_a_span_with_its_error_and_so_is_the_step_and_the_run(
    client: Client, make: Make, model_server: ModelServer, services: Services, collector: Collector
) -> None:
    agent = await make.agent("Unlucky", model_config={"provider": "openai", "model_id": "fake-model"})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Say hello"},
                               execution_config={"max_retries": 1, "retry_delay_ms": 1})
    model_server.script(Reply(status=503, body=b"later"), Reply(status=400, body=b"no such thing"))

    async with traced(services):
        run = await client.cooked(recipe["template_id"])

    assert run["status"] == "failed"
    requests = sorted((span for span in collector.spans if span.name == "chat fake-model"), key=lambda at: at.end_ns)
    assert [(span.is_error, span.attributes["http.response.status_code"]) for span in requests] == [
        (True, 503), (True, 400)]
    assert requests[1].attributes["error.type"] == run["error"]["code"]
    for name in ("invoke_agent Unlucky", "invoke_workflow Test recipe"):
        assert collector.named(name).is_error
        assert collector.named(name).attributes["error.type"] == run["error"]["code"]


async def test_items_stand_under_their_for_each_and_a_run_under_the_step_that_has_started_it(
    client: Client, make: Make, services: Services, collector: Collector
) -> None:
    agent = await make.agent("Reader")
    inner = await make.recipe({"agent_id": agent["id"], "prompt_template": "Read"}, name="Inner")
    outer = await make.recipe(
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows", "concurrency": 2}},
        {"step_id": "each", "agent_id": agent["id"], "inside": "rows", "prompt_template": "{item}"},
        {"step_id": "sub", "agent_id": None, "needs": ["rows"], "run": {"recipe": inner["template_id"], "inputs": {}}},
        inputs={"rows": {"type": "array", "required": True}}, name="Outer")

    async with traced(services):
        run = await client.cooked(outer["template_id"], rows=["a", "b"])

    assert run["status"] == "completed", run
    told = [pair for pair in collector.parents() if not pair[0].startswith("chat")]
    assert told == sorted([
        ("invoke_workflow Outer", ""), ("step rows", "invoke_workflow Outer"), ("invoke_agent Reader", "step rows"),
        ("invoke_agent Reader", "step rows"), ("step sub", "invoke_workflow Outer"),
        ("invoke_workflow Inner", "step sub"), ("invoke_agent Reader", "invoke_workflow Inner")])
    assert len({span.trace_id for span in collector.spans}) == 1


async def test_a_process_that_saw_only_the_end_of_a_run_reads_the_rest(
    client: Client, make: Make, model_server: ModelServer, services: Services, collector: Collector
) -> None:
    agent = await make.agent("Late", model_config={"provider": "openai", "model_id": "fake-model"})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Wait"})
    model_server.script(Reply(text="At last."))
    run_id = await client.cook(recipe["template_id"])
    await client.follow(run_id)
    stored = await events_after(services.database, client.workspace_id, f"run:{run_id}", 0, 100)
    answered = next(place for place, event in enumerate(stored) if event.type == ModelAnswered.type)

    tracer = OtlpTracer("1")
    runs = RunTraces(tracer, partial(events_after, services.database), Contents(""), {})
    runs.take(client.workspace_id, stored[answered:])
    await runs.close()
    await tracer.close()

    assert collector.parents() == sorted([
        ("invoke_workflow Test recipe", ""), ("invoke_agent Late", "invoke_workflow Test recipe"),
        ("chat fake-model", "invoke_agent Late")])


class TestRequests:
    """Spans of requests."""

    async def ask(self, tracer: OtlpTracer, *, path: str = "/api/agents/7", status: int = 200,
                  headers: tuple[tuple[bytes, bytes], ...] = (), content_type: bytes = b"application/json",
                  ) -> str | None:
        seen: list[str | None] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            scope["route"] = type("Route", (), {"path_format": "/api/agents/{agent_id}"})
            seen.append(current_traceparent())
            await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", content_type)]})

        async def ignored(*_: Any) -> Any:
            return None

        scope = {"type": "http", "method": "GET", "path": path, "scheme": "http", "headers": list(headers),
                 "state": {"request_id": "r-1"}}
        await TracedRequests(app, tracer=lambda: tracer)(scope, ignored, ignored)
        return seen[0]

    async def test_a_request_is_part_of_its_callers_trace_and_what_it_starts_is_part_of_the_request(
        self, collector: Collector
    ) -> None:
        tracer = OtlpTracer("1")
        within = await self.ask(tracer, headers=((b"traceparent", f"00-{CALLER[0]}-{CALLER[1]}-01".encode()),))
        await tracer.close()

        span = collector.named("GET /api/agents/{agent_id}")
        assert (span.kind, span.trace_id, span.parent_id) == ("server", *CALLER)
        assert within == f"00-{CALLER[0]}-{span.span_id}-01"
        assert span.attributes == {
            "http.request.method": "GET", "http.route": "/api/agents/{agent_id}", "http.response.status_code": 200,
            "url.path": "/api/agents/7", "url.scheme": "http", "automatos.request.id": "r-1",
            "automatos.response.is_stream": False}

    async def test_what_the_caller_does_not_keep_is_not_sent_and_the_servers_own_sampler_may_decide(
        self, collector: Collector, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        unkept = ((b"traceparent", f"00-{CALLER[0]}-{CALLER[1]}-00".encode()),)
        tracer = OtlpTracer("1")
        assert (await self.ask(tracer, headers=unkept) or "").endswith("-00")
        await tracer.close()
        assert collector.spans == []

        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
        monkeypatch.setenv("OTEL_SERVICE_NAME", "agents of ours")
        tracer = OtlpTracer("1")
        await self.ask(tracer, headers=unkept)
        await tracer.close()
        assert [span.resource["service.name"] for span in collector.spans] == ["agents of ours"]

    async def test_probes_are_not_traced_a_stream_is_and_a_server_error_is_one(self, collector: Collector) -> None:
        tracer = OtlpTracer("1")
        await self.ask(tracer, path="/health")
        await self.ask(tracer, content_type=b"text/event-stream; charset=utf-8")
        await self.ask(tracer, status=500)
        await tracer.close()

        assert [(span.attributes["automatos.response.is_stream"], span.is_error) for span in collector.spans] == [
            (True, False), (False, True)]


def counted(tracer: OtlpTracer) -> dict[str, float]:
    [family] = SpanFigures(lambda: tracer).collect()
    return {sample.labels["outcome"]: sample.value for sample in family.samples}


async def test_spans_that_nobody_takes_are_counted_and_hold_up_neither_work_nor_the_end(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "3600000")
    tracer = OtlpTracer("1")
    for number in range(1, 26):
        tracer.end(Span("one", SpanPlace(1, number), None, 1, 2, {}))
    await tracer.close()

    assert counted(tracer)["sent"] == 0
    assert 15 <= counted(tracer)["dropped"] <= 25


async def test_spans_that_were_taken_are_counted(collector: Collector) -> None:
    tracer = OtlpTracer("1")
    for number in range(1, 4):
        tracer.end(Span("one", SpanPlace(1, number), None, 1, 2, {}))
    await tracer.close()

    assert counted(tracer) == {"sent": 3, "dropped": 0}
    assert len(collector.spans) == 3


def test_without_the_extra_or_by_another_protocol_the_start_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(TracingRefused, match="http/protobuf"):
        refuse_missing_library()
    monkeypatch.setattr("automatos.kernel.otlp.LIBRARY", ("opentelemetry.no_such_part.at_all",))
    with pytest.raises(TracingRefused, match=r"pip install 'automatos\[otel\]'"):
        refuse_missing_library()


def test_a_server_that_sends_no_traces_loads_nothing_that_does() -> None:
    code = ("import sys, automatos.entrypoints.api\n"
            "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))])")
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


async def test_a_run_that_nobody_traces_is_told_to_nobody_who_does(
    client: Client, make: Make, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Any] = []
    monkeypatch.setattr("automatos.kernel.tracing.Span.__init__", lambda *given, **_: made.append(given))
    recipe = await make.recipe()
    run_id = await client.cook(recipe["template_id"])
    told = await client.follow(run_id)
    services.bus.tell_recorded()

    assert made == []
    assert not {"traceparent", "parent_run_id", "parent_path"} & set(told[0]["data"])
