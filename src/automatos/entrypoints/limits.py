"""Rate limits: per address until it is known who asks, per principal afterwards; shared when Redis is on."""

import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

import structlog
from limits import RateLimitItem, parse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from automatos.entrypoints.addresses import limit_key
from automatos.entrypoints.middleware import find_header
from automatos.entrypoints.problems import render
from automatos.kernel.config import Settings
from automatos.kernel.errors import Problem
from automatos.workspaces.types import Caller

log = structlog.get_logger()

SESSION_COOKIE: Final = b"automatos_session="
ALWAYS_BY_ADDRESS: Final = frozenset({
    "/api/auth/sign-in", "/api/auth/session", "/api/auth/oidc/callback", "/api/setup", "/api/setup/admin",
    "/api/invitations/accept", "/api/invitations/sign-up", "/api/auth/password",
})
"""Where secrets can be guessed: a valid session elsewhere buys no extra guesses."""
WIDGET_PREFIX: Final = "/api/widget"
PROVEN_S: Final = 600.0
MAX_PROVEN: Final = 20_000
MAX_COUNTERS: Final = 50_000


class RateLimited(Problem):
    """Too many requests in this window; Retry-After says when the next one is taken."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"


class Counters(Protocol):
    """Counts that forget themselves when their window ends."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, opening a window of `expiry` seconds at the first; return the count."""
        ...

    async def seconds_left(self, key: str) -> float:
        """Return how long the count's window goes on."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class LocalCounters:
    """Counts of this process on a clock that nobody sets, at most 50,000; when full, those that end first give way."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, opening a window of `expiry` seconds at the first; return the count."""
        now = self._clock()
        count, ends_at = self._windows.get(key, (0, now))
        if ends_at <= now:
            self._windows.pop(key, None)
            self._make_room(now)
            count, ends_at = 0, now + expiry
        self._windows[key] = (count + amount, ends_at)
        return count + amount

    async def seconds_left(self, key: str) -> float:
        """Return how long the count's window goes on."""
        now = self._clock()
        return self._windows.get(key, (0, now))[1] - now

    async def close(self) -> None:
        """Do nothing: there are no connections."""

    def _make_room(self, now: float) -> None:
        """Forget the oldest windows that have ended, a few at a time, and the oldest of all when there are too many."""
        for _ in range(2):
            oldest = next(iter(self._windows), None)
            if oldest is None or (self._windows[oldest][1] > now and len(self._windows) < MAX_COUNTERS):
                return
            del self._windows[oldest]


def open_counters(settings: Settings) -> Counters:
    """Return the counters that the settings ask for; what speaks to Redis is loaded where there is one."""
    if not settings.redis:
        return LocalCounters()
    from automatos.entrypoints.shared_counts import SharedCounters

    return SharedCounters(settings.redis, LocalCounters())


@dataclass(frozen=True, slots=True)
class _Bucket:
    """What one request is counted under."""

    rate: RateLimitItem
    key: str


