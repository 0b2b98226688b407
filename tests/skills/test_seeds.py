"""The skills and patterns that come with the product: sound, everybody's to read, nobody's to change."""

from importlib.resources import files
from pathlib import Path

import pytest
from skills_ref import validate

from automatos.kernel.db import Database, Scope
from automatos.skills.seed import seed_patterns, seed_skills, seeds
from tests.surface import Client, Make

FOLDER = Path(str(files("automatos.skills").joinpath("seeds")))


@pytest.fixture(autouse=True)
async def _seeded(database: Database) -> None:
    """As every server is after its start."""
    await seed_skills(database)
    await seed_patterns(database)


@pytest.mark.parametrize("name", [package.name for package in seeds()])
def test_each_passes_the_reference_validator_and_is_worth_its_place(name: str) -> None:
    assert validate(FOLDER / name) == []
    package = next(one for one in seeds() if one.name == name)
    assert 150 <= len(package.body.split()) <= 400
    assert "Use " in package.description
    for path in package.files:
        assert path == "tools.json" or path in package.body or path.startswith("scripts/")


def test_four_fields_of_work_have_three_each() -> None:
    found = [package.category for package in seeds()]
    assert {name: found.count(name) for name in set(found)} == {
        "development": 3, "security": 3, "infrastructure": 3, "analytics": 3}


async def test_everybody_has_them_and_nobody_can_change_them(client: Client, make: Make) -> None:
    listed = (await client.get("/api/skills?source=seed&limit=200")).json()
    assert (listed["total"], {skill["workspace_id"] for skill in listed["items"]}) == (12, {None})
    review = next(skill for skill in listed["items"] if skill["name"] == "code-review")
    at = f"/api/skills/{review['id']}"

    assert "# Code review" in (await client.get(f"{at}/content")).json()["content"]
    assert (await client.get(f"{at}/content?level=3&resource_path=references/checklist.md")).status == 200
    answers = [await client.put(at, json={"content": "x"}), await client.put(at, json={"is_active": False}),
               await client.delete(f"{at}?force=true"), await client.post(f"{at}/versions/1/restore")]
    assert {(answer.status, answer.code) for answer in answers} == {(403, "skill_read_only")}
    agent = await make.agent(active=False)
    assert (await client.post(f"/api/agents/{agent['id']}/skills", json={"skill_ids": [review["id"]]})).status == 200
    assert (await client.get(at)).json()["agents_count"] == 1


async def test_a_workspace_may_have_a_skill_of_the_same_name(client: Client) -> None:
    answer = await client.post("/api/skills", json={"name": "code-review", "description": "Ours.", "content": "Ours."})
    assert answer.status == 201
    both = (await client.get("/api/skills?search=code-review")).json()["items"]
    assert len({skill["workspace_id"] for skill in both if skill["name"] == "code-review"}) == 2


async def test_seeding_again_changes_nothing_and_mends_what_differs(database: Database, client: Client) -> None:
    before = (await client.get("/api/skills?source=seed&limit=200")).json()["items"]
    await seed_skills(database)
    await seed_patterns(database)
    assert (await client.get("/api/skills?source=seed&limit=200")).json()["items"] == before

    async with database.recording(None, Scope.ENGINE) as connection:
        await connection.execute(
            "UPDATE skills SET description = 'old', skill_metadata = '{}' WHERE workspace_id IS NULL AND name = $1",
            "metric-report")
    await seed_skills(database)
    after = {skill["name"]: skill for skill in (await client.get("/api/skills?source=seed&limit=200")).json()["items"]}
    assert after["metric-report"]["current_version"] == before[
        [skill["name"] for skill in before].index("metric-report")]["current_version"] + 1
    assert after["metric-report"]["description"].startswith("Turns numbers")
    assert len(after) == 12


@pytest.mark.capability("S062")
async def test_patterns_of_three_kinds_can_be_browsed(client: Client) -> None:
    whole = (await client.get("/api/skills/patterns")).json()
    kinds = [pattern["pattern_type"] for pattern in whole["items"]]

    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"coordination": 3, "communication": 3, "decision": 3}
    named = {pattern["name"] for pattern in whole["items"]}
    assert named >= {"Multi-agent coordination", "Error recovery", "Load balancing", "Pipeline processing",
                     "Consensus decision"}
    consensus = (await client.get("/api/skills/patterns/consensus-decision")).json()
    assert (consensus["pattern_data"]["method"], consensus["pattern_data"]["threshold"]) == ("majority", 0.7)
    assert (await client.get("/api/skills/patterns?pattern_type=decision")).json()["total"] == 3
    assert (await client.get("/api/skills/patterns/nope")).code == "pattern_not_found"
    assert (await client.get("/api/skills/patterns?pattern_type=magic")).status == 422
