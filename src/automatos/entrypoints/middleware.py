"""What happens to every request before a route sees it: plain ASGI, a few microseconds each.

Decisions use the path and headers that arrived, never an address rebuilt from the Host header.
"""

import logging
import re
import time
from typing import Final
from uuid import uuid4

import structlog
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automatos.entrypoints.addresses import Proxies
from automatos.entrypoints.problems import BodyTooLarge, problem_response, render, render_unexpected
from automatos.entrypoints.statistics import Statistics
from automatos.kernel.config import Settings
from automatos.kernel.errors import InvalidRequest
from automatos.kernel.hosts import OwnHosts, is_address

log = structlog.get_logger("automatos.http")

REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._-]{1,64}")
UPLOAD_PATHS: Final = re.compile(r"/api/documents/upload/?|/api/(?:[^/]+/)*plugins/upload/?")
RENAMED: Final = b"x-request-id"


def find_header(scope: Scope, name: bytes) -> bytes | None:
    """Return the first header of that lower-case name."""
    for key, value in scope["headers"]:
        if key == name:
            return value
    return None


class RequestContext:
    """Names each request, times it, counts it and logs it."""

    def __init__(self, app: ASGIApp, *, statistics: Statistics, proxies: Proxies) -> None:
        self.app = app
        self._statistics = statistics
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; other kinds of connection pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = _request_id(scope)
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["client_address"] = self._proxies.client_address(scope)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status, opened_ms = 0, None

        async def send_named(message: Message) -> None:
            nonlocal status, opened_ms
            if message["type"] == "http.response.start":
                status = message["status"]
                if is_stream(message):
                    opened_ms = (time.perf_counter() - began) * 1000
                message["headers"] = [*message.get("headers", ()), (RENAMED, request_id.encode())]
            await send(message)

        try:
            if _has_nul(scope):
                await render(scope, InvalidRequest("The address contains a NUL character."))(scope, receive, send_named)
            else:
                await self.app(scope, receive, send_named)
        finally:
            self._account(scope, status or 499, (time.perf_counter() - began) * 1000, opened_ms)

    def _account(self, scope: Scope, status: int, time_ms: float, opened_ms: float | None) -> None:
        """Count and log a request; a stream counts with the time it took to begin."""
        template = getattr(scope.get("route"), "path_format", None)
        if template is not None:
            took_ms = time_ms if opened_ms is None else opened_ms
            self._statistics.record(scope["method"], template, status, took_ms, time.time())
        level = logging.DEBUG if status < 400 else logging.INFO
        if logging.root.isEnabledFor(level):  # asked first: making a logger costs more than the question
            log.log(level, "request", method=scope["method"], path=scope["path"], status=status,
                    time_ms=round(time_ms, 2))


def is_stream(start: Message) -> bool:
    """Say whether a response is a stream of events, which lasts as long as its reader stays."""
    return any(name == b"content-type" and value.startswith(b"text/event-stream")
               for name, value in start.get("headers", ()))


def _request_id(scope: Scope) -> str:
    given = find_header(scope, RENAMED)
    return given.decode() if given and REQUEST_ID.fullmatch(given) else uuid4().hex[:12]


def _has_nul(scope: Scope) -> bool:
    return "\x00" in scope["path"] or b"%00" in scope.get("query_string", b"")


class BasePath:
    """Takes the path that this server lies under off each address, whether or not a proxy has done it already.

    The address without it is what everything further in sees: routes, limits, statistics.
    """

    def __init__(self, app: ASGIApp, *, base_path: str) -> None:
        self.app = app
        self._base = base_path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; the bare path leads to its front page."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        if path == self._base:
            await RedirectResponse(f"{self._base}/", 308)(scope, receive, send)
            return
        if path.startswith(f"{self._base}/"):
            raw: bytes = scope.get("raw_path") or path.encode()
            scope = {**scope, "path": path.removeprefix(self._base),
                     "raw_path": raw.removeprefix(self._base.encode())}
        await self.app(scope, receive, send)


class TrustedHosts:
    """Refuses requests for a host that is not this server's; the list is closed from the start (`kernel.hosts`).

    What a trusted proxy says was asked for is judged too. Probes of load balancers know an address and no name, so
    `/health` answers under any address: no page's name stands behind one.
    """

    def __init__(self, app: ASGIApp, *, hosts: OwnHosts, proxies: Proxies) -> None:
        self.app = app
        self._hosts = hosts
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or self._is_trusted(scope):
            await self.app(scope, receive, send)
            return
        await problem_response(
            scope, status=400, code="untrusted_host", title="This host is not served here",
            detail="The Host header names a host that this server does not answer for. Set AUTOMATOS_PUBLIC_URL to the "
                   "address that people open, or add the host to AUTOMATOS_TRUSTED_HOSTS.",
        )(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        host = (find_header(scope, b"host") or b"").decode("latin-1")
        server = scope.get("server")
        if not self._hosts.takes(host, server[0] if server else None) and not (
            scope["path"] == "/health" and is_address(host)
        ):
            return False
        return all(self._hosts.takes(each) for each in self._proxies.forwarded_hosts(scope))


class BodyLimit:
    """Counts the bytes of a body as they arrive and stops reading when there are too many.

    A Content-Length above the limit is refused at once; a missing or untrue one changes nothing.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self._body, self._upload = settings.body_limit_bytes, settings.upload_limit_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self._upload if UPLOAD_PATHS.fullmatch(scope["path"]) else self._body
        announced = find_header(scope, b"content-length")
        if announced is not None and announced.isdigit() and (len(announced) > 18 or int(announced) > limit):
            await problem_response(
                scope, status=413, code="body_too_large", title="The body is too large",
                detail=BodyTooLarge(limit).detail, extra={"limit_bytes": limit}, headers={"Connection": "close"},
            )(scope, receive, send)
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            if message["type"] == "http.request":
                received += len(message.get("body", b""))
                if received > limit:
                    raise BodyTooLarge(limit)
            return message

        await self.app(scope, receive_counted, send)


class TrailingSlash:
    """Takes an address of the API with a slash at its end for the same address without."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and scope["path"].startswith("/api/") and scope["path"].endswith("/"):
            scope["path"] = scope["path"].rstrip("/")
        await self.app(scope, receive, send)


class UnexpectedErrors:
    """Answers for what nobody expected to fail; innermost, so that the answer carries every header of the others."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; a response that has begun is broken off instead."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def send_noticed(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_noticed)
        except Exception:
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            if has_begun:
                raise
            await render_unexpected(scope)(scope, receive, send)
