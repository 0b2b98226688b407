"""Runs that ended longer ago than their workspace keeps them go, whole; everything else stays, sums of usage too."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.kernel.db import Database, dump_json
from automatos.recipes import retention
from automatos.recipes.queries.retention import lock_old
from automatos.recipes.retention import BEFORE_ALL, forget_old_runs, kept_days
from tests.durable.conftest import until
from tests.surface import Client, Make

# A run of one step that was begun so many days ago, with everything that a run leaves behind.
PAST = """
WITH e AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, total_steps, status, last_seq,
                                   created_at, started_at, finished_at)
    SELECT uuidv7(-$3::int * interval '1 day'), $1, $2, 1, 1, $4::text, 1, now() - $3 * interval '1 day',
           now() - $3 * interval '1 day', CASE WHEN $4::text <> 'waiting' THEN now() - $3 * interval '1 day' END
    RETURNING id),
s AS (INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, step_id, agent_id, status,
                                          output_key)
      SELECT id, $1, 1, 's1', 's1', 1, 'completed', 'k' FROM e),
v AS (INSERT INTO event_records (stream, seq, last, workspace_id, events)
      SELECT 'run:' || id, 1, 1, $1, jsonb_build_array(jsonb_build_array('execution.started', now(), '{}'::jsonb))
      FROM e),
a AS (INSERT INTO agent_run_records (id, workspace_id, agent_id, execution_id, opening)
      SELECT gen_random_uuid(), $1, 1, id, '{}' FROM e RETURNING id, execution_id),
t AS (INSERT INTO run_turn_records (run_id, seq, workspace_id, kind, body) SELECT id, 1, $1, 'tool', '{}' FROM a),
u AS (INSERT INTO llm_usage (workspace_id, execution_id, run_id, turn, request_type, provider, model_id, status,
                             input_tokens, output_tokens, total_tokens, cost_micro_usd)
      SELECT $1, execution_id, id, 1, 'recipe', 'openai', 'gpt', 'success', 7, 3, 10, 5 FROM a)
SELECT id FROM e
"""
LEFT = """
SELECT (SELECT count(*) FROM recipe_execution_steps WHERE execution_id = e.id), (SELECT count(*) FROM events
        WHERE stream = 'run:' || e.id), (SELECT count(*) FROM agent_runs WHERE execution_id = e.id),
       (SELECT count(*) FROM run_turns t JOIN agent_runs r ON r.id = t.run_id WHERE r.execution_id = e.id),
       (SELECT count(*) FROM llm_usage WHERE execution_id = e.id), (SELECT count(*) FROM recipe_executions x
        WHERE x.id = e.id)
