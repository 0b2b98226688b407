"""Patterns of a workspace: made, changed and removed there, seen nowhere else, and their words in a task's prompt."""

from typing import Any

import pytest

from automatos.kernel.db import Database
from automatos.skills.seed import seed_patterns
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make, add_key

BASE = "/api/patterns"
RELAY = {
    "name": "Relay race", "pattern_type": "coordination", "description": "Each hands on what it has.",
    "pattern_data": {"roles": {"runner": "does one leg"}, "steps": ["run", "hand on"], "is_timed": True, "legs": 4},
}
WORDS = """## Relay race (coordination)
Each hands on what it has.
- roles:
  - runner: does one leg
- steps: run, hand on
- is timed: true
- legs: 4"""


@pytest.fixture(autouse=True)
async def _seeded(database: Database) -> None:
    """As every server is after its start."""
    await seed_patterns(database)


async def made(client: Client, **changes: Any) -> dict[str, Any]:
    answer = await client.post(BASE, json=RELAY | changes)
    assert answer.status == 201, answer.body
    assert answer.headers["Location"] == f"{BASE}/{answer.json()['slug']}"
    return answer.json()


@pytest.mark.capability("S062")
@pytest.mark.parametrize("kind", ["coordination", "communication", "decision"])
async def test_a_workspace_keeps_patterns_of_its_own_beside_those_of_the_product(
    client: Client, stranger: Client, kind: str
) -> None:
    own = await made(client, pattern_type=kind)

    assert {name: own[name] for name in RELAY} == RELAY | {"pattern_type": kind}
    assert (own["slug"], own["scope"], own["version"]) == ("relay-race", "workspace", 1)
    assert (await client.get(f"{BASE}/relay-race")).json() == own
    seen = (await client.get(f"{BASE}?pattern_type={kind}")).json()
    assert own in seen["items"]
    assert seen["total"] == 4
    assert own["slug"] not in [one["slug"] for one in (await stranger.get(BASE)).json()["items"]]
    assert (await stranger.get(f"{BASE}/relay-race")).code == "pattern_not_found"
    assert (await stranger.put(f"{BASE}/relay-race", json={"name": "Mine"})).code == "pattern_not_found"
    assert (await stranger.delete(f"{BASE}/relay-race")).code == "pattern_not_found"


async def test_a_change_is_a_version_and_of_two_who_save_one_is_told(client: Client) -> None:
    await made(client)
    path = f"{BASE}/relay-race"

    same = await client.put(path, json=RELAY)
    saved = await client.put(path, json={"description": "Faster."}, headers={"If-Match": same.headers["ETag"]})
    stale = await client.put(path, json={"description": "Slower."}, headers={"If-Match": same.headers["ETag"]})

    assert (same.json()["version"], saved.json()["version"], saved.json()["description"]) == (1, 2, "Faster.")
    assert (stale.status, stale.json()["current"]["description"]) == (412, "Faster.")
    assert (await client.delete(path)).status == 204
    assert (await client.get(path)).code == "pattern_not_found"


async def test_two_of_one_name_and_one_named_as_the_products_are_told_apart(client: Client) -> None:
    first, second, third = await made(client), await made(client), await made(client, name="Load balancing")

    assert first["slug"] == "relay-race"
    assert second["slug"].startswith("relay-race-")
    assert third["slug"].startswith("load-balancing-")
    assert (await client.get(f"{BASE}/load-balancing")).json()["scope"] == "global"


async def test_those_of_the_product_are_changed_by_nobody_and_viewers_change_none(
    client: Client, database: Database
) -> None:
    key = await add_key(database, client.workspace_id, "viewer")
    viewer = Client(client.http, client.workspace_id, {"X-API-Key": key})
    before = (await client.get(f"{BASE}/load-balancing")).json()

    assert (await client.put(f"{BASE}/load-balancing", json={"name": "Mine"})).code == "pattern_is_global"
    assert (await client.delete(f"{BASE}/load-balancing")).code == "pattern_is_global"
    assert (await viewer.post(BASE, json=RELAY)).status == 403
    assert (await client.get(f"{BASE}/load-balancing")).json() == before


def nested(depth: int) -> Any:
    return {"a": nested(depth - 1)} if depth else "x"


@pytest.mark.parametrize(("field", "value"), [
    ("name", " "), ("name", "a\nb"), ("name", "x" * 201), ("pattern_type", "magic"), ("pattern_data", ["a"]),
    ("pattern_data", {"a": "x" * 50_001}), ("pattern_data", nested(9)), ("slug", "mine"), ("description", "x" * 4001),
])
async def test_what_does_not_fit_is_refused_by_its_name(client: Client, field: str, value: Any) -> None:
    refused = await client.post(BASE, json=RELAY | {field: value})

    assert (refused.status, field in refused.body.decode()) == (422, True)
    assert (await client.get(BASE)).json()["total"] == 9


@pytest.mark.capability("S062")
async def test_a_task_is_given_the_words_of_a_pattern(client: Client, make: Make, model_server: ModelServer) -> None:
    own = await made(client)
    agent = await make.agent()
    model_server.script(Reply(text="done"), repeat=True)
    path = f"/api/agents/{agent['id']}/execute"

    started = await client.post(path, json={"prompt": "Carry the news.", "pattern_slug": "relay-race"})
    await client.follow(started.json()["execution_id"])

    assert own["prompt"] == WORDS
    assert f"Carry the news.\n\n{WORDS}" in model_server.calls[-1].last_user_text
    absent = await client.post(path, json={"prompt": "Carry on.", "pattern_slug": "nope"})
    assert (absent.status, absent.code) == (404, "pattern_not_found")
