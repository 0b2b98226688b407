"""What the main job does not need is loaded when somebody asks for its addresses, once, and answers the same."""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import Receive, Scope, Send

from automatos.entrypoints import deferred
from automatos.entrypoints.api import create_app
from automatos.entrypoints.deferred import DEFERRED, all_routes
from automatos.entrypoints.policy import PUBLIC
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings

from .conftest import Serve

AT_ONCE = {"workflow-recipes", "runs", "events", "auth", "setup", "invitations"}
"""The words of the API that are wholly there at once: the main job, and signing in."""


@pytest.fixture
def services(tmp_path: Path) -> Services:
    return Services(Settings(home=tmp_path), "postgresql://nowhere/none")


def operations(app: FastAPI) -> Iterator[tuple[str, str]]:
    for route in iter_route_contexts(all_routes(app)):
        for method in route.methods or ():
            if f"{method} {route.path_format}" not in PUBLIC:
                yield method, re.sub(r"\{[^}]+\}", "1", route.path_format or "")


async def route_of(app: FastAPI, method: str, path: str) -> str:
    """Return which function answers, or `nobody`; it may fail, having no database."""
    scope: dict[str, Any] = {
        "type": "http", "method": method, "path": path, "raw_path": path.encode(), "root_path": "", "app": app,
        "query_string": b"", "headers": [], "state": {}, "scheme": "http", "server": ("127.0.0.1", 80)}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(_: Any) -> None:
        pass

    with suppress(Exception):
        await app.router(scope, receive, send)
    endpoint = scope["route"].endpoint if "route" in scope else None
    return f"{method} {endpoint.__module__}:{endpoint.__name__}" if endpoint else "nobody"


async def take_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand behind the routes in place of what loads others."""


async def test_what_is_there_at_once_answers_its_own_addresses_and_no_others(services: Services) -> None:
    whole, early = create_app(services), create_app(services)
    asked = list(operations(whole))
    early.router.default = take_nothing
    found = {each: (await route_of(whole, *each), await route_of(early, *each)) for each in asked}

    assert len(asked) > 100
    assert {each for each, (whole_route, _) in found.items() if whole_route == "nobody"} == set()
    assert {each: both for each, both in found.items() if both[1] not in {both[0], "nobody"}} == {}
    assert {path.split("/")[2] for (_, path), both in found.items() if both[1] != "nobody"} >= {
        "workflow-recipes", "runs", "events", "auth"}
    assert [path for (_, path), both in found.items() if both[1] == "nobody" and path.split("/")[2] in AT_ONCE] == []


async def test_the_first_request_of_each_word_is_answered_as_when_all_is_loaded(services: Services) -> None:
    whole = create_app(services)
    first = {path.split("/")[2]: (method, path) for method, path in reversed(list(operations(whole)))
             if path.count("/") > 1}
    words = {word for words in DEFERRED.values() for word in words}

    assert words <= first.keys()
    for word in words:
        fresh = create_app(services)
        assert await route_of(fresh, *first[word]) == await route_of(whole, *first[word])
        assert set(fresh.state.deferred.included) <= {name for name, each in DEFERRED.items() if word in each}


async def test_what_nobody_answers_loads_nothing(serve: Serve) -> None:
    site = await serve()

    for path in ("/health", "/api/nothing", "/api/agents-of-others", "/api/", "/api", "/agents", "/api//agents"):
        async with site.get(path) as answer:
            assert answer.status in {200, 404}, path
    async with site.get("/", headers={"Accept": "text/html"}) as page:
        assert page.status == 200

    assert site.app.state.deferred.included == ()


async def test_two_requests_at_once_load_their_routers_once(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    site, loaded = await serve(), list[list[str]]()
    genuine = deferred._import_modules
    monkeypatch.setattr(deferred, "_import_modules", lambda names: (loaded.append(list(names)), genuine(names)))

    async def status(path: str) -> int:
        async with site.get(path) as answer:
            return answer.status

    answers = await asyncio.gather(*(status(path) for path in ("/api/skills", "/api/skills", "/api/skills/1")))

    assert set(answers) <= {200, 401, 404, 422}
    assert loaded == [["automatos.skills.router:router"]]
    assert site.app.state.deferred.included == ("automatos.skills.router:router",)


async def test_a_router_that_could_not_be_loaded_is_tried_again(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    site, genuine = await serve(), deferred._import_modules

    def fail(_: Iterable[str]) -> None:
        raise OSError("too many open files")

    monkeypatch.setattr(deferred, "_import_modules", fail)
    async with site.get("/api/tools") as answer:
        assert answer.status == 500
    assert site.app.state.deferred.included == ()

    monkeypatch.setattr(deferred, "_import_modules", genuine)
    async with site.get("/api/tools") as answer:
        assert answer.status != 500
    assert site.app.state.deferred.included == ("automatos.tools.router:router",)


async def test_the_description_is_the_same_whatever_was_asked_for_first(services: Services) -> None:
    one, other = create_app(services), create_app(services)
    await other.state.deferred.load(["automatos.heartbeats.router:router"])
    await other.state.deferred.load(["automatos.runtime.router:router", "automatos.personas.router:router"])

    assert list(one.openapi()["paths"]) == list(other.openapi()["paths"])
    assert set(other.state.deferred.included) == DEFERRED.keys()


def test_a_start_loads_no_deferred_router_and_every_table() -> None:
    script = (
        "import sys, automatos.entrypoints.api\n"
        "from importlib import import_module\n"
        "from automatos.entrypoints.deferred import DEFERRED\n"
        "from automatos.kernel.db import Base\n"
        "modules = {name.partition(':')[0] for name in DEFERRED}\n"
        "print(sorted(modules & set(sys.modules)))\n"
        "tables = set(Base.metadata.tables)\n"
        "for module in modules:\n"
        "    import_module(module)\n"
        "print(len(tables) > 20, tables == set(Base.metadata.tables))\n")
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert told.splitlines() == ["[]", "True True"]