FROM unnest($1::uuid[]) AS e (id)
"""
DUE = "UPDATE durable.periodic_tasks SET next_at = now() - interval '1 second' WHERE name = 'recipes.forget_old_runs'"
LATER = "UPDATE durable.periodic_tasks SET next_at = now() + interval '1 day' WHERE name = 'recipes.forget_old_runs'"
WHOLE, GONE = (1, 1, 1, 1, 1, 1), (0, 0, 0, 0, 0, 0)
READ = """
SELECT sum(coalesce(pg_stat_get_xact_tuples_returned(oid), 0) + coalesce(pg_stat_get_xact_tuples_fetched(oid), 0))::int
FROM pg_class WHERE relname LIKE ANY (ARRAY['recipe_executions%', 'ix_executions%', 'recipe_run_counts%'])
"""


@pytest.fixture(autouse=True)
async def _the_server_forgets_nothing_meanwhile(database: Database) -> None:
    """Its own periodic task forgets by the same rules, with other folders."""
    async with database.recording(None) as connection:
        await connection.execute(LATER)

    async def is_over() -> bool:
        return all(task.get_name() != "durable.recipes.forget_old_runs" for task in asyncio.all_tasks())

    await until(is_over)


async def recipe_of(client: Client, make: Make, database: Database, runs: int) -> tuple[str, int]:
    """Return template_id and id of a recipe whose past has been counted."""
    template_id = (await make.recipe("Say hello"))["template_id"]
    async with database.recording(client.workspace_id) as connection:
        recipe_id = await connection.fetchval("SELECT id FROM workflow_recipes WHERE template_id = $1", template_id)
        assert recipe_id
        await connection.execute(
            "INSERT INTO recipe_run_counts (recipe_id, workspace_id, runs, up_to) "
            "VALUES ($1, $2, $3, uuidv7(-interval '1 hour'))", recipe_id, client.workspace_id, runs)
    return template_id, recipe_id


async def past(
    database: Database, workspace_id: UUID, recipe_id: int, *days: int, status: str = "completed"
) -> list[UUID]:
    async with database.recording(workspace_id) as connection:
        rows = [await connection.fetchrow(PAST, workspace_id, recipe_id, each, status) for each in days]
    return [row["id"] for row in rows if row]


async def left(database: Database, workspace_id: UUID, ids: Sequence[UUID]) -> list[tuple[int, ...]]:
    """Return how much there is of each run: steps, events, agents' runs, turns, calls, the run itself."""
    async with database.recording(workspace_id) as connection:
        return [tuple(row) for row in await connection.fetch(LEFT, list(ids))]


async def keep(client: Client, days: int | None) -> None:
    saved = await client.put("/api/settings/runs/kept_days", json={"value": days})
    assert saved.status == 200, saved.body


async def test_the_server_forgets_what_is_older_with_all_it_had_and_nothing_else(
    client: Client, make: Make, database: Database
) -> None:
    template_id, recipe_id = await recipe_of(client, make, database, 4)
    (old, failed, young) = await past(database, client.workspace_id, recipe_id, 40, 31, 29)
    (waiting,) = await past(database, client.workspace_id, recipe_id, 50, status="waiting")
    used = (await client.get("/api/usage/summary")).json()
    await keep(client, 30)

    async def is_gone() -> bool:
        async with database.recording(None) as connection:
            await connection.execute(DUE)
        return (await client.get(f"/api/runs/{failed}")).status == 404

    await until(is_gone)
    assert await left(database, client.workspace_id, [old, failed, young, waiting]) == [GONE, GONE, WHOLE, WHOLE]
    assert (await client.get("/api/usage/summary")).json() == used
    assert (used["requests"], used["total_tokens"], used["cost_usd"]) == (4, 40, "0.000020")
    assert (await client.get(f"/api/workflow-recipes/{template_id}")).json()["use_count"] == 4
    assert {item["id"] for item in (await client.get("/api/runs")).json()["items"]} == {str(young), str(waiting)}


@pytest.mark.parametrize(("own", "most", "kept"), [
    (None, None, None), (30, None, 30), (None, 20, 20), (30, 20, 20), (10, 20, 10), ("soon", None, None),
    (0, None, None), (True, 20, 20), ([1], None, None),
])
async def test_a_workspace_decides_within_what_the_server_allows(
    database: Database, workspace_id: UUID, own: Any, most: int | None, kept: int | None
) -> None:
    async with database.recording(workspace_id) as connection:
        await connection.execute(
            "INSERT INTO system_settings (workspace_id, category, key, value, value_type) "
            "VALUES ($1, 'runs', 'kept_days', $2, 'json')", workspace_id, dump_json(own))

    assert await kept_days(database, workspace_id, most) == kept


