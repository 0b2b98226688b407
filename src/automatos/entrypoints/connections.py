"""What one connection may take before anything of it is understood: bytes and time of a request's head, and numbers.

These bounds stand above the parser, for everybody alike; who somebody is, is not known yet. A body has bounds of its
own (`limits.BodyLimit`).
"""

import asyncio
import resource
from collections import Counter
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from automatos.entrypoints.addresses import limit_key

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 100
HEAD_S = 15.0
MAX_CONNECTIONS_OF_PEER = 256
PIECE_BYTES = 16 * 1024
LINGER_S = 1.0
"""How long what a refused sender still sends is thrown away, so that the answer reaches them before the end does."""
MOST_HANDLES = 1024 * 1024
WHY = {
    400: "Invalid HTTP request received.",
    408: f"The head of the request did not arrive within {HEAD_S:g} s.",
    429: f"There are {MAX_CONNECTIONS_OF_PEER} connections from your address already. Close some, or, if this is a "
         "proxy, name it in AUTOMATOS_TRUSTED_PROXIES.",
    431: f"The head of the request is over {MAX_HEAD_BYTES} bytes or {MAX_HEADERS} headers. Send less in headers and "
         "cookies.",
}


class _Refused(Exception):
    """The request is not read further; ends the parser's work."""


class BoundedHttp(HttpToolsProtocol):
    """Uvicorn's protocol with bounds on heads and on the connections of one peer."""

    peers: Counter[str]
    trusts: Callable[[str], bool]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection; one too many is answered at once and not read."""
        super().connection_made(transport)
        self._status = 400
        self._is_over = False
        self._is_in_head = True
        self._head_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._peer = limit_key(self.client[0]) if self.client else ""
        self.peers[self._peer] += 1
        self._begin_head()
        is_many = self.peers[self._peer] > MAX_CONNECTIONS_OF_PEER
        if is_many and self.client and not self.trusts(self.client[0]):
            self._end(429)

    def connection_lost(self, exc: Exception | None) -> None:
        """Count the connection as gone."""
        self._end_head()
        self.peers[self._peer] -= 1
        if not self.peers[self._peer]:
            del self.peers[self._peer]
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Hand bytes to the parser in pieces, so that a head is found too long before all of it was looked at."""
        for start in range(0, len(data), PIECE_BYTES):
            if self._is_over or self.parser is None:  # pyright: ignore[reportUnnecessaryComparison]
                return
            piece = data[start:start + PIECE_BYTES] if len(data) > PIECE_BYTES else data
            super().data_received(piece)
            if self._is_in_head:
                self._head_bytes += len(piece)
                if self._head_bytes > MAX_HEAD_BYTES + PIECE_BYTES:
                    self._end(431)

    def on_message_begin(self) -> None:
        """Begin the time of a head."""
        self._begin_head()
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless there are too many."""
        if self._is_in_head and len(self.headers) >= MAX_HEADERS:
            self._refuse(431)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the request, whose head is whole and not too long."""
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD_BYTES:
            self._refuse(431)
        self._end_head()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Expect the next head, whose time begins with its first byte."""
        super().on_message_complete()
        self._is_in_head = True
        self._head_bytes = 0

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser stopped at: by our own bounds, or because it is no HTTP."""
        del msg
        self._end(self._status)

    def _refuse(self, status: int) -> None:
        self._status = status
        raise _Refused

    def _begin_head(self) -> None:
        self._is_in_head = True
        if self._deadline is None and not self._is_over:
            self._deadline = self.loop.call_later(HEAD_S, self._end, 408)

    def _end_head(self) -> None:
        self._is_in_head = False
        self._head_bytes = 0
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self, status: int) -> None:
        """Answer and close; an answer that is being written is left alone, and so is what would follow it."""
        if self._is_over:
            return
        self._is_over = True
        self._end_head()
        if self.transport.is_closing() or (self.cycle and not self.cycle.response_complete):
            self.transport.close()
            return
        why = WHY[status].encode()
        self.transport.write(b"".join((
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n".encode(),
            b"content-type: text/plain; charset=utf-8\r\n",
            b"content-length: %d\r\nconnection: close\r\n\r\n" % len(why), why)))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.loop.call_later(LINGER_S, self.transport.close)


def bounded_http(trusts: Callable[[str], bool]) -> type[BoundedHttp]:
    """Return the protocol of one server; proxies that are trusted may have any number of connections."""
    members: dict[str, Any] = {"peers": Counter[str](), "trusts": staticmethod(trusts)}
    return type("ServerHttp", (BoundedHttp,), members)


def raise_handles() -> int:
    """Let this process open as many files and sockets as the system allows it; return how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_HANDLES if hard == resource.RLIM_INFINITY else min(hard, MOST_HANDLES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    return most
