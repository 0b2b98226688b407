"""Servers that are configured by the documented variables alone, and the places that show what a variable did."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.chaos.processes import Process, Server, environment, free_port, until
from tests.fakes.model_calls import Call, Reply
from tests.fakes.model_server import ModelServer

AGENT = {"name": "Documented", "agent_type": "custom", "activate": True}


@dataclass
class Running:
    """A real `automatos up` with nothing but the variables, and what stands around it."""

    variables: dict[str, str]
    server: Server
    http: aiohttp.ClientSession
    models: ModelServer

    async def get(self, path: str, **headers: str) -> tuple[int, Any]:
        """Return status and answer of a GET with these headers, a `_` in whose names stands for `-`."""
        async with self.http.get(path, headers=_headers(headers)) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, Any]:
        """Return status and answer of a POST."""
        async with self.http.post(path, json=body, headers=_headers(headers)) as answer:
            return answer.status, await answer.json(content_type=None)

    async def call_of(self, provider: str, model: str, **headers: str) -> Call:
        """Let the server ask a model of a provider, and return how the provider was asked."""
        self.models.reset()
        self.models.script(Reply(text="ready"), repeat=True)
        status, told = await self.post("/api/models/test", {"provider": provider, "model_id": model}, **headers)
        assert (status, told["ok"]) == (200, True), told
        return self.models.calls[-1]

    async def call_of_an_agent_without_a_model(self, **headers: str) -> Call:
        """Let an agent that names no model do a task, and return how a provider was asked."""
        self.models.reset()
        status, agent = await self.post("/api/agents", AGENT, **headers)
        assert status in {201, 409}, agent
        if status == 409:
            _, found = await self.get("/api/agents", **headers)
            agent = next(each for each in found["items"] if each["name"] == AGENT["name"])
        status, started = await self.post(f"/api/agents/{agent['id']}/execute", {"prompt": "Say hello"}, **headers)
        assert status == 202, started

        await self.models.wait_for_calls(1)
        return self.models.calls[0]


def _headers(named: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in named.items()}


@asynccontextmanager
async def running(
    folder: Path, models: ModelServer, variables: dict[str, str]
) -> AsyncIterator[Running]:
    """Start a server with these variables and nothing of this machine's."""
    port = free_port()
    home = folder / "home"
    server = Server("server", environment(home) | variables, folder / "server.log", home, port, with_worker=True)
    try:
        await server.until_ready()
        async with aiohttp.ClientSession(server.url, cookie_jar=aiohttp.DummyCookieJar()) as http:
            yield Running(variables, server, http, models)
        await server.terminate()
    finally:
        server.end()


@asynccontextmanager
async def redis_server(folder: Path, password: str) -> AsyncIterator[int]:
    """Run a Redis that insists on a password; yields its port."""
    program = shutil.which("redis-server")
    assert program, "redis-server is not installed (on Debian: apt install redis-server)"
    port = free_port()
    process = Process("redis", [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder),
                                "--requirepass", password], {}, folder / "redis.log")

    async def answers() -> bool:
        try:
            async with Redis(port=port, password=password) as redis:
                return bool(await redis.ping())
        except RedisError:
            return False

    try:
        await until(answers, process, 20)
        yield port
    finally:
        process.end()


@dataclass
class Clerk:
    """Clerk's backend API for one person, and the keys with which it was asked."""

    url: str = ""
    keys: list[str] = field(default_factory=list[str])

    async def answer(self, request: web.Request) -> web.Response:
        self.keys.append(request.headers.get("Authorization", ""))
        return web.json_response({
            "id": request.match_info["id"], "first_name": "Ada", "primary_email_address_id": "idn_1",
            "email_addresses": [{"id": "idn_1", "email_address": "ada@example.org",
                                 "verification": {"status": "verified"}}]})


@asynccontextmanager
async def running_clerk() -> AsyncIterator[Clerk]:
    """Serve Clerk's backend API on loopback."""
    clerk, app = Clerk(), web.Application()
    app.router.add_get("/v1/users/{id}", clerk.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    clerk.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield clerk
    finally:
        await runner.cleanup()
