"""The end of an item costs the same in a long for-each as in a short one, and workers of both versions may do it."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from automatos.kernel.db import Database
from automatos.recipes.planning import plan_recipe
from automatos.runs.records import KnownItems
from automatos.runs.service import go_on, lock, take_step
from automatos.runs.steps import decide_step
from automatos.runs.types import TakenStep
from tests.runs.test_graphs import until_waiting
from tests.surface import Client, Make

READ = """
SELECT sum(coalesce(pg_stat_get_xact_tuples_returned(oid), 0) + coalesce(pg_stat_get_xact_tuples_fetched(oid), 0))::int
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i')
"""
WRITTEN = """
SELECT sum(coalesce(pg_stat_get_xact_tuples_inserted(oid), 0) + coalesce(pg_stat_get_xact_tuples_updated(oid), 0))::int
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
"""


class Engine:
    """The engine on a run whose agent is paused; what an agent would do of a step is told by a row."""

    def __init__(self, connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID) -> None:
        self.connection, self.workspace_id, self.run_id = connection, workspace_id, run_id

    async def begin(self) -> None:
        await decide_step(self.connection, plan_recipe, self.workspace_id, self.run_id, 1, by="Ada",
                          may=lambda _: None, is_approved=True, comment="")

    async def end_item(self, path: str, status: str = "completed") -> tuple[int, int]:
        """Take an item's step, end it, do what follows; returns how many rows were read and written for it."""
        async with self.connection.transaction():
            read, written = await self.connection.fetchval(READ), await self.connection.fetchval(WRITTEN)
            await self._end(path, status)
            return await self.connection.fetchval(READ) - read, await self.connection.fetchval(WRITTEN) - written

    async def _end(self, path: str, status: str) -> None:
        taken = await take_step(self.connection, self.workspace_id, f"{self.run_id}/{path}")
        assert isinstance(taken, TakenStep)
        plan = await plan_recipe(self.connection, taken.run)
        await plan.before(self.connection, taken.path, plan.flow.by_key[taken.row["step_id"]])
        await self.say(path, status)
        await self.follow()

    async def say(self, path: str, status: str = "completed") -> None:
        await self.connection.execute(
            "UPDATE recipe_execution_steps SET status = $3, output = $2, finished_at = now() "
            "WHERE execution_id = $1 AND path = $2", self.run_id, path, status)

    async def follow(self) -> None:
        run = await lock(self.connection, self.workspace_id, self.run_id)
        assert run
        await go_on(self.connection, plan_recipe, run)

    async def begin_without_window(self, path: str, key: str) -> None:
        """Begin a step as a worker of the version before does."""
        await self.connection.execute(
            "INSERT INTO recipe_execution_steps (execution_id, workspace_id, step_order, path, kind, step_id, "
            "agent_id, agent_name, status, output_key) SELECT execution_id, workspace_id, "
            "(SELECT max(step_order) + 1 FROM recipe_execution_steps WHERE execution_id = $1), $2, kind, $3, "
            "agent_id, agent_name, 'pending', output_key FROM recipe_execution_steps "
            "WHERE execution_id = $1 AND path = 'rows[0].each'", self.run_id, path, key)

    async def forget_windows(self) -> None:
        await self.connection.execute(
            "UPDATE recipe_execution_steps SET detail = NULL WHERE execution_id = $1 AND kind = 'for_each'",
            self.run_id)

    async def row(self, path: str) -> asyncpg.Record:
        found = await self.connection.fetchrow(
            "SELECT * FROM recipe_execution_steps WHERE execution_id = $1 AND path = $2", self.run_id, path)
        assert found
        return found

    async def begun(self) -> list[str]:
        rows = await self.connection.fetch(
            "SELECT path FROM recipe_execution_steps WHERE execution_id = $1 AND status = 'pending' "
            "ORDER BY step_order", self.run_id)
        return [row["path"] for row in rows]


@asynccontextmanager
async def engine(
    client: Client, make: Make, database: Database, items: int, *inside: dict[str, Any],
    behind: Sequence[dict[str, Any]] = (), **each: Any,
) -> AsyncGenerator[Engine]:
    """A run whose for-each begins with the engine's `begin`."""
    agent = await make.agent()
    plain = {"step_id": "each", "prompt_template": "do {item}", "agent_id": agent["id"], "inside": "rows"}
    steps = [plain | step for step in inside or ({},)]
    if nested := next((step for step in steps if step.get("for_each")), None):
        steps.append(plain | {"inside": nested["step_id"]})
    steps += [plain | {"inside": None} | step for step in behind]
    recipe = await make.recipe(
        {"step_id": "may", "agent_id": None, "approval": {}, "prompt_template": "May it?"},
        {"step_id": "rows", "agent_id": None, "for_each": {"items": "input.rows", "concurrency": 4} | each},
        *steps,
        inputs={"rows": {"type": "array"}})
    run_id = await client.cook(recipe["template_id"], rows=[f"row {number}" for number in range(items)])
    await until_waiting(client, run_id)
    await client.post(f"/api/agents/{agent['id']}/pause", json={})
    async with database.recording(client.workspace_id) as connection:
        yield Engine(connection, client.workspace_id, UUID(run_id))
    await client.post(f"/api/runs/{run_id}/cancel")
    await client.follow(run_id)


