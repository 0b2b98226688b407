"""Health, statistics, metrics, overview, description: what the server says about itself, and to whom."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import datetime
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from automatos.entrypoints import middleware
from automatos.entrypoints.policy import PUBLIC, find_unguarded
from automatos.kernel.ids import new_id
from automatos.workspaces.errors import CredentialInvalid
from automatos.workspaces.types import AuthMethod, Caller, Presented, Role


class ByName:
    """Accepts `admin` (of the whole server) and `owner` (of one workspace)."""

    async def authenticate(self, presented: Presented) -> Caller:
        if presented.secret not in {"admin", "owner"}:
            raise CredentialInvalid("Unknown.")
        return Caller(user=None, workspace_id=new_id(), role=Role.OWNER, auth_method=AuthMethod.API_KEY,
                      is_system_admin=presented.secret == "admin")


def use_names(app: FastAPI) -> None:
    app.state.services.authenticator = ByName()

    @app.get("/api/slow/{n}")
    async def work(n: int) -> dict[str, Any]:
        return {"n": n}

    @app.get("/api/broken")
    async def fail() -> None:
        raise RuntimeError("broken")


@pytest.mark.capability("S179")
async def test_health_probes_every_part_and_measures_the_machine(serve) -> None:
    site = await serve()
    async with asyncio.timeout(60):
        while not site.services.bus.is_listening:  # it listens a moment after it answers, and says "degraded" before
            await asyncio.sleep(0.01)
    async with site.get("/health") as response:
        report = await response.json()
    assert response.status == 200
    assert response.headers["cache-control"] == "no-store"
    assert (report["status"], report["service"]) == ("healthy", "automatos-ai-api")
    assert datetime.fromisoformat(report["timestamp"]).tzinfo
    assert {"api_server", "database", "config", "object_store"} <= report["components"].keys()
    assert {component["status"] for component in report["components"].values()} == {"healthy"}
    assert 0 <= report["metrics"]["cpu_percent"] <= 100
    assert 0 < report["metrics"]["memory_used_percent"] <= 100
    assert report["metrics"]["memory_available_mb"] > 0


@pytest.mark.capability("S179")
async def test_health_is_503_without_its_database_and_degraded_without_something_optional(serve, monkeypatch) -> None:
    site = await serve(redis_url="redis://127.0.0.1:1/0")

    async def fail() -> None:
        raise OSError("postgresql://user:hunter2@db is gone")

    async with site.get("/health") as response:
        report = await response.json()
    assert (response.status, report["status"], report["components"]["redis"]["status"]) == (200, "degraded", "degraded")
    site.services.health.add("database", fail, needed=True)
    monkeypatch.setattr("automatos.entrypoints.health.KEPT_S", 0)
    async with site.get("/health") as response:
        text = await response.text()
        report = await response.json()
    assert (response.status, report["status"]) == (503, "unhealthy")
    assert report["components"]["database"]["status"] == "unhealthy"
    assert "hunter2" not in text


@pytest.mark.capability("S179")
async def test_asking_often_probes_once_a_second(serve) -> None:
    site = await serve()
    asked = []

    async def count() -> None:
        asked.append(1)

    site.services.health.add("counted", count, needed=False)
    for _ in range(20):
        async with site.get("/health"):
            pass
    assert len(asked) <= 2


@pytest.mark.capability("S180")
async def test_endpoint_statistics_are_for_system_admins_and_count_only_the_servers_own_errors(serve) -> None:
    site = await serve(use_names)
    for n in [*range(30), "x", "y", "z"]:
        async with site.get(f"/api/slow/{n}"):
            pass
    for _ in range(3):
        async with site.get("/api/broken"):
            pass
    async with site.get("/health"):
        pass
    for key, status in (("nobody", 401), ("owner", 403)):
        async with site.get("/api/health/endpoints", headers={"X-API-Key": key}) as response:
            assert response.status == status
    async with site.get("/api/health/endpoints", headers={"X-API-Key": "admin"}) as response:
        report = await response.json()
    endpoints = {each["endpoint"]: each for each in report["endpoints"]}
    top = report["endpoints"][0]
    assert (top["endpoint"], top["call_count"]) == ("GET /api/slow/{n}", 33)
    assert (top["error_count"], top["client_error_count"], top["error_rate"]) == (0, 3, 0.0)
    assert (top["health"], top["status_codes"]) == ("healthy", {"200": 30, "422": 3})
    assert len(top["recent_times"]) == 33
    assert top["min_response_time"] <= top["avg_response_time"] <= top["max_response_time"]
    assert datetime.fromisoformat(top["last_called"]).tzinfo
    broken = endpoints["GET /api/broken"]
    assert (broken["error_count"], broken["error_rate"], broken["health"]) == (3, 100.0, "unhealthy")
    assert endpoints["GET /api/health/endpoints"]["client_error_count"] == 2
    summary = report["summary"]
    assert (summary["total_endpoints"], summary["total_calls"]) == (4, 39)
    assert (summary["total_errors"], summary["total_client_errors"]) == (3, 5)
    assert report["overall_health"] == "degraded"


@pytest.mark.capability("S180")
async def test_a_crowd_of_mistaken_clients_leaves_the_server_healthy(serve) -> None:
    site = await serve(use_names)
    for _ in range(20):
        async with site.get("/api/agents") as response:
            assert response.status == 401

    async with site.get("/api/health/endpoints", headers={"X-API-Key": "admin"}) as response:
        report = await response.json()

    assert (report["overall_health"], report["summary"]["overall_error_rate"]) == ("healthy", 0.0)
    assert report["summary"]["unhealthy_endpoints"] == 0


@pytest.mark.capability("S180")
async def test_a_stream_counts_with_the_time_it_took_to_begin(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    watched, readings = asyncio.Event(), count(step=0.01)
    monkeypatch.setattr(  # a clock on which ten milliseconds pass between any two readings
        middleware, "time", SimpleNamespace(perf_counter=lambda: float(next(readings)), time=time.time))

    def add_stream(app: FastAPI) -> None:
        use_names(app)

        @app.get("/api/stream")
        async def stream() -> StreamingResponse:
            async def pieces() -> AsyncIterator[bytes]:
                yield b"data: first\n\n"
                await watched.wait()

            return StreamingResponse(pieces(), media_type="text/event-stream")

    site = await serve(add_stream)
    async with site.get("/api/stream") as response:
        await response.content.readline()
        watched.set()
        await response.read()

    stats = site.services.statistics.endpoints["GET /api/stream"]
    assert (stats.call_count, stats.health) == (1, "healthy")
    assert stats.max_time == pytest.approx(10.0)


async def test_metrics_are_for_this_machine_and_system_admins(serve) -> None:
    site = await serve(use_names, trusted_proxies=("127.0.0.1",))
    async with site.get("/health"):
        pass
    async with site.get("/metrics") as response:
        text = await response.text()
    labels = '{http_request_method="GET",http_response_status_code="200",http_route="/health"}'
    assert f"http_server_request_duration_seconds_count{labels} 1.0" in text
    assert 'http_route="/health",le="0.005"}' in text
    assert 'http_route="/health",le="+Inf"} 1.0' in text
    assert "# TYPE http_server_request_duration_seconds histogram" in text
    assert "process_resident_memory_bytes" in text
    outside = {"X-Forwarded-For": "9.9.9.9"}
    for key, status in (("nobody", 401), ("owner", 403), ("admin", 200)):
        async with site.get("/metrics", headers={**outside, "X-API-Key": key}) as response:
            assert response.status == status


@pytest.mark.capability("S181")
async def test_programs_get_an_overview_that_names_real_addresses(serve) -> None:
    site = await serve()
    async with site.get("/", headers={"Accept": "application/json"}) as response:
        overview = await response.json()
    assert {"service", "version", "status", "description", "documentation", "real_time", "health_monitoring",
            "api_endpoints", "quick_start", "authentication", "timestamp"} <= overview.keys()
    assert "GET /health" in overview["api_endpoints"]["health"]
    for path in [*overview["documentation"].values(), overview["health_monitoring"]["health"]]:
        async with site.get(path) as response:
            assert response.status == 200


@pytest.mark.capability("S181")
async def test_the_reference_needs_no_script_and_no_other_host(serve) -> None:
    site = await serve()
    async with site.get("/api/docs") as response:
        html, policy = await response.text(), response.headers["content-security-policy"]
    assert response.content_type == "text/html"
    assert "/api/health/endpoints" in html
    assert "<script" not in html
    assert "http://" not in html
    assert "https://" not in html
    assert "default-src 'none'" in policy


async def test_the_description_names_errors_and_what_it_takes_to_call(serve) -> None:
    site = await serve()
    async with site.get("/api/openapi.json") as response:
        description = await response.json()
    paths = description["paths"]
    assert "security" not in paths["/health"]["get"]
    assert paths["/api/health/endpoints"]["get"]["security"]
    assert "HTTPValidationError" not in description["components"]["schemas"]
    assert "ProblemDocument" in description["components"]["schemas"]
    problem = paths["/health"]["get"]["responses"]["default"]["content"]
    assert list(problem) == ["application/problem+json"]


def test_the_description_is_written_without_database_or_settings(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "automatos.entrypoints.openapi"], cwd=tmp_path, capture_output=True,
                          env={"PATH": "/usr/bin", "AUTOMATOS_PORT": "not a number"}, check=True)
    assert done.stdout.startswith(b"{")
    assert b'"/health"' in done.stdout


async def test_every_route_names_its_policy_or_is_public(serve) -> None:
    site = await serve()
    assert find_unguarded(site.app) == []


async def test_a_route_without_a_policy_is_found(serve) -> None:
    site = await serve(use_names)
    assert find_unguarded(site.app) == ["GET /api/broken", "GET /api/slow/{n}"]
    assert "GET /health" in PUBLIC


@pytest.mark.capability("S185")
async def test_services_start_and_stop_with_the_application(serve, migrated) -> None:
    from automatos.entrypoints.api import create_app
    from automatos.entrypoints.services import Services

    site = await serve()
    services = Services(site.services.settings, migrated.url, role=migrated.role)
    app = create_app(services)
    for _ in range(2):
        async with app.router.lifespan_context(app):
            assert not services.http.public.closed
            async with services.database.recording(None) as connection:
                assert await connection.fetchval("SELECT 1") == 1
        assert services.http.public.closed


@pytest.mark.capability("S185")
async def test_what_had_started_is_stopped_when_a_later_part_fails(serve, migrated, monkeypatch) -> None:
    from automatos.entrypoints.api import create_app
    from automatos.entrypoints.services import Services

    site = await serve()
    services = Services(site.services.settings, migrated.url, role=migrated.role)
    app = create_app(services)

    async def fail() -> None:
        raise RuntimeError("the bus does not start")

    monkeypatch.setattr(services.bus, "start", fail)
    with pytest.raises(RuntimeError, match="bus"):
        async with app.router.lifespan_context(app):
            pass
    assert services.http.public.closed
