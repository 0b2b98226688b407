"""What a run keeps on the disk: each text about once, in few rows; whoever reads it gets what was recorded."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson
import pytest

from automatos.durable.queries import events_after
from automatos.entrypoints.migrate import Migrated, migrate
from automatos.kernel.db import Database, dump_json
from automatos.kernel.ids import new_id
from automatos.recipes.queries.retention import delete_runs
from automatos.runtime.queries import forget_setups, run_input
from tests.durable.conftest import until
from tests.fakes.model_calls import Reply
from tests.fakes.model_server import ModelServer
from tests.surface import Client, Make
from tests.test_migrations import new_database
from tests.test_side_by_side import upgrade_to

LINE = "The agent wrote this line, which the next one works on. " * 4
MOST = 7_000
"""Bytes of the rows of a run of three steps, each of which gives 200 characters; indexes come to 2,000 more."""
ROWS = """
SELECT 'run', sum(pg_column_size(t.*) + 4)::int FROM recipe_executions t WHERE id = $1 UNION ALL
SELECT 'steps', sum(pg_column_size(t.*) + 4)::int FROM recipe_execution_steps t WHERE execution_id = $1 UNION ALL
SELECT 'events', sum(pg_column_size(t.*) + 4)::int FROM event_records t WHERE stream = 'run:' || $1 UNION ALL
SELECT 'beginnings', sum(pg_column_size(t.*) + 4)::int FROM agent_run_records t WHERE execution_id = $1 UNION ALL
SELECT 'turns', sum(pg_column_size(t.*) + 4)::int FROM run_turn_records t
                WHERE run_id IN (SELECT id FROM agent_run_records WHERE execution_id = $1) UNION ALL
