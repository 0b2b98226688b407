"""What needs Redis: rate limits that all processes count together, and the question whether it is there."""

import time
from typing import Any, Final, Protocol

import structlog
from limits.aio.storage import RedisStorage
from redis.asyncio import ConnectionPool, Redis

REDIS_TIMEOUT_S: Final = 0.5
REDIS_PAUSE_S: Final = 5.0
log = structlog.get_logger()


class Alone(Protocol):
    """Counts of this process alone."""

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, opening a window of `expiry` seconds at the first; return the count."""
        ...

    async def seconds_left(self, key: str) -> float:
        """Return how long the count's window goes on."""
        ...


class SharedCounters:
    """Counts in Redis, shared by all processes; while Redis does not answer, this process counts alone."""

    def __init__(self, url: str, alone: Alone) -> None:
        pool: Any = ConnectionPool.from_url(
            url, socket_timeout=REDIS_TIMEOUT_S, socket_connect_timeout=REDIS_TIMEOUT_S)
        self._redis = Redis.from_pool(pool)
        self._shared = RedisStorage(f"async+{url}", implementation="redispy", connection_pool=pool)
        self._local = alone
        self._paused_until = 0.0

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a count, opening a window of `expiry` seconds at the first; return the count."""
        if self._is_paused():
            return await self._local.incr(key, expiry, amount)
        try:
            return await self._shared.incr(key, expiry, amount)
        except Exception as error:  # noqa: BLE001  # whatever Redis does, the limit goes on
            self._pause(error)
            return await self._local.incr(key, expiry, amount)

    async def seconds_left(self, key: str) -> float:
        """Return how long the count's window goes on."""
        if self._is_paused():
            return await self._local.seconds_left(key)
        try:
            return await self._shared.get_expiry(key) - time.time()  # the storage added this machine's time to Redis's
        except Exception as error:  # noqa: BLE001
            self._pause(error)
            return await self._local.seconds_left(key)

    async def close(self) -> None:
        """Close the connections to Redis."""
        await self._redis.aclose()

    def _is_paused(self) -> bool:
        return time.monotonic() < self._paused_until

    def _pause(self, error: Exception) -> None:
        log.warning("limits.redis_unavailable", error=str(error), pause_s=REDIS_PAUSE_S)
        self._paused_until = time.monotonic() + REDIS_PAUSE_S


async def probe(url: str, timeout_s: float) -> None:
    """Raise what Redis raises when it is not there."""
    async with Redis.from_url(url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s) as redis:
        await redis.ping()
