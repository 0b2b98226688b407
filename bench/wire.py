"""A lean HTTP/1.1 client over raw asyncio streams, so that the load generator does not become the load."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Self

import orjson

LIMIT_BYTES = 4 * 1024 * 1024
RESPONSE_TIMEOUT_S = 60.0


class UnexpectedAnswer(Exception):
    """The server answered something other than what the measurement needs; the message carries what it said."""

    def __init__(self, raw: bytes, status: int, body: bytes) -> None:
        line = raw.split(b" HTTP/", 1)[0].decode()
        super().__init__(f"{line} answered {status}: {body[:600].decode(errors='replace')}")


@dataclass(frozen=True, slots=True)
class Head:
    """Status and framing of one response."""

    status: int
    length: int | None
    is_chunked: bool
    keeps_open: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream: its type and its undecoded data."""

    type: str
    data: bytes

    def json(self) -> Any:
        """Decode the data."""
        return orjson.loads(self.data)


def request(method: str, path: str, host: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Write one request as bytes, once, to be sent many times."""
    lines = [f"{method} {path} HTTP/1.1", f"host: {host}", *(f"{name}: {value}" for name, value in headers.items())]
    if body:
        lines += ["content-type: application/json"]
    if method != "GET":
        lines += [f"content-length: {len(body)}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


class Connection:
    """One keep-alive connection; one request at a time, reconnecting when the server has closed it."""

    def __init__(self, host: str, port: int) -> None:
        self._place = (host, port)
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    async def open(self) -> None:
        """Connect now, so that the next request does not pay for it."""
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(*self._place, limit=LIMIT_BYTES)

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None

    async def send(self, raw: bytes, expect: int = 200) -> bytes:
        """Send one request and return the body of its answer; raises UnexpectedAnswer for any other status."""
        async with asyncio.timeout(RESPONSE_TIMEOUT_S):
            head = await self._exchange(raw)
            body = b"".join([piece async for piece in self._pieces(head)])
        if not head.keeps_open:
            self.close()
        if head.status != expect:
            raise UnexpectedAnswer(raw, head.status, body)
        return body

    async def follow(self, raw: bytes) -> AsyncIterator[Frame]:
        """Send one request for an event stream and yield its frames until the server ends it."""
        head = await self._exchange(raw)
        if head.status != 200:
            body = b"".join([piece async for piece in self._pieces(head)])
            raise UnexpectedAnswer(raw, head.status, body)
        rest = b""
        async for piece in self._pieces(head):
            *blocks, rest = (rest + piece).replace(b"\r\n", b"\n").split(b"\n\n")
            for block in blocks:
                if frame := _parse(block):
                    yield frame
        if not head.keeps_open:
            self.close()

    async def _exchange(self, raw: bytes) -> Head:
        """Send and read the head; a keep-alive connection the server closed meanwhile is replaced once."""
        for is_last_try in (False, True):
            was_fresh = self._writer is None
            await self.open()
            assert self._writer
            assert self._reader
            try:
                self._writer.write(raw)
                return _read_head(await self._reader.readuntil(b"\r\n\r\n"))
            except (ConnectionError, asyncio.IncompleteReadError):
                self.close()
                if was_fresh or is_last_try:
                    raise
        raise AssertionError("unreachable")

    async def _pieces(self, head: Head) -> AsyncIterator[bytes]:
        reader = self._reader
        assert reader
        if not head.is_chunked:
            if head.length is not None:
                yield await reader.readexactly(head.length)
                return
            while piece := await reader.read(65536):
                yield piece
            return
        while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            yield (await reader.readexactly(size + 2))[:-2]
        await reader.readuntil(b"\r\n")


def _read_head(raw: bytes) -> Head:
    status_line, *lines = raw.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    length = headers.get("content-length")
    is_chunked = headers.get("transfer-encoding", "").lower() == "chunked"
    status = int(status_line.split(" ", 2)[1])
    is_framed = is_chunked or length is not None or status == 204
    return Head(
        status=status,
        length=0 if status == 204 else int(length) if length else None,
        is_chunked=is_chunked,
        keeps_open=is_framed and headers.get("connection", "").lower() != "close",
    )


def _parse(block: bytes) -> Frame | None:
    kind, data = "message", []
    for line in block.split(b"\n"):
        if line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
        elif line.startswith(b"event:"):
            kind = line[6:].strip().decode()
    return Frame(kind, b"\n".join(data)) if data else None
