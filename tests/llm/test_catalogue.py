"""The catalogue of models: filtered by everybody, changed by system admins, priced from within seconds."""

from typing import Any

import aiohttp
import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.seed import seed_models, shipped_models
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make
from tests.tenancy.world import new_person


@pytest.fixture(autouse=True)
async def _catalogue(database: Database) -> None:
    await seed_models(database)


@pytest.fixture
async def root(http: aiohttp.ClientSession, database: Database) -> Client:
    person = await new_person(http, database, "root", system_role="admin")
    return await person.at(person.home)


@pytest.fixture
def model_server(shared_model_server: ModelServer) -> ModelServer:
    """The model server that the running application asks."""
    shared_model_server.reset()
    return shared_model_server


def entry(**fields: Any) -> dict[str, Any]:
    return {"provider": "openai", "model_id": f"own-{new_id().hex}"} | fields


async def ids(client: Client, **query: str) -> set[str]:
    answer = await client.get("/api/models", params=query)
    assert answer.status == 200, answer.body
    assert answer.json()["total"] == len(answer.json()["items"])
    return {model["model_id"] for model in answer.json()["items"]}


@pytest.mark.capability("S035")
async def test_the_list_is_filtered_by_provider_capability_status_and_words(client: Client, root: Client) -> None:
    beta = (await root.post("/api/models/catalogue", json=entry(status="beta", capabilities={"poetry": "high"}))).json()

    assert await ids(client, provider="anthropic", search="HAIKU") == {"claude-haiku-5-5", "claude-haiku-4-5"}
    assert "mistral-large-4" not in await ids(client, capability="vision")
    assert await ids(client, capability="poetry") == set()
    assert await ids(client, capability="poetry", status="all") == {beta["model_id"]}
    assert beta["model_id"] in await ids(client, status="beta")
    assert await ids(client, search="100%_sure") == set()
    assert (await client.get("/api/models?status=gone")).status == 422


@pytest.mark.capability("S035")
async def test_an_entry_shows_what_choosing_needs(client: Client) -> None:
    models = (await client.get("/api/models?provider=anthropic&search=sonnet-4-5")).json()["items"]

    (model,) = models
    assert (model["context_window"], model["max_output_tokens"], model["max_temperature"]) == (200000, 64000, 1.0)
    assert (model["input_cost_per_1k"], model["output_cost_per_1k"]) == ("0.003", "0.015")
    assert model["capabilities"]["coding"] == "high"
    assert "coding" in model["recommended_for"]
    assert (await client.get(f"/api/models/catalogue/{model['id']}")).json() == model


async def test_a_system_admin_adds_changes_and_deletes_and_everybody_sees_it(root: Client, client: Client) -> None:
    made = await root.post("/api/models/catalogue", json=entry(
        input_cost_per_1k="0.5", output_cost_per_1k=1, max_output_tokens=100, release_date="2026-01-31"))
    path = f"/api/models/catalogue/{made.json()['id']}"
    changed = await root.put(path, json={"display_name": "Own", "output_cost_per_1k": None, "status": "deprecated"})
    seen = await client.get(path)
    deleted = await root.delete(path)

    assert (made.status, made.json()["display_name"], made.json()["version"]) == (201, made.json()["model_id"], 1)
    assert (changed.status, deleted.status, (await client.get(path)).code) == (200, 204, "model_entry_not_found")
    assert (seen.json()["display_name"], seen.json()["output_cost_per_1k"], seen.json()["input_cost_per_1k"]) == (
        "Own", None, "0.5")
    assert (seen.json()["version"], seen.json()["status"]) == (2, "deprecated")
    assert seen.json()["updated_by"]
    audit = [(e["action"], e["detail"]) for e in (await root.get("/api/audit?action=model")).json()["items"]]
    assert [action for action, _ in audit] == ["model.deleted", "model.updated", "model.created"]
    assert (audit[1][1]["old"]["status"], audit[1][1]["new"]["status"]) == ("active", "deprecated")


