"""Traces of runs, made of the events that were recorded: nothing on the way of a run waits for them or knows of them.

A span ends with an event and is made then, by whichever process recorded it. Its id and its parent's follow from the
run and the place in it, so a run that went through several processes is one trace. Names and attributes are those of
OpenTelemetry's conventions for generative AI.
"""

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

import orjson
import structlog

from automatos.durable.types import StoredEvent
from automatos.events import types as events
from automatos.events.contents import Contents
from automatos.kernel.tracing import (
    Attribute,
    Moment,
    Span,
    SpanKind,
    SpanPlace,
    Tracer,
    read_traceparent,
    span_id_of,
    trace_id_of,
)

log = structlog.get_logger("automatos.tracing")
MAX_WAITING: Final = 1_000
"""Records that wait to be made spans of; a process that is so far behind leaves some out."""
MAX_RUNS: Final = 2_000
PAGE: Final = 200
CLOSING_S: Final = 2.0
FINISH_REASONS: Final = {
    "complete": "stop", "tool_calls": "tool_call", "cut_off": "length", "refused": "content_filter"}

ReadEvents = Callable[[UUID, str, int, int], Awaitable[Sequence[StoredEvent]]]
"""(workspace, stream, after which number, how many) -> stored events, in order."""


class RunTracer(Tracer, Protocol):
    """A tracer that is told of spans which could not even be made."""

    def drop(self, count: int) -> None:
        """Count spans that were never made."""
        ...


@dataclass
class _Step:
    """A step that has begun: where it is, who does it, and since when."""

    path: str
    name: str
    attributes: dict[str, Attribute]
    began_ns: int
    seq: int
    moments: list[Moment] = field(default_factory=list[Moment])


@dataclass
class _Run:
    """A run as its spans need it. `read_to` is up to where the steps' beginnings were looked for in what is stored."""

    id: UUID
    workspace_id: UUID
    place: SpanPlace
    parent: SpanPlace | None
    name: str
    attributes: dict[str, Attribute]
    steps: dict[int, _Step] = field(default_factory=dict[int, _Step])
    read_to: int = 0

    def at(self, place: str) -> SpanPlace:
        """Return where the span of a place of the run stands."""
        return SpanPlace(self.place.trace_id, span_id_of(self.id, place), self.place.is_sampled)

    def around(self, path: str) -> SpanPlace:
        """Return the span in which a step's stands: that of the for-each that repeats it, or the run's."""
        outer = path.rpartition(".")[0]
        outer = outer.rpartition("[")[0] if outer.endswith("]") else outer
        return self.at(f"step {outer}") if outer else self.place


