"""Rate limits: per address until somebody is known, per credential afterwards, shared through Redis."""

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_OID, uuid5

import pytest
from fastapi import FastAPI

from automatos.entrypoints.addresses import limit_key
from automatos.entrypoints.limits import LocalCounters, Proven
from automatos.entrypoints.shared_counts import SharedCounters
from automatos.kernel.ids import new_id
from automatos.workspaces.deps import CurrentCaller
from automatos.workspaces.errors import CredentialInvalid
from automatos.workspaces.types import AuthMethod, Caller, Presented, Role, UserRef


class OneGoodKey:
    """Accepts the API key `good-key` and nothing else."""

    async def authenticate(self, presented: Presented) -> Caller:
        if not presented.secret.startswith("good-key"):
            raise CredentialInvalid("That key is not known.")
        user = UserRef(7, None, "Ada") if presented.secret.startswith("good-key-of-ada") else None
        return Caller(user=user, workspace_id=new_id(), role=Role.OWNER, auth_method=AuthMethod.API_KEY,
                      api_key_id=None if user else uuid5(NAMESPACE_OID, presented.secret))


def add_routes(app: FastAPI) -> None:
    app.state.services.authenticator = OneGoodKey()

    @app.get("/api/open")
    async def read_open() -> dict[str, Any]:
        return {}

    @app.get("/api/widget/chat")
    async def widget() -> dict[str, Any]:
        return {}

    @app.get("/api/mine")
    async def read_mine(caller: CurrentCaller) -> dict[str, Any]:
        return {"role": str(caller.role)}


async def statuses(site, path: str, times: int, **options: Any) -> list[int]:
    found = []
    for _ in range(times):
        async with site.get(path, **options) as response:
            found.append(response.status)
    return found


@pytest.mark.capability("S174")
async def test_the_default_is_60_a_minute_for_each_address(serve) -> None:
    site = await serve(add_routes, rate_limit="60/minute")
    assert await statuses(site, "/api/open", 60) == [200] * 60
    async with site.get("/api/open") as response:
        problem = await response.json(content_type=None)
    assert (response.status, problem["code"]) == (429, "rate_limited")
    assert 1 <= int(response.headers["retry-after"]) <= 60
    assert problem["retry_after_s"] == int(response.headers["retry-after"])


@pytest.mark.capability("S174")
async def test_rotating_forwarded_addresses_does_not_move_the_limit(serve) -> None:
    site = await serve(add_routes, rate_limit="5/minute")
    found = []
    for n in range(8):
        claimed = {"X-Forwarded-For": f"9.9.9.{n}", "X-Real-IP": f"9.9.8.{n}"}
        found += await statuses(site, "/api/open", 1, headers=claimed)
    assert found == [200] * 5 + [429] * 3


@pytest.mark.capability("S174")
async def test_behind_a_trusted_proxy_each_client_has_its_own_limit_and_cannot_choose_it(serve) -> None:
    site = await serve(add_routes, rate_limit="2/minute", trusted_proxies=("127.0.0.1",))
    for n in range(4):
        found = await statuses(site, "/api/open", 1, headers={"X-Forwarded-For": f"1.1.1.{n}, 9.9.9.9"})
        assert found == [200 if n < 2 else 429]
    assert await statuses(site, "/api/open", 1, headers={"X-Forwarded-For": "9.9.9.8"}) == [200]


@pytest.mark.capability("S174")
async def test_the_widget_has_a_limit_apart(serve) -> None:
    site = await serve(add_routes, rate_limit="2/minute", rate_limit_widget="4/minute")
    assert await statuses(site, "/api/open", 3) == [200, 200, 429]
    assert await statuses(site, "/api/widget/chat", 5) == [200] * 4 + [429]


async def test_pages_assets_and_probes_are_not_limited(serve) -> None:
    site = await serve(add_routes, rate_limit="1/minute")
    await statuses(site, "/api/open", 2)
    pages = {"/health": "*/*", "/": "text/html", "/agents/7": "text/html", "/assets/none.js": "*/*"}
    for path, accept in pages.items():
        assert 429 not in await statuses(site, path, 3, headers={"Accept": accept})
    assert await statuses(site, "/", 1) == [429]


