"""Counting attempts to get in, so that passwords and tokens cannot be guessed."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, parse
from limits.aio.storage import Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from automatos.workspaces.errors import TooManyAttempts

PER_ACCOUNT = parse("10 per 5 minutes")
PER_ADDRESS = parse("60 per 5 minutes")
IPV6_CUSTOMER = 64
MAX_COUNTED = 50_000


class LocalAttempts:
    """Attempts that this process saw in a moving window, on a clock that nobody sets; the oldest give way when full."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: OrderedDict[tuple[str, ...], deque[float]] = OrderedDict()

    def hit(self, limit: RateLimitItem, *key: str) -> float:
        """Count an attempt, if one may be made; returns how many seconds to wait when there were too many, else 0."""
        now, place = self._clock(), (str(limit), *key)
        moments = self._seen.setdefault(place, deque())
        self._seen.move_to_end(place)
        while moments and moments[0] <= now - limit.get_expiry():
            moments.popleft()
        if len(moments) >= limit.amount:
            return moments[0] + limit.get_expiry() - now
        moments.append(now)
        if len(self._seen) > MAX_COUNTED:
            self._seen.popitem(last=False)
        return 0.0

    def clear(self, limit: RateLimitItem, *key: str) -> None:
        """Forget the attempts under a key."""
        self._seen.pop((str(limit), *key), None)


class Attempts:
    """Counts attempts by address, and by address and account; processes share the count when there is a Redis."""

    def __init__(self, redis_url: str | None = None) -> None:
        self._local = LocalAttempts()
        self._shared: MovingWindowRateLimiter | None = None
        if redis_url:
            storage = storage_from_string(f"async+{redis_url}", implementation="redispy")
            if isinstance(storage, Storage):
                self._shared = MovingWindowRateLimiter(storage)

    async def count(self, address: str, account: str) -> None:
        """Count one attempt, and refuse it if there were too many."""
        network = _network(address)
        await self._hit(PER_ADDRESS, "sign-in", network)
        await self._hit(PER_ACCOUNT, "sign-in", network, account)

    async def forgive(self, address: str, account: str) -> None:
        """Forget the attempts from this address for an account whose password was right in the end."""
        key = "sign-in", _network(address), account
        self._local.clear(PER_ACCOUNT, *key)
        if self._shared:
            with suppress(Exception):  # a Redis that is down forgets by itself, later
                await self._shared.clear(PER_ACCOUNT, *key)

    async def _hit(self, limit: RateLimitItem, *key: str) -> None:
        try:
            wait_s = await self._hit_shared(self._shared, limit, *key) if self._shared else self._local.hit(limit, *key)
        except Exception:  # noqa: BLE001 - whatever a Redis that is down raises, guessing stays bounded in this process
            wait_s = self._local.hit(limit, *key)
        if wait_s:
            raise TooManyAttempts(max(1, int(wait_s) + 1))

    @staticmethod
    async def _hit_shared(limiter: MovingWindowRateLimiter, limit: RateLimitItem, *key: str) -> float:
        if await limiter.hit(limit, *key):
            return 0.0
        stats = await limiter.get_window_stats(limit, *key)
        return max(1.0, stats.reset_time - time.time())


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, IPV6_CUSTOMER), strict=False)) if isinstance(parsed, IPv6Address) else address
