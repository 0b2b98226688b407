"""The personas that come with the product."""

import re

import pytest

from automatos.kernel.db import Database, Scope
from automatos.personas.seed import seed_personas, seeds
from tests.personas.conftest import Write
from tests.surface import Client

SEEDED = {
    "Engineering": ["Senior Engineer", "DevOps Architect", "Security Engineer", "QA Engineer"],
    "Sales": ["Sales Executive", "SDR", "Account Manager", "Sales Engineer"],
    "Marketing": ["Marketing Strategist", "Content Creator", "Growth Hacker", "Brand Manager"],
    "Support": ["Customer Success Manager", "Technical Support", "Community Manager", "Product Specialist"],
}


@pytest.mark.capability("S055")
async def test_sixteen_personas_of_four_categories_are_there(client: Client) -> None:
    items = (await client.get("/api/personas?scope=global")).json()["items"]

    found: dict[str, list[str]] = {}
    for item in items:
        found.setdefault(item["category"], []).append(item["name"])
    assert {category: sorted(names) for category, names in found.items()} == {
        category: sorted(names) for category, names in SEEDED.items()}


@pytest.mark.capability("S055")
@pytest.mark.parametrize("seed", seeds(), ids=lambda seed: seed["slug"])
def test_each_has_a_detailed_prompt_of_its_own(seed: dict[str, object]) -> None:
    prompt = str(seed["system_prompt"])

    assert 150 <= len(prompt.split()) <= 400
    assert all(part in prompt for part in ("How you think", "How you work", "Tone", "Boundaries", "What you give"))
    assert seed["voice_description"]
    assert seed["description"]
    assert seed["tags"]
    assert 0 < float(str(seed["suggested_temperature"])) <= 1
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", str(seed["slug"]))


def test_no_two_say_the_same() -> None:
    sentences = [line.strip() for seed in seeds() for line in seed["system_prompt"].splitlines() if len(line) > 40]
    assert len(sentences) == len(set(sentences))


async def test_seeding_again_changes_nothing_and_leaves_a_workspaces_own_alone(
    client: Client, database: Database, write: Write
) -> None:
    own = await write("Senior Engineer", system_prompt="Ours.")
    before = (await client.get("/api/personas")).json()

    await seed_personas(database)

    assert (await client.get("/api/personas")).json() == before
    assert own["slug"] == "senior-engineer"
    assert own in before["items"]


async def test_a_persona_of_an_older_release_is_brought_up_to_date(client: Client, database: Database) -> None:
    async with database.recording(None, Scope.ENGINE) as connection:
        await connection.execute("UPDATE personas SET system_prompt = 'Old.' WHERE slug = 'sdr' AND scope = 'global'")
    old = (await client.get("/api/personas?search=sdr")).json()["items"][0]

    await seed_personas(database)

    new = (await client.get("/api/personas?search=sdr")).json()["items"][0]
    assert old["system_prompt"] == "Old."
    assert (new["id"], new["version"]) == (old["id"], old["version"] + 1)
    assert new["system_prompt"].startswith("You are a sales development representative.")


async def test_no_workspace_can_write_a_global_row(client: Client, database: Database) -> None:
    async with database.recording(client.workspace_id) as connection:
        changed = await connection.execute("UPDATE personas SET name = 'Mine' WHERE scope = 'global'")
        gone = await connection.execute("DELETE FROM personas WHERE scope = 'global'")
    assert (changed, gone) == ("UPDATE 0", "DELETE 0")
