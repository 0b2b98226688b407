"""A toolbox of its own for each test, a small web server to fetch from, and a folder to work in."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.tools.registry import definitions
from automatos.tools.service import Toolbox
from automatos.tools.types import ToolContext
from tests.conftest import open_to_server_user


@pytest.fixture
async def http() -> AsyncIterator[Http]:
    opened = Http.open()
    yield opened
    await opened.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The folder of one execution, in a place that the unprivileged user of the sandbox can pass through."""
    open_to_server_user(tmp_path)
    return tmp_path / "execution"


@pytest.fixture
def toolbox(http: Http, tmp_path: Path) -> Toolbox:
    """A toolbox as production has it: public addresses only."""
    return Toolbox(Settings(home=tmp_path), http)


@pytest.fixture
def open_toolbox(http: Http, tmp_path: Path) -> Toolbox:
    """A toolbox whose operator allows private addresses, so that it reaches the test's own web server."""
    return Toolbox(Settings(home=tmp_path, allow_private_urls=True), http)


@pytest.fixture
def context(home: Path) -> Callable[..., ToolContext]:
    def make(**changes: Any) -> ToolContext:
        values: dict[str, Any] = {
            "workspace_id": new_id(), "agent_id": 1, "execution_id": new_id(), "run_id": new_id(),
            "call_key": "execution:1:1:a", "allowed": frozenset(definitions()), "deadline_s": 20.0, "home": home,
        }
        return ToolContext(**(values | changes))

    return make


class Site:
    """A scripted web server that remembers what it was asked."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, dict[str, str], str]] = []
        self.answers: dict[str, Callable[[web.Request], web.StreamResponse]] = {}
        self.url = ""

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append((request.method, request.path, dict(request.headers), await request.text()))
        return self.answers.get(request.path, lambda _: web.Response(text="ok"))(request)


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    served, app = Site(), web.Application()
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    host, port = runner.addresses[0][:2]
    served.url = f"http://{host}:{port}"
    yield served
    await runner.cleanup()
