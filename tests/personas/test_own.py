"""A workspace's own personas: written, changed, deleted; and what is refused."""

from typing import Any

import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.personas.service import slug_of
from tests.personas.conftest import Write
from tests.surface import Client, Make


def home(client: Client, persona_id: object = "") -> str:
    return f"/api/workspaces/{client.workspace_id}/personas" + (f"/{persona_id}" if persona_id else "")


async def audit(database: Database, client: Client) -> list[tuple[str, dict[str, Any]]]:
    async with database.recording(client.workspace_id) as connection:
        rows = await connection.fetch("SELECT action, detail FROM audit_log WHERE target_type = 'persona' ORDER BY id")
    return [(row["action"], row["detail"]) for row in rows]


async def test_a_persona_is_written_changed_and_deleted(client: Client, database: Database) -> None:
    body = {"name": " Käpt'n Blaubär ", "description": "Spins yarns.", "system_prompt": "You spin yarns.",
            "voice_description": "Salty.", "category": "Seafaring", "tags": ["Sea, SHIP", "sea"],
            "suggested_temperature": 1.25, "suggested_models": ["openai:gpt-x", "openai:gpt-x"]}

    made = await client.post(home(client), json=body)
    one = made.json()
    changed = await client.put(home(client, one["id"]), json={"system_prompt": "Short.", "suggested_temperature": None})
    same = await client.put(home(client, one["id"]), json={"system_prompt": "Short."})
    gone = await client.delete(home(client, one["id"]))

    assert made.status == 201
    assert (made.headers["Location"], made.headers["ETag"]) == (f"/api/personas/{one['id']}", '"1"')
    assert (one["name"], one["slug"], one["tags"]) == ("Käpt'n Blaubär", "kapt-n-blaubar", ["sea", "ship"])
    assert (one["suggested_temperature"], one["suggested_models"]) == (1.25, ["openai:gpt-x"])
    assert (one["source"], one["version"], one["created_by"]) == ("manual", 1, "API key test")
    assert (changed.status, changed.headers["ETag"], changed.json()["slug"]) == (200, '"2"', one["slug"])
    assert (changed.json()["system_prompt"], changed.json()["suggested_temperature"]) == ("Short.", None)
    assert (same.json()["version"], gone.status) == (2, 204)
    assert (await client.get(f"/api/personas/{one['id']}")).status == 404
    assert await audit(database, client) == [
        ("persona.created", {"name": one["name"], "slug": one["slug"]}),
        ("persona.updated", {"name": one["name"], "slug": one["slug"],
                             "fields": ["suggested_temperature", "system_prompt"]}),
        ("persona.deleted", {"name": one["name"], "slug": one["slug"], "agents_left_without": 0}),
    ]


async def test_names_may_repeat_and_slugs_stay_apart(client: Client, stranger: Client, write: Write) -> None:
    slugs = [(await write("Night Owl"))["slug"] for _ in range(3)]

    assert slugs[0] == "night-owl"
    assert len(set(slugs)) == 3
    assert all(slug.startswith("night-owl-") and len(slug) == 18 for slug in slugs[1:])
    other = await stranger.post(home(stranger), json={"name": "Night Owl", "system_prompt": "Hoot."})
    assert other.json()["slug"] == "night-owl"


@pytest.mark.parametrize(("name", "slug"), [
    ("Senior Engineer", "senior-engineer"), ("  --A__b  C!! ", "a-b-c"), ("Éva's №1", "eva-s-no1"),
    ("提督", "persona"), ("x" * 200, "x" * 100), ("a" * 99 + " b", "a" * 99),
])
def test_a_slug_is_the_name_in_plain_letters(name: str, slug: str) -> None:
    assert slug_of(name) == slug


async def test_saving_over_somebody_elses_change_is_refused_with_what_is_stored(client: Client, write: Write) -> None:
    one = await write()
    await client.put(home(client, one["id"]), json={"name": "Corsair"}, headers={"If-Match": '"1"'})

    late = await client.put(home(client, one["id"]), json={"name": "Buccaneer"}, headers={"If-Match": '"1"'})

    assert (late.status, late.code) == (412, "stale_edit")
    assert (late.json()["current"]["name"], late.json()["current"]["version"]) == ("Corsair", 2)
    assert (await client.get(f"/api/personas/{one['id']}")).json()["name"] == "Corsair"


@pytest.mark.capability("S052")
async def test_global_personas_are_nobodys_to_change(client: Client) -> None:
    shipped = (await client.get("/api/personas?search=technical+support")).json()["items"][0]

    changed = await client.put(home(client, shipped["id"]), json={"name": "Mine"})
    deleted = await client.delete(home(client, shipped["id"]))

    for answer in (changed, deleted):
        assert (answer.status, answer.code) == (403, "persona_is_global")
        assert "Make a persona of this workspace" in answer.json()["detail"]
    assert (await client.get(f"/api/personas/{shipped['id']}")).json() == shipped


