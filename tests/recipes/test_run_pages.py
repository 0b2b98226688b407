"""Pages of runs hold what fits everything asked for, in order, whichever index they are read by."""

from itertools import product
from typing import Any
from uuid import UUID

import asyncpg

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.recipes.queries.pages import page_runs
from automatos.recipes.runs_view import page
from automatos.recipes.types import FINAL, ExecutionStatus
from tests.durable.conftest import add_workspace

STATUSES = list(ExecutionStatus)
AGENTS = (1, 2)


async def fill(connection: asyncpg.Connection, workspace_id: UUID) -> list[dict[str, Any]]:
    """Add runs of two recipes and tasks and heartbeats of two agents, in every status, the kinds mixed in time."""
    recipes = {name: await connection.fetchval(
        "INSERT INTO workflow_recipes (workspace_id, template_id, name) VALUES ($1, $2, $2) RETURNING id",
        workspace_id, name) for name in ("soup", "stew")}
    stored: list[dict[str, Any]] = []
    for number, status in enumerate(STATUSES * 6):
        recipe = list(recipes)[number % 2] if number % 3 else None
        kind = "recipe" if recipe else ("task", "heartbeat")[number // 3 % 2]
        agent = None if recipe else AGENTS[number // 6 % 2]
        parent = {"run_id": str(stored[0]["id"]), "path": "s"} if recipe and number % 4 == 1 else None
        run = {"id": new_id(), "kind": kind, "recipe": recipe, "agent_id": agent, "status": status,
               "top_level": parent is None}
        stored.append(run)
        await connection.execute(
            "INSERT INTO recipe_executions (id, workspace_id, kind, recipe_id, agent_id, status, recipe_version, "
            "total_steps, finished_at, parent) VALUES ($1, $2, $3, $4, $5, $6, 1, 1, CASE WHEN $7 THEN now() END, $8)",
            run["id"], workspace_id, kind, recipes.get(recipe or ""), agent, status.value, status in FINAL, parent)
    return stored


def fits(run: dict[str, Any], asked: dict[str, Any]) -> bool:
    return all(wanted is None or run[name] == wanted for name, wanted in asked.items())


async def test_a_page_holds_what_fits_all_that_is_asked_for(database: Database) -> None:
    mine, theirs = await add_workspace(database), await add_workspace(database)
    async with database.recording(theirs) as connection:
        await fill(connection, theirs)
    async with database.recording(mine) as connection:
        stored = await fill(connection, mine)
    newest_first = sorted(stored, key=lambda run: run["id"], reverse=True)
    middle = newest_first[len(newest_first) // 2]["id"]

    wrong: list[object] = []
    async with database.session(mine) as session:
        for status, recipe, agent_id, kind, top_level in product(
                [None, *STATUSES], [None, "soup", "nothing"], [None, *AGENTS], [None, "recipe", "task", "heartbeat"],
                [False, True]):
            asked = {"status": status, "recipe": recipe, "agent_id": agent_id, "kind": kind, "top_level": top_level}
            expected = [run["id"] for run in newest_first if fits(run, asked | {"top_level": top_level or None})]
            for before, skip in ((None, 0), (None, 2), (middle, 0), (middle, 1)):
                rows, total = await page_runs(session, mine, **asked, before=before, skip=skip, limit=5)
                shown = [one for one in expected if before is None or one < before][skip:skip + 5]
                if [row[0].id for row in rows] != shown or (total.count, total.is_exact) != (len(expected), True):
                    wrong.append((asked, before, skip, [row[0].id for row in rows], shown, total))
    assert wrong == []


async def test_an_operators_page_holds_the_runs_of_all_workspaces(database: Database) -> None:
    places = [await add_workspace(database) for _ in range(2)]
    stored: list[UUID] = []
    for place in places:
        async with database.recording(place) as connection:
            stored += [run["id"] for run in await fill(connection, place) if run["status"] == "failed"]

    async with database.session(None, Scope.ADMIN) as session:
        rows, total = await page_runs(session, None, status="failed", recipe=None, before=None, skip=0, limit=200)
    found = {row[0].id for row in rows}
    assert found >= set(stored)
    assert total.count >= len(stored)
    assert sorted(found, reverse=True) == [row[0].id for row in rows]


async def test_a_run_without_a_name_is_shown_as_what_it_is(database: Database) -> None:
    workspace_id = await add_workspace(database)
    async with database.recording(workspace_id) as connection:
        await fill(connection, workspace_id)
    async with database.session(workspace_id) as session:
        for kind in ("task", "heartbeat"):
            shown, _ = await page(session, workspace_id, status=None, kind=kind, limit=3)
            assert {one.recipe_name for one in shown} == {kind}
