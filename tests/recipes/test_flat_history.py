"""Lists, pages and previews read as much of a long history as of a short one."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.entrypoints.migrate import Migrated
from automatos.heartbeats.queries import records as beats
from automatos.kernel.clock import now
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.llm import queries as usage
from automatos.recipes.queries import agent_work, definitions, folders, pages, watched
from automatos.recipes.types import MOST_COUNTED
from tests.durable.conftest import add_workspace, own_database, own_ground

__all__ = ["own_database", "own_ground"]
SHORT, LONG = 1_500, 30_000
AGENT = 7
BEATING = 900_009
READ = """
SELECT sum(coalesce(pg_stat_get_xact_tuples_returned(oid), 0) + coalesce(pg_stat_get_xact_tuples_fetched(oid), 0))::int
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""
# Every run took two steps, of two agents, and was started twenty minutes ago or earlier.
# Beside each run there was a heartbeat, which is a run of another kind, of an agent that did no step of them, and a run
# that a step of another one had started; the newest of these are newer than all others.
HISTORY = """
WITH past AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, total_steps, status, kind, started_at,
                                   finished_at)
    SELECT uuidv7(-n * interval '1 second' - interval '20 minutes'), $1, $2, 1, 2, 'completed', 'recipe',
           now() - n * interval '1 second', now() - n * interval '1 second' FROM generate_series($3::int, $4) n
    RETURNING id, workspace_id, started_at, finished_at),
beats AS (
    INSERT INTO recipe_executions (id, workspace_id, agent_id, recipe_version, total_steps, status, kind, started_at,
                                   finished_at)
    SELECT uuidv7(-n * interval '1 second' - interval '20 minutes'), $1, 900009, 0, 1, 'failed', 'heartbeat',
           now() - n * interval '1 second', now() - n * interval '1 second' FROM generate_series($3::int, $4) n),
results AS (
    INSERT INTO heartbeat_results (id, workspace_id, agent_id, created_at, status, triggered_by)
    SELECT uuidv7(-n * interval '1 hour'), $1, 900009, now() - n * interval '1 hour', 'success', 'timer'
    FROM generate_series($3::int, $4) n),
parts AS (
    INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, status, kind, parent, started_at,
                                   finished_at)
    SELECT uuidv7(-n * interval '1 second' - interval '1 minute'), $1, 1, 1, 'completed', 'recipe',
           '{"run_id": "01900000-0000-7000-8000-000000000000", "path": "s"}', now() - n * interval '1 second',
           now() - n * interval '1 second' FROM generate_series($3::int, $4) n),
calls AS (
    INSERT INTO llm_usage (workspace_id, request_type, provider, model_id, status, total_tokens, created_at)
    SELECT $1, 'recipe', 'openai', 'gpt', 'success', 3, now() - n * interval '1 second'
    FROM generate_series($3::int, $4) n)
INSERT INTO recipe_execution_steps (execution_id, step_order, workspace_id, step_id, agent_id, status, output_key,
                                    started_at, finished_at)
SELECT id, o, workspace_id, 's' || o, 6 + o, 'completed', 'k' || o, started_at, finished_at
FROM past CROSS JOIN generate_series(1, 2) o
"""
SearchedPlace = Callable[[AsyncSession, UUID, int], Awaitable[object]]


def page(**chosen: object) -> SearchedPlace:
    asked = {"status": None, "recipe": None, "before": None, "skip": 0, "limit": 50} | chosen
    return lambda session, workspace, _: pages.page_runs(session, workspace, **asked)  # pyright: ignore


def steps(status: str | None) -> SearchedPlace:
    return lambda session, workspace, _: agent_work.steps_of_agent(
        session, workspace, AGENT, status=status, skip=0, limit=50)