async def test_the_key_of_the_metrics_cannot_be_guessed_without_end_and_scrapers_of_this_machine_go_on(serve) -> None:
    site = await serve(add_routes, rate_limit="3/minute")
    far = {"X-Forwarded-For": "203.0.113.9"}
    found = [await statuses(site, "/metrics", 1, headers=far | {"X-API-Key": f"guess-{n}"}) for n in range(5)]
    assert found == [[401]] * 3 + [[429]] * 2
    assert await statuses(site, "/metrics", 5) == [200] * 5


@pytest.mark.parametrize("carrier", ["X-API-Key", "Authorization", "Cookie"])
async def test_whoever_is_known_has_a_limit_of_their_own(serve, carrier: str) -> None:
    site = await serve(add_routes, rate_limit="2/minute", rate_limit_signed_in="6/minute")
    value = {"X-API-Key": "", "Authorization": "Bearer ", "Cookie": "automatos_session="}[carrier] + "good-key"
    assert await statuses(site, "/api/mine", 8, headers={carrier: value}) == [200] * 7 + [429]
    assert await statuses(site, "/api/open", 2) == [200, 429]
    assert await statuses(site, "/api/mine", 2, headers={carrier: value + "-2"}) == [429, 429]


@pytest.mark.parametrize("spelling", [
    lambda n: {"Authorization": f"Bearer{' ' * (n + 1)}good-key"}, lambda n: {"X-API-Key": f"good-key{' ' * n}"},
    lambda n: {"Authorization": f"{'bearer' if n % 2 else 'BEARER'} good-key"},
    lambda n: {"Cookie": f"automatos_session=good-key; other={n}"},
], ids=["spaces", "trailing", "scheme", "cookies"])
async def test_spelling_does_not_move_the_limit(serve, spelling: Callable[[int], dict[str, str]]) -> None:
    site = await serve(add_routes, rate_limit="2/minute", rate_limit_signed_in="4/minute")
    found = [(await statuses(site, "/api/mine", 1, headers=spelling(n)))[0] for n in range(8)]
    assert found == [200] * 5 + [429] * 3


async def test_fresh_credentials_of_one_person_share_a_limit(serve) -> None:
    site = await serve(add_routes, rate_limit="100/minute", rate_limit_signed_in="4/minute")
    tokens = [{"Authorization": f"Bearer good-key-of-ada-{n}"} for n in range(4)]
    for headers in tokens:
        assert await statuses(site, "/api/mine", 2, headers=headers) == [200, 200]
    for headers in tokens:
        assert await statuses(site, "/api/mine", 1, headers=headers) == [429]
    assert await statuses(site, "/api/mine", 2, headers={"X-API-Key": "good-key-of-bob"}) == [200, 200]


async def test_inventing_credentials_buys_nothing(serve) -> None:
    site = await serve(add_routes, rate_limit="5/minute")
    found = [(await statuses(site, path, 1, headers={"X-API-Key": f"guess-{n}"}))[0]
             for n, path in enumerate(["/api/mine", "/api/open"] * 4)]
    assert found == [401, 200, 401, 200, 401, 429, 429, 429]


async def test_sign_in_counts_against_the_address_whoever_asks(serve) -> None:
    site = await serve(add_routes, rate_limit="3/minute")
    headers = {"X-API-Key": "good-key"}
    assert await statuses(site, "/api/mine", 10, headers=headers) == [200] * 10
    found = []
    for _ in range(4):
        async with site.post("/api/auth/sign-in", headers=headers) as response:
            found.append(response.status)
    assert found == [422, 422, 429, 429]