async def test_nobody_else_may_change_it(client: Client) -> None:
    model = (await client.get("/api/models")).json()["items"][0]
    path = f"/api/models/catalogue/{model['id']}"

    for answer in (await client.post("/api/models/catalogue", json=entry()),
                   await client.put(path, json={"display_name": "Mine"}), await client.delete(path)):
        assert (answer.status, answer.code) == (403, "system_admin_required")
    assert (await client.get(path)).json() == model


@pytest.mark.parametrize(("body", "status", "code"), [
    (entry(provider="opnai"), 422, "unknown_provider"),
    (entry(model_id="gpt-4.1"), 409, "model_entry_taken"), (entry(input_cost_per_1k="-1"), 422, "invalid_request"),
    (entry(min_temperature=1, default_temperature=0.5), 422, "invalid_request"),
    (entry(capabilities={"x": "huge"}), 422, "invalid_request"), (entry(context_window=0), 422, "invalid_request"),
    (entry(version=7), 422, "invalid_request"), (entry(input_cost_per_1k="1e400"), 422, "invalid_request"),
])
async def test_an_entry_that_cannot_be_is_refused(root: Client, body: dict[str, Any], status: int, code: str) -> None:
    answer = await root.post("/api/models/catalogue", json=body)

    assert (answer.status, answer.code) == (status, code)


async def test_a_change_that_contradicts_the_entry_changes_nothing(root: Client) -> None:
    made = (await root.post("/api/models/catalogue", json=entry())).json()
    path = f"/api/models/catalogue/{made['id']}"

    for change in ({"max_temperature": 0.1}, {"display_name": None}, {"min_temperature": 1.5}):
        assert (await root.put(path, json=change)).code == "model_entry_invalid"
    assert (await root.get(path)).json() == made


async def test_what_came_with_the_server_is_switched_off_not_deleted_and_stays_off(
    root: Client, database: Database
) -> None:
    (model,) = (await root.get("/api/models?provider=xai&search=grok-4.7")).json()["items"]
    path = f"/api/models/catalogue/{model['id']}"

    refused = await root.delete(path)
    await root.put(path, json={"status": "inactive", "recommended_for": ["poetry"]})
    await seed_models(database)
    after = (await root.get(path)).json()
    await root.put(path, json={"status": "active"})

    assert (refused.status, refused.code) == (409, "model_entry_shipped")
    assert (after["status"], after["recommended_for"]) == ("inactive", ["poetry"])


async def test_a_new_release_brings_entries_up_to_date_that_nobody_changed(database: Database) -> None:
    async with database.recording(None) as connection:
        await connection.execute("UPDATE llm_models SET recommended_for = '[]', capabilities = '{}' "
                                 "WHERE model_id = 'gpt-4.1-mini'")
        await seed_models(database)
        before = await connection.fetchrow("SELECT xmin::text, * FROM llm_models WHERE model_id = 'gpt-4.1-mini'")
        await seed_models(database)
        after = await connection.fetchrow("SELECT xmin::text, * FROM llm_models WHERE model_id = 'gpt-4.1-mini'")

    assert before["recommended_for"] == ["summarization", "classification"]
    assert before == after


def test_every_shipped_entry_can_be_ranked() -> None:
    for row in shipped_models():
        assert row["provider"] == "demo" or (row["capabilities"] and row["recommended_for"]), row["model_id"]


@pytest.mark.capability("S152")
async def test_a_changed_price_counts_with_the_next_call(
    root: Client, client: Client, make: Make, model_server: ModelServer
) -> None:
    name = entry()["model_id"]
    agent = await make.agent(model_config={"provider": "openai", "model_id": name})
    recipe = await make.recipe({"prompt_template": "Hello", "agent_id": agent["id"]})
    model_server.script(Reply(text="Hi", usage=(1000, 1000)), repeat=True, match="Hello")
    before = await client.cooked(recipe["template_id"])

    made = await root.post("/api/models/catalogue", json=entry(
        model_id=name, input_cost_per_1k="0.25", output_cost_per_1k="0.5"))
    after = await client.cooked(recipe["template_id"])

    assert made.status == 201, made.body
    assert (before["cost_usd"], after["cost_usd"]) == (None, "0.750000")