LOOKS: dict[str, SearchedPlace] = {
    "runs": page(),
    "runs that failed": page(status="failed"),
    "runs that people began": page(top_level=True),
    "runs that people began and that were completed": page(top_level=True, status="completed"),
    "runs that wait": page(status="queued"),
    "tasks": page(kind="task"),
    "tasks that failed": page(kind="task", status="failed"),
    "heartbeats": page(kind="heartbeat"),
    "heartbeats that were cancelled": page(kind="heartbeat", status="cancelled"),
    "runs of a recipe": page(recipe="soup"),
    "runs of a recipe that failed": page(recipe="soup", status="failed"),
    "runs of an agent": page(agent_id=BEATING),
    "tasks of an agent": page(agent_id=BEATING, kind="task"),
    "runs of an agent that were completed": page(agent_id=BEATING, status="completed"),
    "page in the middle": page(before=UUID("01900000-0000-7000-8000-000000000000")),
    "page in the middle of a recipe's": page(recipe="soup", before=UUID("01900000-0000-7000-8000-000000000000")),
    "heartbeats of an agent": lambda s, w, _: beats.page_results(s, w, BEATING, before=None, limit=50),
    "last heartbeats": lambda s, w, _: beats.last_results(s, w, [BEATING]),
    "heartbeats of a day": lambda s, w, _: beats.count_since(s, w, now() - timedelta(days=1)),
    "usage": lambda s, w, _: usage.summarise_usage(s, w),
    "what ended last": lambda s, w, _: watched.last_finished(s, w),
    "what ended since": lambda s, w, _: watched.finished_since(s, w, now() - timedelta(seconds=5), 20),
    "files to keep": lambda s, w, _: folders.unfinished(s, w),
    "an agent's steps": steps(None),
    "an agent's failed steps": steps("failed"),
    "preview: history": lambda s, w, _: agent_work.history(s, w, AGENT),
    "preview: medians": lambda s, w, recipe: agent_work.median_durations(s, w, AGENT, [recipe]),
    "recipes: last runs": lambda s, w, recipe: definitions.last_executions(s, w, [recipe]),
    "recipes: how often": lambda s, w, recipe: definitions.count_executions(s, w, [recipe]),
}


async def lengthen(migrated: Migrated, workspace_id: UUID, recipe_id: int, first: int, last: int) -> None:
    """Add finished runs; the tables are analysed, and counted, as they are when a history grows by itself."""
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    try:
        await connection.execute("SELECT set_config('automatos.workspace_id', $1, false)", str(workspace_id))
        await connection.execute(
            "INSERT INTO agents (id, workspace_id, name, agent_type) OVERRIDING SYSTEM VALUE "
            "VALUES (900009, $1, 'B', 'custom') ON CONFLICT DO NOTHING", workspace_id)
        await connection.execute(
            "INSERT INTO heartbeats (agent_id, workspace_id) VALUES (900009, $1) ON CONFLICT DO NOTHING", workspace_id)
        await connection.execute(HISTORY, workspace_id, recipe_id, first, last)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()


async def read_by(database: Database, workspace_id: UUID, recipe_id: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for name, look in LOOKS.items():
        async with database.session(workspace_id) as session:
            before = await session.scalar(text(READ))
            await look(session, workspace_id, recipe_id)
            found[name] = (await session.scalar(text(READ)) or 0) - (before or 0)
    return found


async def test_what_lists_and_previews_read_does_not_grow_with_the_history(
    own_ground: Migrated, own_database: Database
) -> None:
    workspace_id = await add_workspace(own_database)
    async with own_database.recording(workspace_id) as connection:
        recipe_id = await connection.fetchval(
            "INSERT INTO workflow_recipes (workspace_id, template_id, name) VALUES ($1, 'soup', 'Soup') RETURNING id",
            workspace_id)
    await lengthen(own_ground, workspace_id, recipe_id, 1, SHORT)
    await count(own_database)
    short = await read_by(own_database, workspace_id, recipe_id)

    await lengthen(own_ground, workspace_id, recipe_id, SHORT + 1, LONG)
    async with own_database.recording(None, Scope.ENGINE) as connection:
        await connection.execute("DELETE FROM recipe_run_counts")  # those added since are older than what it counted
    await count(own_database)
    long = await read_by(own_database, workspace_id, recipe_id)

    async with own_database.session(workspace_id) as session:
        rows, total = await pages.page_runs(
            session, workspace_id, status=None, recipe=None, before=None, skip=0, limit=5)
    assert (len(rows), total.count, total.is_exact) == (5, MOST_COUNTED, False)
    assert {name: (short[name], long[name]) for name in LOOKS if long[name] > 1.1 * short[name] + 20} == {}


async def count(database: Database) -> None:
    async with database.recording(None, Scope.ENGINE) as connection:
        await definitions.count_runs(connection)


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_how_often_a_recipe_ran_is_exact_whenever_its_past_was_counted(
    own_ground: Migrated, own_database: Database, times: int
) -> None:
    workspace_id = await add_workspace(own_database)
    async with own_database.recording(workspace_id) as connection:
        recipe_id = await connection.fetchval(
            "INSERT INTO workflow_recipes (workspace_id, template_id, name) VALUES ($1, 'soup', 'Soup') RETURNING id",
            workspace_id)
    await lengthen(own_ground, workspace_id, recipe_id, 1, 40)
    for _ in range(times):
        await count(own_database)
        async with own_database.recording(workspace_id) as connection:
            await connection.execute(
                "INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, total_steps) "
                "VALUES ($1, $2, $3, 1, 1)", new_id(), workspace_id, recipe_id)

    async with own_database.session(workspace_id) as session:
        counted = await definitions.count_executions(session, workspace_id, [recipe_id])
    assert counted == {recipe_id: 40 + times}
