"""What tests of an agent's life need: asking for its status, confirming what a change asks for, waiting for a fact."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from automatos.kernel.db import Database
from tests.surface import Answer, Client

Fact = TypeVar("Fact")


async def until(ask: Callable[[], Awaitable[Fact]], holds: Callable[[Fact], bool], timeout_s: float = 60) -> Fact:
    """Ask again and again until the answer holds, and return it."""
    async with asyncio.timeout(timeout_s):
        while not holds(found := await ask()):
            await asyncio.sleep(0.03)
    return found


async def status_of(client: Client, agent_id: int) -> dict[str, Any]:
    answer = await client.get(f"/api/agents/{agent_id}/status")
    assert answer.status == 200, answer.body
    return answer.json()


async def preview(client: Client, agent_id: int, status: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(f"/api/agents/{agent_id}/status/preview", json={"status": status} | body)
    assert answer.status == 200, answer.body
    return answer.json()


async def put_status(client: Client, agent_id: int, status: str, **body: Any) -> Answer:
    return await client.put(f"/api/agents/{agent_id}/status", json={"status": status} | body)


async def confirm(client: Client, agent_id: int, status: str, **body: Any) -> dict[str, Any]:
    """Change a status as a person does: look at the preview, confirm all of it, and return the answer."""
    seen = await preview(client, agent_id, status, **body)
    confirmations = [one["id"] for one in seen["required_confirmations"]]
    answer = await put_status(
        client, agent_id, status, confirmations=confirmations, impact_token=seen["impact_token"], **body)
    assert answer.status == 200, answer.body
    return answer.json()


async def reaches(client: Client, agent_id: int, status: str, timeout_s: float = 60) -> dict[str, Any]:
    return await until(lambda: status_of(client, agent_id), lambda found: found["status"] == status, timeout_s)


async def run_of(client: Client, run_id: str) -> dict[str, Any]:
    return (await client.get(f"/api/runs/{run_id}")).json()


async def run_ends(client: Client, run_id: str, timeout_s: float = 60) -> dict[str, Any]:
    final = {"completed", "completed_with_skips", "failed", "cancelled"}
    return await until(lambda: run_of(client, run_id), lambda run: run["status"] in final, timeout_s)


async def lane(database: Database, agent_id: int) -> tuple[int, str] | None:
    async with database.recording(None) as connection:
        row = await connection.fetchrow("SELECT capacity, mode FROM durable.lanes WHERE name = $1", f"agent:{agent_id}")
    return (row["capacity"], row["mode"]) if row else None


async def audit(database: Database, client: Client) -> list[tuple[str, str, dict[str, Any]]]:
    async with database.recording(client.workspace_id) as connection:
        rows = await connection.fetch(
            "SELECT actor, action, detail FROM audit_log WHERE target_type = 'agent' ORDER BY id")
    return [(row["actor"], row["action"], row["detail"]) for row in rows]


async def set_agent(database: Database, client: Client, agent_id: int, **columns: Any) -> None:
    """Write columns of an agent as an older server, or an accident, may have left them."""
    names = ", ".join(f"{name} = ${place}" for place, name in enumerate(columns, start=2))
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(f"UPDATE agents SET {names} WHERE id = $1", agent_id, *columns.values())