async def test_one_workspace_forgets_and_another_keeps(
    client: Client, stranger: Client, make: Make, database: Database, tmp_path: Path
) -> None:
    _, recipe_id = await recipe_of(client, make, database, 1)
    _, other_id = await recipe_of(stranger, Make(stranger), database, 1)
    mine = await past(database, client.workspace_id, recipe_id, 40)
    theirs = await past(database, stranger.workspace_id, other_id, 40)
    files = [tmp_path / str(place) / str(run) for place, run in (
        (client.workspace_id, mine[0]), (stranger.workspace_id, theirs[0]))]
    for folder in files:
        folder.mkdir(parents=True)
        (folder / "notes.txt").write_text("x")
    await keep(client, 30)

    await forget_old_runs(database, tmp_path, None)
    assert await left(database, client.workspace_id, mine) == [GONE]
    assert await left(database, stranger.workspace_id, theirs) == [WHOLE]
    assert [folder.exists() for folder in files] == [False, True]


async def test_what_is_cut_off_in_the_middle_has_forgotten_whole_runs_and_the_next_one_goes_on(
    client: Client, make: Make, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, recipe_id = await recipe_of(client, make, database, 7)
    ids = await past(database, client.workspace_id, recipe_id, *range(47, 40, -1))
    used = (await client.get("/api/usage/summary")).json()
    await keep(client, 30)
    begun, forget, calls = asyncio.Event(), retention.forget_calls, list[int]()

    async def stuck(connection: asyncpg.Connection, workspace_id: UUID, run_ids: Sequence[UUID]) -> None:
        await forget(connection, workspace_id, run_ids)
        calls.append(len(run_ids))
        if len(calls) == 2:
            begun.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(retention, "AT_ONCE", 2)
    monkeypatch.setattr(retention, "forget_calls", stuck)
    cut_off = asyncio.create_task(forget_old_runs(database, tmp_path, None))
    await begun.wait()
    cut_off.cancel()
    await asyncio.gather(cut_off, return_exceptions=True)

    assert await left(database, client.workspace_id, ids) == [GONE] * 2 + [WHOLE] * 5
    monkeypatch.setattr(retention, "forget_calls", forget)
    await forget_old_runs(database, tmp_path, None)
    assert await left(database, client.workspace_id, ids) == [GONE] * 7
    assert (await client.get("/api/usage/summary")).json() == used


async def test_what_is_not_counted_yet_or_in_others_hands_stays_for_the_next_time(
    client: Client, make: Make, database: Database, tmp_path: Path
) -> None:
    _, recipe_id = await recipe_of(client, make, database, 2)
    counted, held, fresh = await past(database, client.workspace_id, recipe_id, 45, 44, 40)
    await keep(client, 30)
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(
            "UPDATE recipe_run_counts SET up_to = uuidv7(-interval '42 days') WHERE recipe_id = $1", recipe_id)
        async with connection.transaction():
            await connection.execute("SELECT FROM recipe_executions WHERE id = $1 FOR UPDATE", held)
            await forget_old_runs(database, tmp_path, None)
            assert await left(database, client.workspace_id, [counted, held, fresh]) == [GONE, WHOLE, WHOLE]
        await connection.execute("UPDATE recipe_run_counts SET up_to = uuidv7() WHERE recipe_id = $1", recipe_id)

    await forget_old_runs(database, tmp_path, None)
    assert await left(database, client.workspace_id, [counted, held, fresh]) == [GONE, GONE, GONE]


async def test_looking_for_old_runs_reads_no_young_ones(client: Client, make: Make, database: Database) -> None:
    _, recipe_id = await recipe_of(client, make, database, 0)

    async def read() -> int:
        async with database.recording(client.workspace_id) as connection, connection.transaction():
            before = await connection.fetchval(READ)
            found = await lock_old(connection, client.workspace_id, timedelta(days=30), BEFORE_ALL, 100)
            assert found == []
            return (await connection.fetchval(READ) or 0) - (before or 0)

    few = await read()
    async with database.recording(client.workspace_id) as connection:
        await connection.execute(
            "INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, total_steps, finished_at) "
            "SELECT uuidv7(-n * interval '1 minute'), $1, $2, 1, 1, now() FROM generate_series(1, 5000) n",
            client.workspace_id, recipe_id)
    assert await read() <= few + 20
