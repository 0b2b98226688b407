"""OpenTelemetry's library as a tracer: samplers, resource, batches and the OTLP exporter, all set by its variables.

It is an extra. This file alone names it, and by text, so that the rest is checked and starts without it.
"""

import asyncio
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final

import structlog

from automatos.kernel.errors import Problem
from automatos.kernel.tracing import Span, SpanPlace

log = structlog.get_logger("automatos.tracing")
LIBRARY: Final = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")
SCOPE: Final = "automatos"
QUEUE: Final = 2048
"""Spans that wait to be sent, where OTEL_BSP_MAX_QUEUE_SIZE does not say how many may."""
CLOSING_S: Final = 3.0


class TracingRefused(Problem):
    """Traces were asked for, and this installation cannot send them."""

    status = 503
    code = "tracing_refused"
    title = "Traces cannot be sent"


def refuse_missing_library() -> None:
    """Say what to install where traces are asked for and the extra is missing; raises TracingRefused."""
    try:
        is_there = all(find_spec(name) for name in LIBRARY)
    except ModuleNotFoundError:
        is_there = False
    if not is_there:
        raise TracingRefused("OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, which need the extra `otel`: "
                             "pip install 'automatos[otel]', or set OTEL_SDK_DISABLED=true.")
    protocol = (os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL")
                or "http/protobuf").strip()
    if protocol != "http/protobuf":
        raise TracingRefused(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}: traces are sent as http/protobuf, mostly "
                             "to port 4318. Unset it, or set OTEL_SDK_DISABLED=true.")


class _GivenIds:
    """Gives the library the ids of the span that is made next."""

    def __init__(self) -> None:
        self.place = SpanPlace(1, 1)

    def generate_trace_id(self) -> int:
        return self.place.trace_id

    def generate_span_id(self) -> int:
        return self.place.span_id

    def is_trace_id_random(self) -> bool:
        return True


class _Counted:
    """An exporter that counts, and tells once when nothing arrives and once when it does again."""

    def __init__(self, exporter: Any) -> None:
        self._exporter = exporter
        self.exported = self.failed = 0
        self.is_closing = False
        self._is_failing = False

    def export(self, spans: Sequence[Any]) -> Any:
        """Send a batch, in the library's own thread."""
        if self.is_closing and self._is_failing:
            self.failed += len(spans)
            return None
        try:
            result = self._exporter.export(spans)
        except Exception:  # noqa: BLE001  # whatever it was, these spans are gone
            result = None
        has_failed = result is None or result.name != "SUCCESS"
        self.failed += len(spans) * has_failed
        self.exported += len(spans) * (not has_failed)
        if has_failed != self._is_failing:
            self._is_failing = has_failed
            log.warning("tracing.not_sent", spans=len(spans)) if has_failed else log.info("tracing.sent_again")
        return result

    def shutdown(self) -> None:
        """Send nothing any more, and end what is being sent."""
        self._exporter.shutdown()


class OtlpTracer:
    """Hands spans to the library, which sends them in batches from a thread of its own."""

    def __init__(self, version: str) -> None:
        self._api = import_module("opentelemetry.trace")
        self._context = import_module("opentelemetry.context").Context
        sdk, export = import_module("opentelemetry.sdk.trace"), import_module("opentelemetry.sdk.trace.export")
        exporter = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter").OTLPSpanExporter()
        logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # it tells of every batch, and of every try
        self._ids, self._out = _GivenIds(), _Counted(exporter)
        self._limit = _queue_size()
        self._provider = sdk.TracerProvider(
            resource=_resource(version), shutdown_on_exit=False, id_generator=self._ids)
        self._provider.add_span_processor(export.BatchSpanProcessor(self._out, max_queue_size=self._limit))
        self._tracer = self._provider.get_tracer(SCOPE, version)
        self._offered = self._refused = 0

    @property
    def exported(self) -> int:
        """How many spans were sent."""
        return self._out.exported

    @property
    def dropped(self) -> int:
        """How many spans were not sent: there were too many, or nobody took them."""
        return self._refused + self._out.failed

    def is_sampled(self, name: str, trace_id: int, parent: SpanPlace | None) -> bool:
        """Say whether a trace is kept, as OTEL_TRACES_SAMPLER decides."""
        return bool(self._provider.sampler.should_sample(self._under(parent), trace_id, name).decision.is_sampled())

    def drop(self, count: int) -> None:
        """Count spans that were never made."""
        self._refused += count

    def end(self, span: Span) -> None:
        """Take a span; where as many wait as may, it is counted and dropped."""
        if self._offered - self._out.exported - self._out.failed >= self._limit:
            self._refused += 1
            return
        self._ids.place = span.place
        made = self._tracer.start_span(
            span.name, self._under(span.parent), self._api.SpanKind[span.kind], dict(span.attributes),
            start_time=span.start_ns)
        if not made.is_recording():
            return
        for moment in span.moments:
            made.add_event(moment.name, dict(moment.attributes), moment.at_ns)
        if span.error:
            made.set_attribute("error.type", span.error)
            made.set_status(self._api.StatusCode.ERROR)
        self._offered += 1
        made.end(max(span.end_ns, span.start_ns))

    async def close(self) -> None:
        """Send what waits, for at most CLOSING_S; a collector that is away holds no process up."""
        self._out.is_closing = True
        done, loop = asyncio.Event(), asyncio.get_running_loop()

        def send_rest() -> None:
            self._provider.shutdown()
            with contextlib.suppress(RuntimeError):  # the loop has not waited
                loop.call_soon_threadsafe(done.set)

        # Not of the loop's own threads, for which its end would wait.
        threading.Thread(target=send_rest, name="tracing.close", daemon=True).start()
        try:
            async with asyncio.timeout(CLOSING_S):
                await done.wait()
        except TimeoutError:
            self._out.shutdown()

    def _under(self, parent: SpanPlace | None) -> Any:
        """Return the library's context of a parent, or one without."""
        if parent is None:
            return self._context()
        flags = self._api.TraceFlags(int(parent.is_sampled))
        place = self._api.SpanContext(parent.trace_id, parent.span_id, is_remote=True, trace_flags=flags)
        return self._api.set_span_in_context(self._api.NonRecordingSpan(place), self._context())


def _resource(version: str) -> Any:
    """Return who sends: what the operator's variables say, and our name where they name none."""
    named = os.environ.get("OTEL_SERVICE_NAME") or "service.name=" in os.environ.get("OTEL_RESOURCE_ATTRIBUTES", "")
    own = {"service.version": version, "service.instance.id": f"{socket.gethostname()}:{os.getpid()}"}
    return import_module("opentelemetry.sdk.resources").Resource.create(
        own | ({} if named else {"service.name": SCOPE}))


def _queue_size() -> int:
    told = os.environ.get("OTEL_BSP_MAX_QUEUE_SIZE", "")
    return int(told) if told.isascii() and told.isdigit() and int(told) else QUEUE
