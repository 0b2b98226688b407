"""A whole server over a real socket, assembled with the settings a test asks for."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from fastapi import FastAPI

from automatos.entrypoints.api import create_app
from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings


@dataclass
class Site:
    """A running server and a client of it."""

    app: FastAPI
    services: Services
    port: int
    http: aiohttp.ClientSession

    def get(self, path: str, **options: Any):
        return self.http.get(path, **options)

    def post(self, path: str, **options: Any):
        return self.http.post(path, **options)

    async def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and return the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(request)
        await writer.drain()
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        return answer


Serve = Callable[..., Any]


@asynccontextmanager
async def serving(app: FastAPI, services: Services) -> AsyncIterator[Site]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, lifespan="on"))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    try:
        async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Site(app, services, port, http)
    finally:
        server.should_exit = True
        await task
        listener.close()


@asynccontextmanager
async def starting(migrated: Migrated, home: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(prepare: Callable[[FastAPI], None] | None = None, **settings: Any) -> Site:
            options = {"home": home, "demo_delay_ms": 0, "rate_limit": "100000/minute", **settings}
            services = Services(Settings(**options), migrated.url, role=migrated.role)
            app = create_app(services)
            if prepare:
                prepare(app)
            return await stack.enter_async_context(serving(app, services))

        yield start


@pytest.fixture
async def serve(migrated: Migrated, tmp_path: Path) -> AsyncIterator[Serve]:
    """Start a server: `await serve(prepare, rate_limit="5/minute")`; `prepare(app)` may add routes before it runs."""
    async with starting(migrated, tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
async def serve_module(migrated: Migrated, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Serve]:
    """Start a server that all tests of a file share."""
    async with starting(migrated, tmp_path_factory.mktemp("home")) as start:
        yield start
