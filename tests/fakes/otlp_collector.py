"""A collector of traces on this machine: it takes OTLP over HTTP and reads the protobuf as a real one does."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

KINDS = {1: "internal", 2: "server", 3: "client"}


@dataclass(frozen=True)
class Received:
    """A span as it came."""

    name: str
    kind: str
    trace_id: str
    span_id: str
    parent_id: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    moments: list[tuple[str, dict[str, Any]]]
    is_error: bool
    resource: dict[str, Any]


@dataclass
class Collector:
    """Takes spans at `url` while the block lasts."""

    spans: list[Received] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    url: str = ""

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_post("/v1/traces", self._take)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = "http://{}:{}".format(*self._runner.addresses[0][:2])
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def named(self, name: str) -> Received:
        """The one span of that name."""
        found = [span for span in self.spans if span.name == name]
        assert len(found) == 1, (name, [span.name for span in self.spans])
        return found[0]

    def parents(self) -> list[tuple[str, str]]:
        """The names of the spans with their parents', sorted; without a parent that came, there is no name."""
        names = {span.span_id: span.name for span in self.spans}
        return sorted((span.name, names.get(span.parent_id, "")) for span in self.spans)

    async def _take(self, request: web.Request) -> web.Response:
        assert request.content_type == "application/x-protobuf"
        body = await request.read()
        self.bodies.append(body)
        self.spans += read_spans(body)
        return web.Response(body=ExportTraceServiceResponse().SerializeToString(), content_type=request.content_type)


def read_spans(body: bytes) -> Iterator[Received]:
    for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Received(
                    span.name, KINDS[span.kind], span.trace_id.hex(), span.span_id.hex(), span.parent_span_id.hex(),
                    span.start_time_unix_nano, span.end_time_unix_nano, values_of(span.attributes),
                    [(event.name, values_of(event.attributes)) for event in span.events], span.status.code == 2,
                    values_of(resource.resource.attributes))


def values_of(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {each.key: value_of(each.value) for each in pairs}


def value_of(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    return [value_of(each) for each in value.array_value.values] if kind == "array_value" else getattr(value, kind)
