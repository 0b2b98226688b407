"""The product as a client sees it: a running server, a signed-in caller, builders of what tests need."""

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID

import aiohttp
import orjson
import uvicorn
from fastapi import FastAPI

from automatos.entrypoints.services import Services
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id

FINAL = {"execution.completed", "execution.completed_with_skips", "execution.failed", "execution.cancelled"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer, read whole."""

    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return orjson.loads(self.body)

    @property
    def code(self) -> str | None:
        """The problem's code, when the answer is one."""
        return self.json().get("code") if self.body.startswith(b"{") else None


@dataclass
class Client:
    """A caller of the API: one key in one workspace."""

    http: aiohttp.ClientSession
    workspace_id: UUID
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any) -> Answer:
        async with self.http.request(method, path, headers=self.headers | (headers or {}), **options) as response:
            return Answer(response.status, response.headers, await response.read())

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.send("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self.send("POST", path, **options)

    async def put(self, path: str, **options: Any) -> Answer:
        return await self.send("PUT", path, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.send("DELETE", path, **options)

    async def follow(
        self, run_id: str, *, after: int = 0, timeout_s: float = 60, is_open: asyncio.Event | None = None
    ) -> list[dict[str, Any]]:
        """Return the facts of a run from its stream, until the last one; `is_open` is set when the stream has begun."""
        told = await self.watch(run_id, after=after, timeout_s=timeout_s, is_open=is_open)
        return [event for event in told if event["seq"]]

    async def watch(
        self, run_id: str, *, after: int = 0, timeout_s: float = 60, is_open: asyncio.Event | None = None
    ) -> list[dict[str, Any]]:
        """Return all that a run's stream tells until its end, answers that are being written too."""
        headers = self.headers | ({"Last-Event-ID": str(after)} if after else {})
        events: list[dict[str, Any]] = []
        async with asyncio.timeout(timeout_s), self.http.get(f"/api/runs/{run_id}/events", headers=headers) as response:
            assert response.status == 200, await response.text()
            if is_open:
                is_open.set()
            events += [event async for event in self.events_of(response)]
        return events

    @staticmethod
    async def events_of(response: aiohttp.ClientResponse) -> AsyncIterator[dict[str, Any]]:
        """Yield the events of a stream as they come."""
        async for line in response.content:
            if line.startswith(b"data: "):
                yield orjson.loads(line[6:])

    async def until_told(self, run_id: str, *types: str, timeout_s: float = 60) -> dict[str, Any]:
        """Follow a run until an event of one of these types comes, and return it."""
        path = f"/api/runs/{run_id}/events"
        async with asyncio.timeout(timeout_s), self.http.get(path, headers=self.headers) as response:
            async for event in self.events_of(response):
                if event["type"] in types:
                    return event
        raise AssertionError(f"the stream of {run_id} ended before {' or '.join(types)}")

    async def cook(self, template_id: str, **inputs: Any) -> str:
        """Start a recipe and return the run's id."""
        answer = await self.post(f"/api/workflow-recipes/{template_id}/execute", json={"input_data": inputs})
        assert answer.status == 202, answer.body
        return answer.json()["recipe_execution_id"]

    async def cooked(self, template_id: str, **inputs: Any) -> dict[str, Any]:
        """Cook a recipe to its end and return the run."""
        run_id = await self.cook(template_id, **inputs)
        await self.follow(run_id)
        return (await self.get(f"/api/runs/{run_id}")).json()


@dataclass
class Make:
    """Builders of what a test needs in one workspace."""

    client: Client

    async def agent(self, name: str | None = None, *, active: bool = True, **fields: Any) -> dict[str, Any]:
        body = {"name": name or f"Agent {secrets.token_hex(4)}", "agent_type": "custom"} | fields
        answer = await self.client.post("/api/agents", json=body)
        assert answer.status == 201, answer.body
        agent = answer.json()
        if active:
            answer = await self.client.post(f"/api/agents/{agent['id']}/activate")
            assert answer.status == 200, answer.body
            agent = answer.json()
        return agent

    async def recipe(self, *steps: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:
        """Make a recipe of prompts or step objects; the steps without an agent share a new one."""
        agent: dict[str, Any] | None = None
        whole: list[dict[str, Any]] = []
        for order, given in enumerate(steps or ("Say hello",), start=1):
            step = {"prompt_template": given} if isinstance(given, str) else dict(given)
            if "agent_id" not in step:
                agent = agent or await self.agent()
                step["agent_id"] = agent["id"]
            whole.append({"step_id": f"s{order}", "order": order} | step)
        body = {"template_id": f"recipe-{secrets.token_hex(4)}", "name": "Test recipe", "steps": whole} | fields
        answer = await self.client.post("/api/workflow-recipes", json=body)
        assert answer.status == 201, answer.body
        return answer.json()


async def new_client(http: aiohttp.ClientSession, database: Database, *, role: str = "owner") -> Client:
    """Make a workspace with a key of the given role and return its client."""
    workspace_id, key = new_id(), f"ak_srv_{secrets.token_hex(32)}"
    async with database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Test', $2)", workspace_id, f"test-{workspace_id.hex}")
    return Client(http, workspace_id, {"X-API-Key": await add_key(database, workspace_id, role, key)})


async def add_key(database: Database, workspace_id: UUID, role: str, key: str | None = None) -> str:
    """Give a workspace another key and return it."""
    key = key or f"ak_srv_{secrets.token_hex(32)}"
    async with database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "INSERT INTO api_keys (id, workspace_id, name, key_prefix, key_hash, role) "
            "VALUES ($1, $2, 'test', $3, $4, $5)",
            new_id(), workspace_id, key[:12], sha256(key.encode()).digest(), role)
    return key


@asynccontextmanager
async def serving(app: FastAPI, services: Services) -> AsyncIterator[aiohttp.ClientSession]:
    """Run an application on a real socket and yield a session bound to it."""
    del services
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # as the production loop does; else 40 ms an answer
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, proxy_headers=False, lifespan="on",
                                           timeout_keep_alive=120))
    task = asyncio.create_task(server.serve([listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    if task.done():
        await task
    try:
        # A piece of a stream is as long as what came while the database was busy.
        async with aiohttp.ClientSession(
            f"http://127.0.0.1:{port}", cookie_jar=aiohttp.DummyCookieJar(), read_bufsize=16 * 1024 * 1024,
        ) as http:
            yield http
    finally:
        server.should_exit = True
        await task
        listener.close()