class Proven:
    """Whose the credentials are that led to a caller lately, by hash; bounded, the least recent forgotten first."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def principal_of(self, credential: str) -> str | None:
        """Return who came with this credential within the last ten minutes."""
        until, principal = self._known.get(credential, (0.0, None))
        return principal if until > self._clock() else None

    def add(self, credential: str, principal: str) -> None:
        """Remember for ten minutes from now whose a credential is."""
        self._known[credential] = self._clock() + PROVEN_S, principal
        self._known.move_to_end(credential)
        if len(self._known) > MAX_PROVEN:
            self._known.popitem(last=False)

    def discard(self, credential: str) -> None:
        """Forget a credential that was refused."""
        self._known.pop(credential, None)


class RateLimits:
    """Counts each request of the API under its client and refuses those above the limit.

    Requests count for the person or the key they come from, however many credentials stand for it and however they are
    written, once a credential has led to a caller. Until then they count against the client's address, so that
    inventing credentials buys no requests, and neither does guessing them.
    """

    def __init__(self, app: ASGIApp, *, settings: Settings, counters: Counters) -> None:
        self.app = app
        self._counters = counters
        self._proven = Proven()
        self._anonymous = parse(settings.rate_limit if settings.require_auth else settings.rate_limit_signed_in)
        self._signed_in = parse(settings.rate_limit_signed_in)
        self._widget = parse(settings.rate_limit_widget)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or not _is_limited(scope):
            await self.app(scope, receive, send)
            return
        credential = presented_credential(scope)
        bucket = self._bucket(scope, credential)
        if await self._count(bucket) > bucket.rate.amount:
            await self._refuse(bucket, scope, receive, send)
            return
        if credential is None:
            await self.app(scope, receive, send)
            return
        status = 0

        async def send_watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                await self._learn(scope, credential, status)
            await send(message)

        await self.app(scope, receive, send_watched)

    def _bucket(self, scope: Scope, credential: str | None) -> _Bucket:
        path = scope["path"]
        address = limit_key(scope["state"]["client_address"])
        if path.startswith(WIDGET_PREFIX):
            return _Bucket(self._widget, f"widget:{address}")
        principal = self._proven.principal_of(credential) if credential and path not in ALWAYS_BY_ADDRESS else None
        if principal is not None:
            return _Bucket(self._signed_in, f"principal:{principal}")
        return _Bucket(self._anonymous, f"address:{address}")

    async def _count(self, bucket: _Bucket) -> int:
        return await self._counters.incr(f"automatos:limit:{bucket.key}", bucket.rate.get_expiry())

    async def _learn(self, scope: Scope, credential: str, status: int) -> None:
        """Remember an accepted credential; forget a refused one and charge the address for it."""
        if status == 401:
            if self._proven.principal_of(credential) is not None:
                self._proven.discard(credential)
                await self._count(_Bucket(self._anonymous, f"address:{limit_key(scope['state']['client_address'])}"))
        elif caller := scope["state"].get("caller"):
            self._proven.add(credential, _principal(caller))

    async def _refuse(self, bucket: _Bucket, scope: Scope, receive: Receive, send: Send) -> None:
        left_s = await self._counters.seconds_left(f"automatos:limit:{bucket.key}")
        wait_s = max(1, min(int(left_s) + 1, bucket.rate.get_expiry()))
        await render(scope, RateLimited(
            f"More than {bucket.rate.amount} requests per {bucket.rate.GRANULARITY.name}. Try again in {wait_s} s.",
            headers={"Retry-After": str(wait_s)}, retry_after_s=wait_s,
        ))(scope, receive, send)


def _is_limited(scope: Scope) -> bool:
    """Say whether a request counts: the API, its overview and keys for metrics do; pages, assets and probes do not."""
    path: str = scope["path"]
    if path == "/":
        return b"text/html" not in (find_header(scope, b"accept") or b"")
    if path == "/metrics":
        return presented_credential(scope) is not None
    return path.startswith("/api") and scope["method"] != "OPTIONS"


def _principal(caller: Caller) -> str:
    """Return whom a caller's requests count for: the person or the key, never a name and never the credential."""
    if caller.user is not None:
        return f"user:{caller.user.id}"
    return f"key:{caller.api_key_id}" if caller.api_key_id is not None else caller.auth_method.value


def presented_credential(scope: Scope) -> str | None:
    """Return a hash of the credential that a request carries, whichever way, or None.

    It only finds again who came with the same bytes before; what is counted is who they are.
    """
    secret = find_header(scope, b"authorization") or find_header(scope, b"x-api-key") or _session_cookie(scope)
    if not secret:
        return None
    *scheme, text = secret.split(None, 1) or [b""]
    return hashlib.blake2b(b" ".join([*(word.lower() for word in scheme), text.strip()]), digest_size=16).hexdigest()


def _session_cookie(scope: Scope) -> bytes | None:
    cookies = find_header(scope, b"cookie")
    if cookies is None or SESSION_COOKIE not in cookies:
        return None
    named = (part.strip() for part in cookies.split(b";"))
    return next((part for part in named if part.startswith(SESSION_COOKIE)), None)
