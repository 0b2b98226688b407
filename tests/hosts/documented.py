"""Servers that are configured by the documented variables alone, and the places that show what a variable did."""

import json
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import boto3
import pytest
from aiohttp import web
from moto import settings as moto_settings
from moto.server import ThreadedMotoServer
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

    def said(self) -> str:
        """Return what the server has printed."""
        return self.server.log.read_text(errors="replace")

    async def until_said(self, words: str) -> None:
        """Wait until the server has printed these words."""

        async def is_said() -> bool:
            return words in self.said()

        await until(is_said, self.server, 30)


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
class Bucket:
    """A bucket at an S3 that knows one key and checks what is signed with it."""

    url: str
    name: str
    key_id: str
    secret: str

    def names(self) -> list[str]:
        """Return the keys of what is stored."""
        s3 = boto3.client("s3", endpoint_url=self.url, region_name="us-east-1", aws_access_key_id=self.key_id,
                          aws_secret_access_key=self.secret)
        return [each["Key"] for each in s3.list_objects_v2(Bucket=self.name).get("Contents", ())]


@contextmanager
def running_s3(name: str) -> Iterator[Bucket]:
    """Serve S3 on loopback, with one bucket and one key that may use it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        anybody: dict[str, Any] = {"endpoint_url": url, "region_name": "us-east-1", "aws_access_key_id": "setup",
                                   "aws_secret_access_key": "setup"}
        boto3.client("s3", **anybody).create_bucket(Bucket=name)
        iam = boto3.client("iam", **anybody)
        iam.create_user(UserName=name)  # all servers of a process share what they know
        allowed = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        iam.put_user_policy(UserName=name, PolicyName="bucket", PolicyDocument=json.dumps(allowed))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        with pytest.MonkeyPatch.context() as patch:  # from now on signatures are checked
            patch.setattr(moto_settings, "INITIAL_NO_AUTH_ACTION_COUNT", 0.0)
            yield Bucket(url, name, key["AccessKeyId"], key["SecretAccessKey"])
    finally:
        server.stop()


@asynccontextmanager
async def asked_headers(name: str) -> AsyncIterator[tuple[str, list[str]]]:
    """Serve nothing at an address, and yield it with the values that this header of requests had."""
    values, app = list[str](), web.Application()

    async def refuse(request: web.Request) -> web.Response:
        values.append(request.headers.get(name, ""))
        return web.Response(status=403)

    app.router.add_route("*", "/{path:.*}", refuse)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}", values
    finally:
        await runner.cleanup()


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
