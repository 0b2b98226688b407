"""What every request gets: a name, headers, limits on its body, and a line in the statistics."""

import io
import re
from typing import Any

import pytest
from fastapi import FastAPI, Request

from automatos.entrypoints.statistics import MAX_ENDPOINTS, Statistics

MEGABYTE = 2**20


def add_routes(app: FastAPI) -> None:
    @app.post("/api/echo")
    @app.post("/api/documents/upload")
    @app.post("/api/admin/plugins/upload")
    @app.post("/api/documents/upload-more")
    async def measure(request: Request) -> dict[str, Any]:
        return {"size": len(await request.body())}

    @app.post("/api/json")
    async def read(body: dict[str, Any]) -> dict[str, Any]:
        return {"keys": len(body)}

    @app.get("/api/who")
    async def who(request: Request) -> dict[str, Any]:
        return {"address": request.state.client_address}

    @app.get("/api/things/{thing_id}")
    async def thing(thing_id: str) -> dict[str, Any]:
        return {"id": thing_id}


@pytest.fixture(scope="module")
async def site(serve_module):
    return await serve_module(add_routes)


@pytest.mark.capability("S177")
@pytest.mark.parametrize("given", ["abc", "a" * 64, "0.A_z-9"])
async def test_a_well_formed_request_id_is_kept(site, given: str) -> None:
    async with site.get("/health", headers={"X-Request-ID": given}) as response:
        assert response.headers.getall("x-request-id") == [given]


@pytest.mark.capability("S177")
@pytest.mark.parametrize("given", [None, "", "a" * 65, "a b", "<script>", "é", 'x"y', "a;b"])
async def test_any_other_request_id_is_replaced_by_twelve_hex_digits(site, given: str | None) -> None:
    async with site.get("/health", headers={"X-Request-ID": given} if given is not None else {}) as response:
        assert re.fullmatch(r"[0-9a-f]{12}", response.headers["x-request-id"])


@pytest.mark.capability("S177")
async def test_log_lines_carry_the_request_id(serve, capfd) -> None:
    site = await serve(log_level="debug", log_format="json")
    async with site.get("/api/nothing", headers={"X-Request-ID": "find-me.1"}):
        pass
    lines = [line for line in capfd.readouterr().err.splitlines() if '"path":"/api/nothing"' in line]
    assert len(lines) == 1
    assert '"request_id":"find-me.1"' in lines[0]


@pytest.mark.capability("S176")
@pytest.mark.parametrize("path", ["/health", "/", "/api/nothing", "/nothing.js"])
async def test_security_headers_are_on_every_answer(site, path: str) -> None:
    async with site.get(path) as response:
        headers = response.headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert headers["permissions-policy"] == "camera=(), microphone=(), geolocation=()"
    assert headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert "strict-transport-security" not in headers


@pytest.mark.capability("S176")
async def test_transport_security_is_demanded_in_production_only(serve) -> None:
    site = await serve(environment="production")
    async with site.get("/health") as response:
        assert response.headers["strict-transport-security"] == "max-age=63072000; includeSubDomains; preload"


@pytest.mark.capability("S175")
@pytest.mark.parametrize(("path", "size", "status"), [
    ("/api/echo", 10 * MEGABYTE, 200),
    ("/api/echo", 10 * MEGABYTE + 1, 413),
    ("/api/documents/upload", 50 * MEGABYTE, 200),
    ("/api/documents/upload", 50 * MEGABYTE + 1, 413),
    ("/api/admin/plugins/upload", 11 * MEGABYTE, 200),
    ("/api/documents/upload-more", 10 * MEGABYTE + 1, 413),
])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_bodies_are_limited_by_the_bytes_that_arrive(site, path, size, status, is_chunked) -> None:

    async def pieces():
        for start in range(0, size, MEGABYTE):
            yield b"x" * min(MEGABYTE, size - start)

    body = pieces() if is_chunked else io.BytesIO(b"x" * size)
    async with site.post(path, data=body) as response:
        assert response.status == status
        if status == 413:
            assert (await response.json(content_type=None))["code"] == "body_too_large"


