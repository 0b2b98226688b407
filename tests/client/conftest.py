"""Both official clients under one surface, a running server for them, and one that answers as a test says."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

import tests.surface
from automatos.client import AsyncClient, Client

KINDS: dict[str, type[Client] | type[AsyncClient]] = {"blocking": Client, "awaited": AsyncClient}


@dataclass
class Caller:
    """Calls either client; what blocks does so in a thread of its own."""

    client: Client | AsyncClient

    async def __call__(self, verb: str, *arguments: Any, **options: Any) -> Any:
        method = getattr(self.client, verb)
        if isinstance(self.client, Client):
            return await asyncio.to_thread(method, *arguments, **options)
        return await method(*arguments, **options)

    async def all(self, verb: str, *arguments: Any, **options: Any) -> list[Any]:
        """Return everything that a call yields."""
        made = getattr(self.client, verb)
        if isinstance(self.client, Client):
            return await asyncio.to_thread(lambda: list(made(*arguments, **options)))
        return [each async for each in made(*arguments, **options)]

    async def close(self) -> None:
        await self("close")


@pytest.fixture(params=list(KINDS))
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Callable[..., Caller]]:
    """Opens clients of one kind, which are closed after the test."""
    callers: list[Caller] = []

    def open_one(*arguments: Any, **options: Any) -> Caller:
        callers.append(Caller(KINDS[request.param](*arguments, **options)))
        return callers[-1]

    yield open_one
    for caller in callers:
        await caller.close()


@pytest.fixture
def caller(opened: Callable[..., Caller], client: tests.surface.Client) -> Caller:
    """A client of the running server, with an owner's key in a workspace of this test alone."""
    return opened(str(client.http._base_url), api_key=client.headers["X-API-Key"])


@dataclass(frozen=True)
class Stream:
    """A stream of events, which ends well or is cut."""

    content: bytes
    is_cut: bool = False


@dataclass
class Scripted:
    """A server that gives the answers of a list, one a request, and keeps the requests."""

    url: str = ""
    answers: list[Any] = field(default_factory=list[Any])
    requests: list[web.Request] = field(default_factory=list[web.Request])

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        await request.read()
        given = self.answers.pop(0)
        if given is None:
            assert request.transport is not None
            request.transport.close()
            return web.Response()
        if isinstance(given, Stream):
            return await self._stream(request, given)
        status, body, headers = given if len(given) == 3 else (*given, {})
        return web.json_response(body, status=status, headers=headers)

    async def _stream(self, request: web.Request, given: "Stream") -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(given.content)
        if given.is_cut and request.transport is not None:
            request.transport.close()
        return response


@pytest.fixture
async def scripted() -> AsyncIterator[Scripted]:
    """A server that answers as the test says."""
    script = Scripted()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", script.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    script.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield script
    await runner.cleanup()
