"""Every table that refers to an agent says what a deletion does with its rows; a new one without an answer fails."""

from typing import Literal

import pytest

from automatos.kernel.db import Database
from tests.lifecycle.lives import lane, until
from tests.surface import Client, Make

Ends = Literal["gone", "without it", "history"]
ENDS: dict[tuple[str, str], Ends] = {
    ("agent_skills", "agent_id"): "gone",
    ("agent_versions", "agent_id"): "gone",
    ("heartbeats", "agent_id"): "gone",
    ("heartbeat_results", "agent_id"): "gone",
    ("llm_usage", "agent_id"): "without it",
    ("llm_usage_days", "agent_id"): "history",
    ("agent_run_records", "agent_id"): "history",
    ("recipe_executions", "agent_id"): "history",
    ("recipe_execution_steps", "agent_id"): "history",
}
"""What the rows of a deleted agent come to: they go, stay as nobody's, or stay under its number as what happened."""

REFERENCES = """
SELECT r.relname, a.attname FROM pg_constraint c
JOIN pg_class r ON r.oid = c.conrelid JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey)
WHERE c.contype = 'f' AND c.confrelid = 'agents'::regclass AND a.attname <> 'workspace_id'
UNION
SELECT r.relname, a.attname FROM pg_class r JOIN pg_namespace n ON n.oid = r.relnamespace
JOIN pg_attribute a ON a.attrelid = r.oid
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition AND n.nspname IN ('public', 'durable') AND a.attnum > 0
      AND NOT a.attisdropped AND a.attname ~ '(^|_)agent_ids?$'
"""


async def references(database: Database) -> set[tuple[str, str]]:
    """Every column that refers to an agent, by a foreign key or by its name."""
    async with database.recording(None) as connection:
        return {(row[0], row[1]) for row in await connection.fetch(REFERENCES)}


async def rows_of(database: Database, client: Client, agent_id: int) -> dict[tuple[str, str], int]:
    async with database.recording(client.workspace_id) as connection:
        count = "SELECT count(*) FROM {} WHERE {} = $1"
        return {place: int(await connection.fetchval(count.format(*place), agent_id)) for place in ENDS}


async def busy_agent(client: Client, make: Make) -> int:
    """Make an agent of which every package holds something: it has a skill, has checked in, and worked for a recipe."""
    skill = await client.post("/api/skills", json={
        "name": "known-thing", "description": "Knows a thing.", "content": "Know it."})
    assert skill.status == 201, skill.body
    agent_id: int = (await make.agent(skill_ids=[skill.json()["id"]]))["id"]
    recipe = await make.recipe({"agent_id": agent_id, "prompt_template": "Work"})
    assert (await client.cooked(recipe["template_id"]))["status"] == "completed"
    assert (await client.put(f"/api/heartbeat/agents/{agent_id}/config", json={"enabled": True})).status == 200
    assert (await client.post(f"/api/heartbeat/agents/{agent_id}/run")).status == 202

    async def last() -> str:
        return str((await client.get(f"/api/heartbeat/agents/{agent_id}/last")).json()["status"])

    assert await until(last, lambda status: status != "running") == "success"
    return agent_id


async def test_every_table_that_refers_to_agents_has_an_answer(database: Database) -> None:
    assert await references(database) == set(ENDS)


@pytest.mark.capability("S212", partly="Workflows, memories and evaluations of agents do not exist yet.")
async def test_a_deleted_agent_is_forgotten_by_every_room_as_it_says(
    client: Client, make: Make, database: Database
) -> None:
    agent_id = await busy_agent(client, make)

    async def held() -> dict[tuple[str, str], int]:
        return await rows_of(database, client, agent_id)

    before = await until(held, lambda rows: all(rows.values()))  # calls are accounted for a moment after they were made
    calls = before[("llm_usage", "agent_id")]
    token = (await client.get(f"/api/agents/{agent_id}/deletion")).json()["impact_token"]
    answer = await client.delete(f"/api/agents/{agent_id}", params={"cascade": "true", "impact_token": token})
    assert answer.status == 204, answer.body

    after = await held()
    assert {place: count for place, count in after.items() if ENDS[place] != "history" and count} == {}
    assert {place: after[place] for place, ends in ENDS.items() if ends == "history"} == {
        place: before[place] for place, ends in ENDS.items() if ends == "history"}
    async with database.recording(client.workspace_id) as connection:
        assert await connection.fetchval("SELECT count(*) FROM llm_usage WHERE agent_id IS NULL") == calls
    assert await lane(database, agent_id) is None


async def test_agents_beside_a_deleted_one_keep_what_is_theirs(client: Client, make: Make, database: Database) -> None:
    kept, gone = [(await make.agent())["id"] for _ in range(2)]
    for agent_id in (kept, gone):
        saved = await client.put(f"/api/heartbeat/agents/{agent_id}/config", json={"interval_minutes": 90})
        assert saved.status == 200, saved.body
    before = await rows_of(database, client, kept)

    assert (await client.delete(f"/api/agents/{gone}")).status == 204

    assert await rows_of(database, client, kept) == before
    assert before[("heartbeats", "agent_id")] == 1