@pytest.mark.capability("S175")
async def test_a_content_length_that_is_too_long_is_refused_before_the_body_comes(serve) -> None:
    site = await serve(add_routes)
    for length in (b"99999999999", b"9" * 40):
        answer = await site.raw(b"POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + length + b"\r\n\r\n")
        assert answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400"))


@pytest.mark.capability("S175")
async def test_a_chunked_json_body_that_is_too_long_is_413_and_not_400(serve) -> None:
    site = await serve(add_routes, body_limit_bytes=2048)

    async def pieces():
        for _ in range(5):
            yield b'{"a": "' + b"x" * 1000

    async with site.post("/api/json", data=pieces(), headers={"Content-Type": "application/json"}) as response:
        assert response.status == 413


async def test_a_host_that_is_not_listed_is_refused_and_a_listed_one_is_served(serve) -> None:
    site = await serve(trusted_hosts=("automatos.example", "*.internal"))
    hosts = {"automatos.example": 200, "AUTOMATOS.example:8000": 200, "a.internal": 200, "evil.example": 400,
             "automatos.example.evil": 400, "": 400, "x@automatos.example": 400}
    for host, status in hosts.items():
        async with site.get("/health", headers={"Host": host}) as response:
            assert response.status == status, host


async def test_without_a_list_this_machine_is_served_and_probes_know_an_address(serve) -> None:
    site = await serve(add_routes)
    for path, host, status in (
        ("/api/who", "localhost:1", 200), ("/api/who", "evil.example", 400), ("/api/who", "10.0.0.7:8000", 400),
        ("/health", "10.0.0.7:8000", 200), ("/health", "evil.example", 400), ("/", "evil.example", 400),
    ):
        async with site.get(path, headers={"Host": host}) as response:
            assert response.status == status, (path, host)


async def test_what_a_trusted_proxy_was_asked_for_is_judged_too(serve) -> None:
    asked = [("automatos.example", 200), ("evil.example", 400), ("automatos.example, evil.example", 400)]
    for trusted in (("127.0.0.1",), ()):
        site = await serve(add_routes, trusted_hosts=("automatos.example",), trusted_proxies=trusted)
        for host, status in asked:
            async with site.get("/api/who", headers={"X-Forwarded-Host": host}) as response:
                assert response.status == (status if trusted else 200), (trusted, host)


async def test_a_proxy_that_says_nothing_of_itself_makes_nobody_local(serve) -> None:
    site = await serve()
    body = b'{"email":"eve@evil.example","name":"Eve","password":"correct horse"}'
    head = b"HTTP/1.0\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n" % site.port
    set_up = b"POST /api/setup " + head + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    assert (await site.raw(set_up + body)).split()[1] in {b"403", b"409"}  # 409 where another test made an account
    assert b"not_signed_in" in await site.raw(b"GET /metrics " + head + b"\r\n")


@pytest.mark.parametrize(("forwarded", "expected"), [
    (None, "127.0.0.1"),
    ("9.9.9.9", "9.9.9.9"),
    ("1.1.1.1, 9.9.9.9", "9.9.9.9"),
    ("1.1.1.1, 9.9.9.9, 10.0.0.3", "9.9.9.9"),
    ("1.1.1.1, nonsense", "127.0.0.1"),
    ("10.0.0.1, 10.0.0.2", "10.0.0.1"),
])
async def test_a_trusted_proxy_names_the_client_by_its_right_most_address(serve, forwarded, expected) -> None:
    site = await serve(add_routes, trusted_proxies=("127.0.0.1", "10.0.0.0/8"))
    async with site.get("/api/who", headers={"X-Forwarded-For": forwarded} if forwarded else {}) as response:
        assert (await response.json())["address"] == expected


async def test_without_trusted_proxies_forwarded_addresses_mean_nothing(serve) -> None:
    site = await serve(add_routes)
    async with site.get("/api/who", headers={"X-Forwarded-For": "9.9.9.9", "X-Real-IP": "9.9.9.9"}) as response:
        assert (await response.json())["address"] == "127.0.0.1"


@pytest.mark.capability("S178")
async def test_calls_are_counted_by_route_template(serve) -> None:
    site = await serve(add_routes)
    for number in range(120):
        async with site.get(f"/api/things/{number}"):
            pass
    async with site.post("/api/json", data=b"{", headers={"Content-Type": "application/json"}):
        pass
    for path in ("/api/unknown", "/nothing.css"):
        async with site.get(path):
            pass
    stats = site.services.statistics.endpoints
    assert set(stats) == {"GET /api/things/{thing_id}", "POST /api/json"}
    things = stats["GET /api/things/{thing_id}"]
    assert (things.call_count, things.error_count, things.status_codes) == (120, 0, {200: 120})
    assert len(things.recent_times) == 100
    assert 0 < things.min_time <= things.avg_time <= things.max_time
    assert things.total_time == pytest.approx(things.avg_time * 120)
    assert (stats["POST /api/json"].client_error_count, stats["POST /api/json"].error_rate) == (1, 0.0)


@pytest.mark.capability("S178")
def test_at_most_500_endpoints_are_kept_and_odd_methods_take_no_place() -> None:
    statistics = Statistics()
    for number in range(600):
        statistics.record(f"M{number}", "/api/a", 200, 1.0, 0.0)
    assert not statistics.endpoints
    for number in range(600):
        statistics.record("GET", f"/api/{number}", 200, 1.0, 0.0)
    statistics.record("GET", "/api/0", 500, 3.0, 0.0)
    assert len(statistics.endpoints) == MAX_ENDPOINTS == 500
    assert statistics.endpoints["GET /api/0"].call_count == 2

