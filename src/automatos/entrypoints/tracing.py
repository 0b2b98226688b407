"""Tracing of one process: begun where it is asked for, fed with requests and with what was recorded, ended in order."""

import secrets
import time
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automatos import __version__
from automatos.credentials.service import providers_by_name
from automatos.durable.service import Bus, events_after
from automatos.entrypoints.middleware import find_header, is_stream
from automatos.events.contents import Contents
from automatos.events.traces import RunTraces
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.kernel.otlp import OtlpTracer, refuse_missing_library
from automatos.kernel.telemetry import hide_secrets
from automatos.kernel.tracing import Attribute, Span, SpanKind, SpanPlace, Within, read_traceparent

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"})
PROBES = frozenset({"/health", "/metrics"})
"""Asked every few seconds by who watches the server."""
MAX_PATH = 300


@asynccontextmanager
async def tracing(settings: Settings, database: Database, bus: Bus) -> AsyncGenerator[OtlpTracer | None]:
    """Send traces while the block lasts; None where nobody asked for them.

    Raises:
        TracingRefused: they are asked for and cannot be sent.
    """
    if not settings.sends_traces:
        yield None
        return
    refuse_missing_library()
    tracer = OtlpTracer(__version__)
    names = {name: row.traced_as for name, row in providers_by_name().items() if row.traced_as}
    runs = RunTraces(tracer, partial(events_after, database), Contents(settings.otel_capture_content), names)
    take = runs.take
    bus.on_recorded(take)
    try:
        yield tracer
    finally:
        bus.tell_recorded()
        bus.forget_recorded(take)
        await runs.close()
        await tracer.close()


class SpanFigures(Collector):
    """Counts spans that were sent, and those that were dropped because they were too many or nobody took them."""

    def __init__(self, tracer: Callable[[], OtlpTracer | None]) -> None:
        self._tracer = tracer

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Give the counts; none where nothing is traced."""
        spans = CounterMetricFamily("automatos_spans", "Spans of traces, sent or dropped.", labels=("outcome",))
        if tracer := self._tracer():
            spans.add_metric(("sent",), tracer.exported)
            spans.add_metric(("dropped",), tracer.dropped)
        yield spans


class TracedRequests:
    """Makes a span of each request to a route, within the caller's trace where it names one."""

    def __init__(self, app: ASGIApp, *, tracer: Callable[[], OtlpTracer | None]) -> None:
        self.app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; a stream is a span as long as it took to begin."""
        tracer = self._tracer()
        if tracer is None or scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        began_ns = time.time_ns()
        given = find_header(scope, b"traceparent")
        parent = read_traceparent(given.decode("latin-1")) if given else None
        trace_id = parent.trace_id if parent else secrets.randbits(128) or 1
        place = SpanPlace(trace_id, secrets.randbits(64) or 1,
                          tracer.is_sampled(scope["method"], trace_id, parent))
        status, opened_ns = 0, None

        async def send_noticed(message: Message) -> None:
            nonlocal status, opened_ns
            if message["type"] == "http.response.start":
                status = message["status"]
                opened_ns = time.time_ns() if is_stream(message) else None
            await send(message)

        try:
            with Within(place):
                await self.app(scope, receive, send_noticed)
        finally:
            if place.is_sampled and (route := getattr(scope.get("route"), "path_format", None)):
                tracer.end(_span(scope, route, place, parent, began_ns, opened_ns, status or 499))


def _span(scope: Scope, route: str, place: SpanPlace, parent: SpanPlace | None, began_ns: int, opened_ns: int | None,
          status: int) -> Span:
    method = scope["method"] if scope["method"] in METHODS else "_OTHER"
    own: dict[str, Attribute] = {
        "http.request.method": method, "http.route": route, "http.response.status_code": status,
        "url.path": hide_secrets(scope["path"][:MAX_PATH]), "url.scheme": scope.get("scheme", "http"),
        "automatos.request.id": scope["state"]["request_id"], "automatos.response.is_stream": opened_ns is not None}
    name = f"{'HTTP' if method == '_OTHER' else method} {route}"
    return Span(name, place, parent, began_ns, opened_ns or time.time_ns(), own, SpanKind.SERVER,
                str(status) if status >= 500 else None)