async def test_a_credential_that_is_revoked_falls_back_to_the_address(serve) -> None:
    site = await serve(add_routes, rate_limit="4/minute")
    headers = {"X-API-Key": "good-key"}
    assert await statuses(site, "/api/mine", 10, headers=headers) == [200] * 10
    site.app.state.services.authenticator.authenticate = refuse
    assert await statuses(site, "/api/mine", 5, headers=headers) == [401, 401, 401, 429, 429]


async def refuse(_: Presented) -> Caller:
    raise CredentialInvalid("It was revoked.")


async def test_a_server_without_sign_in_is_not_held_to_the_limit_of_strangers(serve) -> None:
    site = await serve(add_routes, rate_limit="2/minute", rate_limit_signed_in="9/minute", require_auth=False)
    assert await statuses(site, "/api/open", 10) == [200] * 9 + [429]


def test_an_ipv6_customer_is_one_client() -> None:
    assert limit_key("2001:db8:1:2:3:4:5:6") == limit_key("2001:db8:1:2::9") == "2001:db8:1:2::/64"
    assert limit_key("2001:db8:1:3::9") != limit_key("2001:db8:1:2::9")
    assert limit_key("::ffff:9.9.9.9") == limit_key("9.9.9.9") == "9.9.9.9"
    assert limit_key("local") == "local"


async def test_windows_end_and_memory_stays_bounded(monkeypatch) -> None:
    monkeypatch.setattr("automatos.entrypoints.limits.MAX_COUNTERS", 100)
    clock = [1000.0]
    counters = LocalCounters(lambda: clock[0])
    assert [await counters.incr("a", 60) for _ in range(3)] == [1, 2, 3]
    assert await counters.seconds_left("a") == 60
    for number in range(1000):
        await counters.incr(f"k{number}", 60)
    assert len(counters._windows) <= 100
    clock[0] += 61
    assert await counters.incr("k999", 60) == 1
    for number in range(60):
        await counters.incr(f"n{number}", 60)
    assert len(counters._windows) <= 62


@pytest.mark.parametrize("step_s", [-86_400, 172_800, 0])
async def test_a_clock_that_is_set_neither_holds_a_window_open_nor_ends_it(step_s: int, monkeypatch) -> None:
    counters = LocalCounters()
    for _ in range(3):
        await counters.incr("a", 60)
    told = time.time
    monkeypatch.setattr(time, "time", lambda: told() + step_s)
    assert await counters.incr("a", 60) == 4
    assert 0 < await counters.seconds_left("a") <= 60


def test_what_is_remembered_of_credentials_ends_and_is_bounded(monkeypatch) -> None:
    monkeypatch.setattr("automatos.entrypoints.limits.MAX_PROVEN", 3)
    clock = [0.0]
    proven = Proven(lambda: clock[0])
    for name in "abcd":
        proven.add(name, name.upper())
    assert [proven.principal_of(name) for name in "abcd"] == [None, "B", "C", "D"]
    clock[0] = 601
    assert proven.principal_of("d") is None


@pytest.fixture
def redis_url(tmp_path: Path, unused_tcp_port: int) -> Iterator[str]:
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server is not installed")
    process = subprocess.Popen([program, "--port", str(unused_tcp_port), "--save", "", "--dir", str(tmp_path)],
                               stdout=subprocess.DEVNULL)
    yield f"redis://127.0.0.1:{unused_tcp_port}/0"
    process.terminate()
    process.wait()


@pytest.mark.capability("S174")
async def test_processes_share_their_counts_through_redis_and_go_on_without_it(redis_url: str, monkeypatch) -> None:
    one, other = SharedCounters(redis_url, LocalCounters()), SharedCounters(redis_url, LocalCounters())
    for _ in range(100):
        if await one._shared.check():
            break
        await asyncio.sleep(0.05)
    assert [await one.incr("x", 60), await other.incr("x", 60), await one.incr("x", 60)] == [1, 2, 3]
    gone = SharedCounters("redis://127.0.0.1:1/0", LocalCounters())
    assert [await gone.incr("x", 60) for _ in range(3)] == [1, 2, 3]
    assert gone._is_paused()
    for counters in (one, other):
        await counters.close()
