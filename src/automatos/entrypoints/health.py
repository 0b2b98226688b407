"""Is this server well? Probes of what it needs, kept for a second so that asking often costs nothing."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Literal, Protocol

import psutil
import structlog
from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy import text

from automatos import __version__
from automatos.entrypoints.statistics import Health, Statistics
from automatos.kernel.blobs import Blobs
from automatos.kernel.clock import now
from automatos.kernel.config import Settings, unknown_variables
from automatos.kernel.db import Database
from automatos.kernel.errors import DatabaseUnavailable
from automatos.kernel.schemas import Out
from automatos.kernel.services import services_of
from automatos.workspaces.deps import SystemAdmin

log = structlog.get_logger()

SERVICE = "automatos-ai-api"
PROBE_TIMEOUT_S = 2.0
KEPT_S = 1.0
WRITE_EVERY_S = 5.0
"""How often a database that answers is also written to; one that refused is tried each time."""

Probe = Callable[[], Awaitable[str | None]]
"""Looks at one part; returns a word on it when there is one to say, and raises when the part does not work."""


class Component(Out):
    """One part of the server; an optional part that fails makes the server degraded, a needed one unhealthy."""

    status: Health
    detail: str | None = None
    latency_ms: float


class Metrics(Out):
    """What the machine has left."""

    cpu_percent: float
    memory_used_percent: float
    memory_available_mb: float


class HealthReport(Out):
    """The whole server: as bad as its worst part."""

    status: Health
    service: Literal["automatos-ai-api"] = SERVICE
    version: str
    timestamp: datetime
    uptime_s: float
    components: dict[str, Component]
    metrics: Metrics


class HealthCheck:
    """Probes by name; `needed` parts decide between healthy and unhealthy, the others can only degrade."""

    def __init__(
        self, settings: Settings, database: Database, blobs: Blobs, write: Callable[[], Awaitable[None]]
    ) -> None:
        self._probes: dict[str, tuple[Probe, bool]] = {}
        self._report: HealthReport | None = None
        self._made_at = 0.0
        self._started = time.monotonic()
        self._lock = asyncio.Lock()
        psutil.cpu_percent()
        self.add("api_server", _answers, needed=True)
        self.add("database", DatabaseProbe(database, write).look, needed=True)
        self.add("config", _probe_config, needed=False)
        self.add("object_store", lambda: _probe_blobs(blobs), needed=False)
        if url := settings.redis:
            self.add("redis", lambda: _probe_redis(url), needed=False)

    def add(self, name: str, probe: Probe, *, needed: bool) -> None:
        """Watch one more part of the server."""
        self._probes[name] = (probe, needed)

    async def report(self) -> HealthReport:
        """Return how the server does, at most a second old; all probes run at once and none longer than two seconds."""
        async with self._lock:
            if self._report is None or time.monotonic() - self._made_at > KEPT_S:
                self._report = await self._look()
                self._made_at = time.monotonic()
            return self._report

    async def _look(self) -> HealthReport:
        found = await asyncio.gather(*(_run(name, probe, needed) for name, (probe, needed) in self._probes.items()))
        components = dict(zip(self._probes, found, strict=True))
        states = {component.status for component in found}
        memory = psutil.virtual_memory()
        return HealthReport(
            status="unhealthy" if "unhealthy" in states else "degraded" if "degraded" in states else "healthy",
            version=__version__, timestamp=now(), uptime_s=round(time.monotonic() - self._started, 1),
            components=components,
            metrics=Metrics(cpu_percent=psutil.cpu_percent(), memory_used_percent=memory.percent,
                            memory_available_mb=round(memory.available / 2**20, 1)),
        )


async def _run(name: str, probe: Probe, needed: bool) -> Component:
    began = time.perf_counter()
    status: Health = "healthy"
    try:
        async with asyncio.timeout(PROBE_TIMEOUT_S):
            detail = await probe()
    except DatabaseUnavailable as error:
        log.warning("health.probe_failed", component=name, error=error.detail)
        status, detail = ("unhealthy" if needed else "degraded"), error.why or "does not answer"
    except Exception as error:  # noqa: BLE001  # a probe fails in whatever way its part does
        log.warning("health.probe_failed", component=name, error=str(error) or type(error).__name__)
        status, detail = ("unhealthy" if needed else "degraded"), "does not answer; the server's log says why"
    return Component(status=status, detail=detail, latency_ms=round((time.perf_counter() - began) * 1000, 2))


async def _answers() -> None:
    return None


class DatabaseProbe:
    """Asks for a connection of a request's each time, and every few seconds writes a row and a megabyte."""

    def __init__(self, database: Database, write: Callable[[], Awaitable[None]]) -> None:
        self._database = database
        self._write = write
        self._written_at = -math.inf

    async def look(self) -> None:
        """Raise when the database does not answer, is only to be read, or has no room."""
        async with self._database.session(None) as session:
            await session.execute(text("SELECT 1"))
        looked_at = time.monotonic()
        if self._database.full_since is None and looked_at - self._written_at < WRITE_EVERY_S:
            return
        self._written_at = -math.inf
        await self._write()
        await self._database.try_room()
        self._written_at = looked_at


async def _probe_config() -> str | None:
    unknown = len(unknown_variables())
    return f"{unknown} AUTOMATOS_ variables mean nothing; the log names them" if unknown else None


async def _probe_blobs(blobs: Blobs) -> None:
    await blobs.probe()


async def _probe_redis(url: str) -> None:
    from automatos.entrypoints.shared_counts import probe  # loaded where there is a Redis

    await probe(url, PROBE_TIMEOUT_S)


class EndpointReport(Out):
    """One endpoint since this process started; times are milliseconds, rates percent."""

    endpoint: str
    health: Health
    call_count: int
    total_time: float
    avg_response_time: float
    min_response_time: float
    max_response_time: float
    recent_times: Annotated[list[float], Field(description="The last 100 calls, oldest first.")]
    error_count: Annotated[int, Field(description="Answers of 500 and above.")]
    error_rate: float
    client_error_count: Annotated[int, Field(description="Answers of 400 to 499: the client's doing, no error here.")]
    last_called: datetime
    status_codes: dict[str, int]


class EndpointSummary(Out):
    """All endpoints together."""

    total_endpoints: int
    total_calls: int
    total_errors: int
    total_client_errors: int
    overall_error_rate: float
    healthy_endpoints: int
    degraded_endpoints: int
    unhealthy_endpoints: int


class EndpointsReport(Out):
    """The twenty busiest endpoints of this process, and the sum of all."""

    overall_health: Health
    summary: EndpointSummary
    endpoints: list[EndpointReport]


router = APIRouter(tags=["health"])


class HealthServices(Protocol):
    """What is needed of the process."""

    health: HealthCheck
    statistics: Statistics


@router.get("/health", responses={503: {"model": HealthReport, "description": "A part the server needs is down."}})
async def check_health(request: Request, response: Response) -> HealthReport:
    """Say how the server and its parts do; 503 when a needed one is down."""
    report = await services_of(request, HealthServices).health.report()
    response.headers["Cache-Control"] = "no-store"
    if report.status == "unhealthy":
        response.status_code = 503
    return report


@router.get("/api/health/endpoints", response_model=EndpointsReport)
async def report_endpoints(request: Request, _: SystemAdmin) -> object:
    """Return calls, times and errors of each endpoint since this process started."""
    return services_of(request, HealthServices).statistics.report()