async def test_a_foreign_persona_is_absent(client: Client, stranger: Client, write: Write) -> None:
    one = await write()

    for persona_id in (one["id"], new_id()):
        changed = await stranger.put(home(stranger, persona_id), json={"name": "Mine"})
        deleted = await stranger.delete(home(stranger, persona_id))
        assert (changed.status, changed.code) == (deleted.status, deleted.code) == (404, "persona_not_found")
    for path in (home(client), home(client, one["id"])):
        answer = await stranger.send("PUT" if one["id"] in path else "POST", path, json={"name": "Mine"})
        assert (answer.status, answer.code) == (403, "not_a_member")
    assert (await client.get(f"/api/personas/{one['id']}")).json() == one


async def test_viewers_write_nothing(viewer: Client, write: Write) -> None:
    one = await write()

    answers = [
        await viewer.post(home(viewer), json={"name": "A", "system_prompt": "B"}),
        await viewer.put(home(viewer, one["id"]), json={"name": "A"}),
        await viewer.delete(home(viewer, one["id"])),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(403, "role_too_low")] * 3


GOOD = {"name": "A", "system_prompt": "B"}


@pytest.mark.parametrize("fault", [
    {"name": ""}, {"name": "  "}, {"name": "a\nb"}, {"name": "x" * 201}, {"name": None},
    {"system_prompt": ""}, {"system_prompt": " \n"}, {"system_prompt": "x" * 100_001},
    {"voice_description": "x" * 501}, {"category": ""}, {"category": "x" * 101}, {"tags": "a"}, {"tags": [1]},
    {"tags": [f"t{n}" for n in range(51)]},
    {"tags": [",".join(map(chr, range(97 + n, 120 + n))) for n in (0, 100, 200)]},
    {"suggested_temperature": 2.01}, {"suggested_temperature": -0.1}, {"suggested_temperature": "0.5"},
    {"suggested_temperature": True}, {"suggested_models": ["x" * 201]}, {"suggested_models": ["a"] * 21},
    {"is_active": "yes"}, {"is_active": None}, {"scope": "global"}, {"slug": "mine"},
    {"workspace_id": "00000000-0000-7000-8000-000000000000"},
], ids=lambda fault: str(fault)[:40])
async def test_what_does_not_fit_is_refused_by_its_name_and_leaves_nothing(
    client: Client, write: Write, fault: dict[str, Any]
) -> None:
    one = await write()

    for answer in (await client.post(home(client), json=GOOD | fault),
                   await client.put(home(client, one["id"]), json=fault)):
        assert answer.status == 422, answer.body
        assert answer.code in {"invalid_request", "read_only_field"}
        assert next(iter(fault)) in answer.body.decode()
    assert (await client.get("/api/personas?scope=workspace")).json()["items"] == [one]


@pytest.mark.parametrize(("text", "reason"), [("a\x00b", "a NUL character"), ("a\ud800", "a lone surrogate")])
async def test_text_that_cannot_be_stored_is_refused(client: Client, text: str, reason: str) -> None:
    answer = await client.post(home(client), json=GOOD | {"system_prompt": text})

    assert (answer.status, answer.code) == (422, "invalid_request")
    assert reason in answer.body.decode()


async def test_ids_that_are_none_are_refused(client: Client) -> None:
    for path in ("/api/personas/7", "/api/personas/..%2f..", home(client, "x")):
        answer = await client.send("PUT" if "workspaces" in path else "GET", path, json={})
        assert answer.status in {404, 422}, answer.body


@pytest.mark.capability("S009")
async def test_people_see_how_many_agents_a_deletion_leaves_without_a_persona(
    client: Client, stranger: Client, make: Make, write: Write, database: Database
) -> None:
    one = await write()
    shared = (await client.get("/api/personas?search=technical+support")).json()["items"][0]
    ada = await make.agent(persona_id=one["id"], active=False)
    bob = await make.agent(
        persona_id=one["id"], custom_persona_prompt="Own words.", use_custom_persona=True, active=False)
    await make.agent(persona_id=shared["id"], active=False)

    counted = (await client.get(f"/api/personas/{one['id']}")).json()["agents_count"]
    deleted = await client.delete(home(client, one["id"]))

    assert (counted, deleted.status) == (2, 204)
    assert (await client.get(f"/api/personas/{shared['id']}")).json()["agents_count"] == 1
    assert (await stranger.get(f"/api/personas/{shared['id']}")).json()["agents_count"] == 0
    for agent in (ada, bob):
        assert (await client.get(f"/api/agents/{agent['id']}")).json()["persona_id"] is None
    assert (await audit(database, client))[-1][1]["agents_left_without"] == 2