SELECT 'calls', sum(pg_column_size(t.*) + 4)::int FROM llm_usage t WHERE execution_id = $1
"""
# As the version before reads: a page of events, the last of a run that waits, what an agent's run began with.
EVENTS_BEFORE = ("SELECT seq, type, data::text AS data, created_at FROM events WHERE workspace_id = $5 AND stream = $1 "
                 "AND seq > $2 AND ($4::int IS NULL OR seq <= $4) ORDER BY seq LIMIT $3")
OPENING_BEFORE = "SELECT id, agent_id, opening FROM agent_runs WHERE id = $1"


@pytest.fixture
async def three_steps(client: Client, make: Make, model_server: ModelServer) -> dict[str, Any]:
    """A run of three steps that is over, the first of which called a tool."""
    model_server.script(Reply(text=LINE), match="Improve", repeat=True)
    model_server.script(Reply(tool_calls=[("calculator", {"expression": "6*7"})]), match="Reckon")
    reckoner = await make.agent(tools=["calculator"])
    recipe = await make.recipe({"prompt_template": "Reckon", "agent_id": reckoner["id"]}, "Improve: {{step_1}}",
                               "Improve again: {{step_2}}")
    run_id = await client.cook(recipe["template_id"])
    told = await client.follow(run_id)
    assert [event["type"] for event in told].count("tool.finished") == 1
    return {"id": run_id, "told": told}


async def records_of(database: Database, client: Client, run_id: str) -> list[tuple[int, int]]:
    async with database.recording(client.workspace_id) as connection:
        rows = await connection.fetch("SELECT seq, last FROM event_records WHERE stream = $1 ORDER BY seq",
                                      f"run:{run_id}")
    return [(row["seq"], row["last"]) for row in rows]


async def test_a_run_of_three_steps_keeps_seven_thousand_bytes_of_rows(
    database: Database, client: Client, three_steps: dict[str, Any]
) -> None:
    parts: dict[str, int] = {}
    asked = sum(event["type"] == "model.answered" for event in three_steps["told"])

    async def is_whole() -> bool:
        async with database.recording(client.workspace_id) as connection:
            parts.update({row[0]: row[1] for row in await connection.fetch(ROWS, UUID(three_steps["id"]))})
            return await connection.fetchval("SELECT count(*) FROM llm_usage") == asked

    await until(is_whole)
    assert all(parts.values())
    assert sum(parts.values()) <= MOST, parts


async def test_a_run_that_is_over_has_its_events_in_one_row_and_they_are_those_that_were_told(
    database: Database, client: Client, three_steps: dict[str, Any]
) -> None:
    run_id, told = three_steps["id"], three_steps["told"]
    again = await client.follow(run_id)
    page = (await client.get(f"/api/runs/{run_id}/events.json?after=2&limit=5")).json()["items"]
    late = await client.follow(run_id, after=7)
    async with database.recording(client.workspace_id) as connection:
        before = await connection.fetch(EVENTS_BEFORE, f"run:{run_id}", 3, 4, 6, client.workspace_id)

    assert await records_of(database, client, run_id) == [(1, len(told))]
    assert [each["seq"] for each in told] == list(range(1, len(told) + 1))
    assert again == told
    assert late == told[7:]
    assert page == told[2:7]
    assert [(row["seq"], row["type"], orjson.loads(row["data"]), row["created_at"].isoformat()) for row in before] == [
        (each["seq"], each["type"], each["data"], each["at"]) for each in told[3:6]]


async def test_events_of_a_run_that_goes_on_are_read_from_any_place_as_they_were_recorded(
    database: Database, workspace_id: UUID
) -> None:
    """Each record of them is a row; a reader may begin and end in the middle of one."""
    stream, at = f"run:{new_id()}", "2026-01-01 10:20:30.000456+00"
    async with database.recording(workspace_id) as connection:
        for after, count in ((0, 3), (3, 1), (4, 0), (4, 4)):
            await connection.execute(
                "SELECT durable.append_events($1, $2, $3, $4, $5, $6::text::timestamptz)", workspace_id, stream, after,
                [f"t{after + n}" for n in range(1, count + 1)], [f'{{"n": {after + n}}}' for n in range(1, count + 1)],
                at)
        for after in range(9):
            for limit in (1, 3, 100):
                for up_to in (None, 5):
                    found = await events_after(connection, workspace_id, stream, after, limit, up_to)
                    before = await connection.fetch(EVENTS_BEFORE, stream, after, limit, up_to, workspace_id)
                    wanted = list(range(after + 1, (up_to or 8) + 1))[:limit]
                    assert [(each.seq, each.type, orjson.loads(each.data)) for each in found] == [
                        (n, f"t{n}", {"n": n}) for n in wanted]
                    assert [(row["seq"], row["type"], row["created_at"].isoformat()) for row in before] == [
                        (each.seq, each.type, each.at) for each in found]
                    assert {each.at for each in found} <= {"2026-01-01T10:20:30.000456+00:00"}


async def test_large_records_and_a_single_one_are_left_as_they_are_when_the_run_ends(
    database: Database, client: Client, make: Make, model_server: ModelServer
) -> None:
    """They are compressed each by itself; to put them together would write them all again."""
    model_server.script(Reply(text="".join(str(new_id()) for _ in range(700))), match="Write", repeat=True)
    recipe = await make.recipe("Write", "Write: {{step_1}}")
    run_id = await client.cook(recipe["template_id"])
    told = await client.follow(run_id)

    records = await records_of(database, client, run_id)
    assert len(records) > 1
    assert [first for first, _ in records[1:]] == [last + 1 for _, last in records[:-1]]
    assert await client.follow(run_id) == told


async def test_what_agents_runs_begin_with_alike_is_kept_once_in_a_workspace_and_read_whole(
    database: Database, client: Client, stranger: Client, make: Make
) -> None:
    """The same agents in another workspace have a row of their own: nobody learns what others have."""
    found: dict[UUID, set[bytes]] = {}
    for one in (client, stranger):
        recipe = await Make(one).recipe({"prompt_template": "One", "agent_id": (await Make(one).agent("Same"))["id"]})
        for _ in range(3):
            await one.cooked(recipe["template_id"])
        async with database.recording(one.workspace_id) as connection:
            setups = await connection.fetch("SELECT * FROM run_setups")
            found[one.workspace_id] = {row["hash"] for row in setups}
            began = await connection.fetch("SELECT id FROM agent_runs")
            whole = [each for row in began for each in await connection.fetch(OPENING_BEFORE, row["id"])]
            assert await run_input(connection, began[0]["id"]) == whole[0]
        assert [row["opening"]["prompt"] for row in whole] == ["One"] * 3
        assert {row["opening"]["system_prompt"] for row in whole} == {setups[0]["setup"]["system_prompt"]}
        assert set(whole[0]["opening"]) == {"system_prompt", "prompt", "model", "tools", "limits"}
    assert [len(each) for each in found.values()] == [1, 1]


async def test_what_no_run_names_any_more_goes_with_retention_and_what_one_names_or_was_used_lately_stays(
    database: Database, workspace_id: UUID
) -> None:
    async with database.recording(workspace_id) as connection:
        await add_runs(connection, workspace_id, ["named", "forgotten", "lately"])
        runs = {row["opening"]["system_prompt"]: row["execution_id"]
                for row in await connection.fetch("SELECT opening, execution_id FROM agent_runs")}
        await connection.execute("UPDATE run_setups SET used_on = current_date - 9 "
                                 "WHERE setup->>'system_prompt' <> 'lately'")
        await delete_runs(connection, workspace_id, [runs["forgotten"], runs["lately"]])
        await forget_setups(connection, workspace_id)
        left = await prompts(connection)
        await add_runs(connection, workspace_id, ["named", "forgotten"])
        used = await connection.fetchval("SELECT count(*) FROM run_setups WHERE used_on >= current_date - 1")

    assert left == ["lately", "named"]
    assert used == 3


async def prompts(connection: asyncpg.Connection) -> list[str]:
    rows = await connection.fetch("SELECT setup->>'system_prompt' AS prompt FROM run_setups ORDER BY 1")
    return [row["prompt"] for row in rows]


async def add_runs(connection: asyncpg.Connection, workspace_id: UUID, texts: Sequence[str]) -> None:
    """Add a run of an agent for each system prompt, each in a run of its own."""
    for text in texts:
        run_id = new_id()
        await connection.execute(
            "INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, kind, agent_id) "
            "VALUES ($1, $2, 0, 1, 'task', 1)", run_id, workspace_id)
        await connection.execute("SELECT append_runs($1, $2)", workspace_id, dump_json([{
            "id": new_id(), "agent_id": 1, "execution_id": run_id,
            "opening": {"system_prompt": text, "prompt": "p", "model": {}, "tools": [], "limits": {"max_turns": 1}}}]))


async def test_an_upgrade_carries_events_turns_and_beginnings_of_before_over(migrated: Migrated) -> None:
    """Text that was being written had numbers once; they are missing, and stay so."""
    async with new_database(migrated, "automatos_bytes") as url:
        await upgrade_to(url, "0039")
        connection = await asyncpg.connect(url)
        workspace_id, run_id, agent_run = new_id(), new_id(), new_id()
        await connection.execute("INSERT INTO workspaces (id, name, slug) VALUES ($1, 'W', 'w')", workspace_id)
        await connection.execute(
            "INSERT INTO recipe_executions (id, workspace_id, recipe_version, total_steps, kind, agent_id, last_seq) "
            "VALUES ($1, $2, 0, 1, 'task', 1, 9)", run_id, workspace_id)
        for seq in (1, 2, 3, 7, 9):
            await connection.execute(
                "INSERT INTO events (stream, seq, workspace_id, type, data) "
                "VALUES ('run:' || $1::uuid, $2, $3, $4, $5)",
                run_id, seq, workspace_id, f"t{seq}", dump_json({"n": seq}))
        beginning = {"system_prompt": "s", "prompt": "p", "model": {}, "tools": [], "limits": {}}
        await connection.execute(
            "INSERT INTO agent_runs (id, workspace_id, agent_id, execution_id, opening) VALUES ($1, $2, 1, $3, $4)",
            agent_run, workspace_id, run_id, dump_json(beginning))
        await connection.execute(
            "INSERT INTO run_turns (run_id, seq, workspace_id, kind, body) VALUES ($1, 1, $2, 'model', $3), "
            "($1, 2, $2, 'tool', '{\"ok\": true}')", agent_run, workspace_id,
            dump_json({"text": "a", "reasoning": "why", "tool_calls": []}))
        before = await everything(connection, workspace_id, run_id, agent_run)

        await migrate(url)

        assert await everything(connection, workspace_id, run_id, agent_run) == before
        await connection.execute("UPDATE recipe_executions SET finished_at = now() WHERE id = $1", run_id)
        assert await everything(connection, workspace_id, run_id, agent_run) == before
        assert await connection.fetchval("SELECT count(*) FROM event_records") == 3
        await connection.execute("DELETE FROM recipe_executions WHERE id = $1", run_id)
        assert await everything(connection, workspace_id, run_id, agent_run) == ([], None, [])
        await connection.close()


async def everything(
    connection: asyncpg.Connection, workspace_id: UUID, run_id: UUID, agent_run: UUID
) -> tuple[list[tuple[Any, ...]], Any, list[tuple[Any, ...]]]:
    """Return what the version before reads of a run."""
    events = await connection.fetch(EVENTS_BEFORE, f"run:{run_id}", 0, 100, None, workspace_id)
    began = await connection.fetchrow(OPENING_BEFORE, agent_run)
    turns = await connection.fetch("SELECT * FROM run_turns WHERE run_id = $1 ORDER BY seq", agent_run)
    usual = {"left_out": [], "is_estimated": False, "calls_from_text": False, "cache_read_tokens": 0,
             "cache_write_tokens": 0}
    return ([tuple(row) for row in events], began and orjson.loads(began["opening"]), [
        (row["seq"], row["kind"], {name: value for name, value in orjson.loads(row["body"]).items()
                                   if name not in usual or value != usual[name]}) for row in turns])
