"""Heartbeats as tests see them: configured over HTTP, the clock set by hand, driven here or by the server's worker."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from automatos.durable.types import StoredEvent, Subscription
from automatos.heartbeats.beat import Beat
from automatos.heartbeats.due import take_due
from automatos.kernel.db import Database
from tests.surface import Answer, Client


@dataclass
class SilentBus:
    """A bus that nobody hears: the server's worker looks for jobs by itself, a second later."""

    hints: list[str] = field(default_factory=list)

    def publish(self, workspace_id: UUID, events: Sequence[StoredEvent]) -> None:
        del workspace_id, events

    def hint(self, workspace_id: UUID, topic: str) -> None:
        del workspace_id
        self.hints.append(topic)

    def send_word(self, word: str, rest: str) -> None:
        del word, rest

    def tell_dispatcher(self, word: str, rest: str = "") -> None:
        del word, rest

    @asynccontextmanager
    async def subscribe(self, workspace_id: UUID, topics: Sequence[str]) -> AsyncGenerator[Subscription]:
        del workspace_id, topics
        yield Subscription()


@dataclass
class Heart:
    """The heartbeats of one workspace."""

    client: Client
    database: Database
    bus: SilentBus = field(default_factory=SilentBus)

    async def configure(self, agent: dict[str, Any], **config: Any) -> dict[str, Any]:
        answer = await self.save(agent, {"enabled": True, "inherit_active_hours": False, "active_hours_start": "00:00",
                                         "active_hours_end": "00:00"} | config)
        assert answer.status == 200, answer.body
        return answer.json()

    async def save(self, agent: dict[str, Any], body: Any, **options: Any) -> Answer:
        return await self.client.put(f"/api/heartbeat/agents/{agent['id']}/config", json=body, **options)

    async def config(self, agent: dict[str, Any]) -> dict[str, Any]:
        return (await self.client.get(f"/api/heartbeat/agents/{agent['id']}/config")).json()

    async def run(self, agent: dict[str, Any]) -> Answer:
        return await self.client.post(f"/api/heartbeat/agents/{agent['id']}/run")

    async def last(self, agent: dict[str, Any]) -> Any:
        return (await self.client.get(f"/api/heartbeat/agents/{agent['id']}/last")).json()

    async def results(self, agent: dict[str, Any]) -> list[dict[str, Any]]:
        """Every result of an agent, the oldest first."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await self.client.get(
                f"/api/heartbeat/agents/{agent['id']}/history?limit=200" + (f"&cursor={cursor}" if cursor else ""))
            ).json()
            found += page["items"]
            cursor = page["next_cursor"]
        return found[::-1]

    async def ended(self, agent: dict[str, Any], timeout_s: float = 60) -> dict[str, Any]:
        """The last result, when it is over."""
        async with asyncio.timeout(timeout_s):
            while (last := await self.last(agent)) is None or last["status"] == "running":
                await asyncio.sleep(0.05)
        return last

    async def set_timer(self, agent: dict[str, Any], **columns: Any) -> None:
        """Set `next_at` and `anchor_at` of a heartbeat, as if it had been configured at another time."""
        async with self.database.recording(self.client.workspace_id) as connection:
            for name, value in columns.items():
                await connection.execute(f"UPDATE heartbeats SET {name} = $2 WHERE agent_id = $1", agent["id"], value)

    async def tick(self, at: datetime) -> None:
        """Take what is due at a moment."""
        await take_due(self.database, self.bus, at)

    async def next_at(self, agent: dict[str, Any]) -> datetime:
        async with self.database.recording(self.client.workspace_id) as connection:
            return await connection.fetchval("SELECT next_at FROM heartbeats WHERE agent_id = $1", agent["id"])

    async def beat(self, agent: dict[str, Any], at: datetime) -> datetime:
        """Take what is due at a moment, drive the agent's beats as far as they go without waiting; returns the next."""
        await self.tick(at)
        async with self.database.recording(self.client.workspace_id) as connection:
            row = await connection.fetchrow(
                "SELECT next_at, ARRAY(SELECT id FROM heartbeat_results r WHERE r.agent_id = h.agent_id "
                "AND status = 'running') AS running FROM heartbeats h WHERE agent_id = $1", agent["id"])
        for result_id in row["running"]:
            await self.drive(result_id, at)
        return row["next_at"]

    async def drive(self, result_id: UUID | str, at: datetime) -> bool:
        """Drive one beat once; returns whether it is over."""
        return await Beat(self.database, self.bus, self.client.workspace_id, UUID(str(result_id))).drive(at)


@pytest.fixture
async def heart(client: Client, database: Database) -> AsyncIterator[Heart]:
    """The heartbeats of the client's workspace; they stop with the test, because others set the clock ahead."""
    heart = Heart(client, database)
    yield heart
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("UPDATE heartbeats SET next_at = NULL WHERE workspace_id = $1", client.workspace_id)
