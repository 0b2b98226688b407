"""What the ledger comes to, by agent and day: exact whoever writes it, and kept when calls are forgotten."""

import asyncio
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.queries import insert_usage, summarise_usage
from tests.surface import Client, Make

LEDGER = """
SELECT coalesce(agent_id, 0), (created_at AT TIME ZONE 'UTC')::date, count(*),
       count(*) FILTER (WHERE status = 'error'), count(*) FILTER (WHERE is_estimated), sum(input_tokens),
       sum(output_tokens), sum(total_tokens), sum(cache_read_tokens), sum(cache_write_tokens),
       coalesce(sum(cost_micro_usd), 0), count(*) FILTER (WHERE cost_micro_usd IS NULL)
FROM llm_usage GROUP BY 1, 2 ORDER BY 1, 2
"""
DAYS = """
SELECT agent_id, day, requests, failed_requests, estimated_requests, input_tokens, output_tokens, total_tokens,
       cache_read_tokens, cache_write_tokens, known_micro_usd, unpriced_calls
FROM llm_usage_days ORDER BY 1, 2
"""


def call(agent_id: int | None, turn: int, **more: Any) -> dict[str, Any]:
    return {
        "agent_id": agent_id, "execution_id": None, "run_id": str(new_id()), "turn": turn, "attempt": 1,
        "credential_id": None, "request_type": "recipe", "provider": "openai", "model_id": "gpt",
        "input_tokens": 10 + turn, "output_tokens": 3, "cache_read_tokens": 2, "cache_write_tokens": 1,
        "is_estimated": False, "input_cost_micro_usd": 5, "output_cost_micro_usd": turn, "latency_ms": 1,
        "status": "success", "error_message": None, "created_at": "2026-03-01T12:00:00Z"} | more


async def both(connection: asyncpg.Connection) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return what the ledger adds up to now, and what the sums say."""
    return ([tuple(row) for row in await connection.fetch(LEDGER)],
            [tuple(row) for row in await connection.fetch(DAYS)])


async def test_days_are_what_the_ledger_adds_up_to(client: Client, make: Make, database: Database) -> None:
    agent = (await make.agent())["id"]
    async with database.recording(client.workspace_id) as connection:
        repeated = call(agent, 1)
        await insert_usage(connection, client.workspace_id, [
            repeated, call(agent, 2, status="error", input_cost_micro_usd=None, is_estimated=True),
            call(agent, 3, created_at="2026-03-01T23:59:59.999Z"), call(agent, 4, created_at="2026-03-02T00:00:00Z"),
            call(None, 5), call(2**31 - 1, 6)])
        await insert_usage(connection, client.workspace_id, [repeated, call(agent, 7)])
        ledger, days = await both(connection)

    assert days == ledger
    assert [row[:3] for row in days] == [
        (0, date(2026, 3, 1), 2), (agent, date(2026, 3, 1), 4), (agent, date(2026, 3, 2), 1)]


async def test_calls_that_are_forgotten_stay_in_the_sums(client: Client, make: Make, database: Database) -> None:
    agent = (await make.agent())["id"]
    async with database.recording(client.workspace_id) as connection:
        await insert_usage(connection, client.workspace_id, [call(agent, turn) for turn in range(1, 5)])
        before = (await client.get("/api/usage/summary")).json()
        await connection.execute("DELETE FROM llm_usage")
        await insert_usage(connection, client.workspace_id, [call(agent, 5)])

    after = (await client.get("/api/usage/summary")).json()
    assert before["requests"] == 4
    assert (after["requests"], after["input_tokens"]) == (5, before["input_tokens"] + 15)
    assert (before["cost_usd"], after["cost_usd"]) == ("0.000030", "0.000040")


async def test_processes_that_write_at_once_lose_nothing_and_never_wait_for_each_other_in_a_circle(
    client: Client, make: Make, database: Database
) -> None:
    agents = [(await make.agent())["id"] for _ in range(3)]

    async def write(number: int) -> None:
        turned = agents if number % 2 else agents[::-1]
        async with database.recording(client.workspace_id) as connection:
            for turn in range(1, 21):
                await insert_usage(connection, client.workspace_id, [
                    call(agent, turn, created_at=datetime(2026, 3, day, tzinfo=UTC).isoformat())
                    for agent in turned for day in ((1, 2) if number % 3 else (2, 1))])

    await asyncio.gather(*(write(number) for number in range(6)))
    async with database.recording(client.workspace_id) as connection:
        ledger, days = await both(connection)
    assert days == ledger
    assert sum(row[2] for row in days) == 6 * 20 * 6


async def test_a_workspace_sees_its_own_sums_only(client: Client, stranger: Client, database: Database) -> None:
    async with database.recording(client.workspace_id) as connection:
        await insert_usage(connection, client.workspace_id, [call(None, 1)])

    async def requests(workspace_id: UUID) -> int:
        async with database.session(workspace_id) as session:
            return (await summarise_usage(session, workspace_id))["requests"]

    assert (await requests(client.workspace_id), await requests(stranger.workspace_id)) == (1, 0)
