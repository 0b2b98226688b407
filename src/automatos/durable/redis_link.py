"""Events for others to read in Redis; no process of ours listens to it."""

import asyncio
import contextlib
from collections.abc import Sequence
from uuid import UUID

import structlog

from automatos.durable.types import StoredEvent

log = structlog.get_logger("automatos.durable")


class RedisLink:
    """Publishes each event on the published channel name; a Redis that is down costs live channels, never events."""

    def __init__(self, url: str) -> None:
        from redis import asyncio as redis

        self._client = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=2)
        self._queue: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=10_000)
        self._task = asyncio.create_task(self._send(), name="durable.redis")

    def publish(self, workspace_id: UUID, events: Sequence[StoredEvent]) -> None:
        """Queue events for `workflow:{workspace}:execution:{execution}`; dropped when Redis cannot keep up."""
        kind, _, key = events[0].topic.partition(":")
        if kind != "run":
            return
        with contextlib.suppress(asyncio.QueueFull):
            for event in events:
                self._queue.put_nowait((f"workflow:{workspace_id}:execution:{key}", event.envelope()))

    async def close(self) -> None:
        """Send what is queued for at most a second, then close."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self._queue.join()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._client.aclose()

    async def _send(self) -> None:
        from redis.exceptions import RedisError

        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty():
                batch.append(self._queue.get_nowait())
            try:
                async with self._client.pipeline(transaction=False) as pipe:
                    for channel, message in batch:
                        pipe.publish(channel, message)
                    await pipe.execute()
            except (RedisError, OSError) as error:
                log.warning("durable.redis_unavailable", error=str(error) or type(error).__name__)
            finally:
                for _ in batch:
                    self._queue.task_done()