@pytest.mark.parametrize("condition", [None, 'item != "row 7" && index >= 0'], ids=["always", "by its item"])
async def test_the_end_of_an_item_reads_and_writes_as_many_rows_among_five_hundred_as_among_fifty(
    client: Client, make: Make, database: Database, condition: str | None
) -> None:
    seen = dict[int, list[tuple[int, int]]]()
    for items in (50, 500):
        async with engine(client, make, database, items, {"when": condition}) as on:
            await on.begin()
            seen[items] = [await on.end_item(f"rows[{number}].each") for number in range(items - 5) if number != 7]

    early, late = seen[50][20:40], seen[500][420:440]
    assert {written for _, written in early} == {written for _, written in late}
    assert max(read for read, _ in late) <= max(read for read, _ in early) + 8  # versions not yet cleaned away


async def test_items_inside_items_are_read_no_more_often(client: Client, make: Make, database: Database) -> None:
    outer = {"step_id": "rows2", "for_each": {"items": "input.rows", "concurrency": 1}, "agent_id": None,
             "prompt_template": ""}
    async with engine(client, make, database, 60, outer, concurrency=1) as on:
        await on.begin()
        seen = [await on.end_item(f"rows[{row}].rows2[{number}].each") for row in range(4) for number in range(60)]

    assert max(read for read, _ in seen[200:220]) <= max(read for read, _ in seen[20:40]) + 8
    assert len({written for _, written in (*seen[20:40], *seen[200:220])}) == 1


async def test_a_worker_of_the_version_before_may_end_and_begin_items_in_between(
    client: Client, make: Make, database: Database
) -> None:
    async with engine(client, make, database, 8, {}, {"step_id": "then"}, concurrency=2, max_failures=1) as on:
        await on.begin()
        assert await on.begun() == ["rows[0].each", "rows[1].each"]
        await on.end_item("rows[0].each", "failed")
        await on.end_item("rows[1].each")
        assert await on.begun() == ["rows[2].each", "rows[1].then"]

        await on.say("rows[1].then")  # a worker that knows no windows ends an item, and begins the next one
        await on.begin_without_window("rows[3].each", "each")
        await on.say("rows[3].each")
        await on.begin_without_window("rows[3].then", "then")
        await on.end_item("rows[2].each")
        assert await on.begun() == ["rows[3].then", "rows[2].then"]

        await on.say("rows[3].then")
        await on.say("rows[2].then")
        await on.follow()
        assert await on.begun() == ["rows[4].each", "rows[5].each"]
        await on.forget_windows()  # as one that was begun by such a worker
        await on.end_item("rows[5].each")
        assert await on.begun() == ["rows[4].each", "rows[5].then"]
        window = (await on.row("rows"))["detail"]["window"]
        assert (window["next"], window["failed"], list(window["open"])) == (6, 1, ["4", "5"])
        await on.end_item("rows[4].each", "failed")

        ended = await on.row("rows")
        assert ended["status"] == "failed"
        assert ended["error"]["message"] == "`rows[0].each` and 1 more failed; at most 1 may"


async def test_a_second_for_each_numbers_its_steps_behind_those_of_the_first(
    client: Client, make: Make, database: Database
) -> None:
    more = {"step_id": "rows2", "agent_id": None, "for_each": {"items": "input.rows"}, "prompt_template": ""}
    async with engine(client, make, database, 3, behind=[more, {"step_id": "also", "inside": "rows2"}]) as on:
        await on.begin()
        for number in range(3):
            await on.end_item(f"rows[{number}].each")
        assert await on.begun() == [f"rows2[{number}].also" for number in range(3)]
        assert (await on.row("rows"))["output"] == '["rows[0].each","rows[1].each","rows[2].each"]'
        assert (await on.row("rows[2].each"))["status"] == "completed"


async def test_thousands_of_items_that_a_condition_skips_are_passed_in_one_change(
    client: Client, make: Make, database: Database
) -> None:
    async with engine(client, make, database, 3_000, {"when": 'item == "row 2990"'}, concurrency=3) as on:
        await on.begin()
        assert await on.begun() == ["rows[2990].each"]
        await on.end_item("rows[2990].each")

        ended = await on.row("rows")
        assert ended["status"] == "completed"
        assert ended["output"].count("null") == 2_999


def test_items_that_were_not_read_are_nothing() -> None:
    items = KnownItems(3, {1: "b"})
    assert (len(items), items[1], items[2], items[0:3]) == (3, "b", None, [None, "b", None])
