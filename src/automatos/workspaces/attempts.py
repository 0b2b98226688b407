"""Counting attempts to get in, so that passwords and tokens cannot be guessed."""

import time
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network

from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.storage import storage_from_string

from automatos.workspaces.errors import TooManyAttempts

PER_ACCOUNT = parse("10 per 5 minutes")
PER_ADDRESS = parse("60 per 5 minutes")
IPV6_CUSTOMER = 64


class Attempts:
    """Counts attempts by address, and by address and account; processes share the count when there is a Redis."""

    def __init__(self, redis_url: str | None = None) -> None:
        self._local = MovingWindowRateLimiter(MemoryStorage())
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
        for limiter in filter(None, (self._shared, self._local)):
            with suppress(Exception):  # a Redis that is down forgets by itself, later
                await limiter.clear(PER_ACCOUNT, "sign-in", _network(address), account)

    async def _hit(self, limit: RateLimitItem, *key: str) -> None:
        limiter = self._shared or self._local
        try:
            is_allowed = await limiter.hit(limit, *key)
        except Exception:  # noqa: BLE001 - whatever a Redis that is down raises, guessing stays bounded in this process
            limiter = self._local
            is_allowed = await limiter.hit(limit, *key)
        if not is_allowed:
            stats = await limiter.get_window_stats(limit, *key)
            raise TooManyAttempts(max(1, int(stats.reset_time - time.time()) + 1))


def _network(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, IPV6_CUSTOMER), strict=False)) if isinstance(parsed, IPv6Address) else address
