"""What a connection may take before it is understood, on real sockets; meanwhile others are answered."""

import asyncio
import resource
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from automatos.entrypoints import connections
from automatos.entrypoints.addresses import Proxies
from automatos.entrypoints.serve import http_server

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def health(_: Request) -> PlainTextResponse:
    return PlainTextResponse("healthy")


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


@asynccontextmanager
async def served(*proxies: str) -> AsyncIterator[int]:
    app = Starlette(routes=[Route("/health", health), Route("/length", length, methods=["POST"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = http_server(app, Proxies(proxies))  # type: ignore[arg-type]
    task = asyncio.create_task(server.serve([listener]))
    while not server.started:
        await asyncio.sleep(0.005)
    try:
        yield listener.getsockname()[1]
    finally:
        server.should_exit = True
        await task


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with served() as number:
        yield number


async def connect(port: int) -> Pair:
    return await asyncio.open_connection("127.0.0.1", port)


async def answer(pair: Pair, *, whole: bool = False) -> str:
    reader, _ = pair
    return (await (reader.read() if whole else reader.readuntil(b"\r\n"))).decode()


async def ask(port: int, sent: bytes) -> str:
    pair = await connect(port)
    pair[1].write(sent)
    try:
        return await answer(pair)
    finally:
        pair[1].close()


async def is_healthy(port: int) -> bool:
    return "200" in await ask(port, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")


@pytest.mark.parametrize("sent", [
    b"GET /health HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 65_536 + b"\r\n\r\n",
    b"GET /health?" + b"a" * 65_536 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /health HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n",
    b"GET /health HTTP/1.1\r\n" + b"".join(b"A%d: %s\r\n" % (i, b"b" * 1_000) for i in range(70)) + b"\r\n",
], ids=["a header", "the address", "many headers", "together"])
async def test_a_head_that_is_too_large_is_answered_431(port: int, sent: bytes) -> None:
    assert " 431 " in await ask(port, sent)
    assert await is_healthy(port)


async def test_a_head_without_end_is_answered_before_it_is_sent_and_others_are_served_meanwhile(port: int) -> None:
    pair = await connect(port)
    pair[1].write(b"GET /health HTTP/1.1\r\nA: ")
    for _ in range(10):
        pair[1].write(b"a" * 16_384)
        assert await is_healthy(port)
    assert " 431 " in await answer(pair)
    pair[1].close()


async def test_heads_within_the_bounds_pass_and_bodies_do_not_count(port: int) -> None:
    full = b"A: b\r\n" * 98 + b"B: " + b"b" * 60_000 + b"\r\n"
    assert " 200 " in await ask(port, b"GET /health HTTP/1.1\r\nHost: x\r\n" + full + b"\r\n")
    pair = await connect(port)
    for _ in range(3):  # on one connection, heads and bodies in turn
        pair[1].write(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000)
        assert " 200 " in await answer(pair)
        await pair[0].readuntil(b"300000")
    pair[1].write(b"POST /length HTTP/1.1\r\nHost: x\r\nA: " + b"a" * 90_000)
    assert " 431 " in await answer(pair)
    pair[1].close()


@pytest.mark.parametrize("sent", [b"", b"GET /health HTTP/1.1\r\nHost:", b"\r\n"])
async def test_a_head_that_does_not_come_in_time_is_answered_408(
    port: int, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    pair = await connect(port)
    pair[1].write(sent)
    assert " 408 " in await answer(pair, whole=True)
    pair[1].close()


async def test_a_second_head_has_its_time_too(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    pair = await connect(port)
    pair[1].write(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert " 200 " in await answer(pair)
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    pair[1].write(b"GET /hea")
    assert " 408 " in await answer(pair, whole=True)
    pair[1].close()


async def test_one_address_has_so_many_connections_and_a_trusted_proxy_any_number(
    monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MAX_CONNECTIONS_OF_PEER", 3)
    async with served() as port:
        held = [await connect(port) for _ in range(3)]
        assert " 429 " in await ask(port, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        while "200" not in await ask(port, b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"):
            await asyncio.sleep(0.01)
    async with served("127.0.0.1") as port:
        held = [await connect(port) for _ in range(5)]
        assert await is_healthy(port)
        for _, writer in held:
            writer.close()


def test_handles_are_raised_to_what_the_system_allows() -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(512, before[1]), before[1]))
        most = connections.raise_handles()
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == most == min(before[1], connections.MOST_HANDLES)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def test_what_is_no_http_is_answered_400(port: int) -> None:
    assert " 400 " in await ask(port, b"hello there\r\n\r\n")