class RunTraces:
    """Makes spans of recorded events, in a task of its own; `provider_names` has the conventions' names by ours."""

    def __init__(
        self, tracer: RunTracer, read_events: ReadEvents, contents: Contents, provider_names: Mapping[str, str]
    ) -> None:
        self._tracer = tracer
        self._read_events = read_events
        self._contents = contents
        self._provider_names = provider_names
        self._waiting = asyncio.Queue[tuple[UUID, Sequence[StoredEvent]]](MAX_WAITING)
        self._runs = OrderedDict[UUID, _Run]()
        self._task: asyncio.Task[None] | None = None
        self._ends: dict[str, Callable[[_Run, StoredEvent, dict[str, Any]], Awaitable[None]]] = {
            events.ModelAnswered.type: self._model_called, events.ModelRetrying.type: self._model_called,
            events.ModelFailed.type: self._model_called, events.ToolFinished.type: self._tool_called,
            **{kind.type: self._step_over for kind in (
                events.StepCompleted, events.StepFailed, events.StepSkipped, events.StepCancelled)},
            **dict.fromkeys(events.FINAL_EVENTS, self._run_over),
        }

    def _provider(self, name: str) -> str:
        return self._provider_names.get(name, name)

    def take(self, workspace_id: UUID, recorded: Sequence[StoredEvent]) -> None:
        """Take what was recorded; returns at once."""
        self._task = self._task or asyncio.create_task(self._make(), name="tracing.runs")
        try:
            self._waiting.put_nowait((workspace_id, recorded))
        except asyncio.QueueFull:
            self._tracer.drop(sum(event.type in self._ends for event in recorded))

    async def close(self) -> None:
        """Make spans of what was taken, for at most CLOSING_S."""
        if self._task is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSING_S):
                await self._waiting.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _make(self) -> None:
        while True:
            workspace_id, recorded = await self._waiting.get()
            for event in recorded:
                try:
                    await self._follow(workspace_id, event)
                except Exception as error:  # noqa: BLE001  # a trace that lacks a span hurts nobody
                    self._tracer.drop(event.type in self._ends)
                    log.info("tracing.event_left_out", type=event.type, error=str(error) or type(error).__name__)
            self._waiting.task_done()

    async def _follow(self, workspace_id: UUID, event: StoredEvent) -> None:
        kind, _, key = event.topic.partition(":")
        if kind != "run" or not (event.type in self._ends or event.type in BEGINNINGS
                                 or event.type == events.ExecutionQueued.type):
            return
        run = await self._run_of(workspace_id, UUID(key), event)
        if run is None or not run.place.is_sampled:
            return
        data = orjson.loads(event.data)
        if event.type in BEGINNINGS:
            self._begin(run, event, data)
        elif end := self._ends.get(event.type):
            await end(run, event, data)

    async def _run_of(self, workspace_id: UUID, run_id: UUID, event: StoredEvent | None = None) -> _Run | None:
        """Return what is known of a run, from the event that tells of its beginning; None when that is gone."""
        if run := self._runs.get(run_id):
            self._runs.move_to_end(run_id)
            return run
        if event is None or event.type != events.ExecutionQueued.type:
            stored = await self._read_events(workspace_id, f"run:{run_id}", 0, 1)
            event = stored[0] if stored else None
        if event is None or event.type != events.ExecutionQueued.type:
            return None
        run = self._runs[run_id] = await self._opened(workspace_id, run_id, orjson.loads(event.data))
        while len(self._runs) > MAX_RUNS:
            self._runs.popitem(last=False)
        return run

    async def _opened(self, workspace_id: UUID, run_id: UUID, data: dict[str, Any]) -> _Run:
        parent = await self._parent_of(workspace_id, data)
        trace_id = parent.trace_id if parent else trace_id_of(run_id)
        is_recipe = data.get("kind", "recipe") == "recipe"
        name = f"invoke_workflow {data['recipe_name']}" if is_recipe else data["kind"]
        own: dict[str, Attribute] = {
            "automatos.run.id": str(run_id), "automatos.run.kind": data.get("kind", "recipe"),
            "automatos.workspace.id": str(workspace_id)}
        if is_recipe:
            own |= {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": data["recipe_name"],
                    "automatos.recipe.id": data["recipe_id"] or "", "automatos.recipe.version": data["recipe_version"]}
        is_sampled = self._tracer.is_sampled(name, trace_id, parent)
        return _Run(run_id, workspace_id, SpanPlace(trace_id, span_id_of(run_id, "run"), is_sampled), parent, name, own)

    async def _parent_of(self, workspace_id: UUID, data: dict[str, Any]) -> SpanPlace | None:
        """Return the span that a run stands in: the step that has started it, or the request that asked for it."""
        if data.get("parent_run_id"):
            outer = await self._run_of(workspace_id, UUID(data["parent_run_id"]))
            return outer and outer.at(f"step {data['parent_path']}")
        return read_traceparent(data["traceparent"]) if data.get("traceparent") else None

    def _begin(self, run: _Run, event: StoredEvent, data: dict[str, Any]) -> None:
        """Note that a step has begun, waits, or is tried again; what is older than what is known says nothing."""
        known = run.steps.get(data["order"])
        if known and known.seq >= event.seq:
            return
        if event.type == events.StepRetrying.type:
            if known:
                known.moments.append(Moment("automatos.step.retry", _ns(event.at), {
                    "automatos.attempt": data["attempt"], "error.type": data["error"]["code"]}))
                known.seq = event.seq
            return
        if known and data.get("until") == "agent":
            return
        path = data.get("path") or data["step_id"]
        own: dict[str, Attribute] = {"automatos.run.id": str(run.id), "automatos.step.path": path}
        if "agent_id" in data:
            name = f"invoke_agent {data['agent_name']}"
            own |= {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.id": str(data["agent_id"]),
                    "gen_ai.agent.name": data["agent_name"], "gen_ai.conversation.id": data["run_id"],
                    "gen_ai.provider.name": self._provider(data["provider"]), "gen_ai.request.model": data["model"],
                    "automatos.attempt": data["attempt"]} | self._contents.asked(data["prompt"])
        else:
            name = f"step {data['step_id']}"
            own["automatos.step.kind"] = data.get("until") or "for_each"
        run.steps[data["order"]] = _Step(
            path, name, own, known.began_ns if known else _ns(event.at), event.seq, known.moments if known else [])

    async def _step_of(self, run: _Run, event: StoredEvent, order: int) -> _Step | None:
        """Return a step that has begun; what other processes recorded of the run is read, and no part of it twice."""
        while order not in run.steps and run.read_to < event.seq - 1:
            page = await self._read_events(run.workspace_id, f"run:{run.id}", run.read_to, PAGE)
            for each in page:
                if each.seq < event.seq and each.type in BEGINNINGS:
                    self._begin(run, each, orjson.loads(each.data))
                elif each.seq < event.seq and each.type in OVER:
                    run.steps.pop(orjson.loads(each.data)["order"], None)
            run.read_to = min(page[-1].seq, event.seq - 1) if page else event.seq - 1
        return run.steps.get(order)

    async def _model_called(self, run: _Run, event: StoredEvent, data: dict[str, Any]) -> None:
        step = await self._step_of(run, event, data["order"])
        own = _inside(run, step) | {
            "gen_ai.operation.name": "chat", "gen_ai.provider.name": self._provider(data["provider"]),
            "gen_ai.request.model": data["model"], "gen_ai.request.stream": True,
            "gen_ai.usage.input_tokens": data["input_tokens"], "gen_ai.usage.output_tokens": data["output_tokens"]}
        if event.type == events.ModelAnswered.type:
            reason = FINISH_REASONS.get(data.get("end") or "complete", "stop")
            own |= {"gen_ai.response.finish_reasons": (reason,),
                    "gen_ai.usage.cache_read.input_tokens": data.get("cache_read_tokens", 0),
                    "gen_ai.usage.cache_creation.input_tokens": data.get("cache_write_tokens", 0),
                    } | self._contents.answered(data["text"], data["tool_calls"], reason)
        else:
            own |= {"automatos.attempt": data["attempt"], "automatos.then": data["then"]}
            if data["provider_status"]:
                own["http.response.status_code"] = data["provider_status"]
        self._end(run, event, f"chat {data['model']}", own, run.at(f"event {event.seq}"), _under(run, step),
                  data["latency_ms"], data.get("code"), SpanKind.CLIENT)

    async def _tool_called(self, run: _Run, event: StoredEvent, data: dict[str, Any]) -> None:
        step = await self._step_of(run, event, data["order"])
        own = _inside(run, step) | {
            "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": data["name"],
            "gen_ai.tool.type": "function", "gen_ai.tool.call.id": data["call_id"],
        } | self._contents.called(data["arguments"], data["output"])
        self._end(run, event, f"execute_tool {data['name']}", own, run.at(f"event {event.seq}"), _under(run, step),
                  data["duration_ms"], None if data["ok"] else "tool_error")

    async def _step_over(self, run: _Run, event: StoredEvent, data: dict[str, Any]) -> None:
        step = await self._step_of(run, event, data["order"])
        if step is None:
            return  # it never began: its condition did not hold, or the run ended before it
        del run.steps[data["order"]]
        own = step.attributes | {"automatos.step.status": event.type.rpartition(".")[2]}
        if "gen_ai.agent.id" in own and "input_tokens" in data:
            own |= {"gen_ai.usage.input_tokens": data["input_tokens"],
                    "gen_ai.usage.output_tokens": data["output_tokens"]} | self._contents.answered(data["output"])
        self._end(run, event, step.name, own, run.at(f"step {step.path}"), run.around(step.path),
                  (_ns(event.at) - step.began_ns) / 1e6, (data.get("error") or {}).get("code"),
                  moments=tuple(step.moments))

    async def _run_over(self, run: _Run, event: StoredEvent, data: dict[str, Any]) -> None:
        self._runs.pop(run.id, None)
        own = run.attributes | {
            "automatos.run.status": event.type.removeprefix("execution."),
            "automatos.run.total_tokens": data["total_tokens"],
            "automatos.run.steps_completed": data["steps_completed"]}
        if data.get("cost_usd") is not None:
            own["automatos.run.cost_usd"] = float(data["cost_usd"])
        error = data["error"]["code"] if data.get("error") else None
        self._end(run, event, run.name, own, run.place, run.parent, data["duration_ms"], error)

    def _end(self, run: _Run, event: StoredEvent, name: str, attributes: Mapping[str, Attribute], place: SpanPlace,
             parent: SpanPlace | None, took_ms: float, error: str | None, kind: SpanKind = SpanKind.INTERNAL,
             moments: tuple[Moment, ...] = ()) -> None:
        end_ns = _ns(event.at)
        self._tracer.end(Span(name, place, parent, end_ns - round(took_ms * 1e6), end_ns, attributes, kind, error,
                              moments))


BEGINNINGS: Final = frozenset({
    events.StepStarted.type, events.StepWaiting.type, events.StepExpanded.type, events.StepRetrying.type})
OVER: Final = frozenset({
    events.StepCompleted.type, events.StepFailed.type, events.StepSkipped.type, events.StepCancelled.type})


def _inside(run: _Run, step: _Step | None) -> dict[str, Attribute]:
    """Return what a call says of the agent's work that it is a part of."""
    own: dict[str, Attribute] = {"automatos.run.id": str(run.id)}
    for name in ("gen_ai.agent.id", "gen_ai.agent.name", "gen_ai.conversation.id"):
        if step and name in step.attributes:
            own[name] = step.attributes[name]
    return own


def _under(run: _Run, step: _Step | None) -> SpanPlace:
    return run.at(f"step {step.path}") if step else run.place


def _ns(at: str) -> int:
    return round(datetime.fromisoformat(at).timestamp() * 1e6) * 1000
