"""Recipes: create, list, change, remove, versions; and what comes with them in the database."""

import asyncio
from typing import Any

import pytest

from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make

BASE = "/api/workflow-recipes"


def body_of(recipe: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a recipe as a PUT takes it."""
    keep = ("name", "description", "tags", "inputs", "outputs", "execution_config")
    steps = [{name: value for name, value in step.items() if name != "agent"} for step in recipe["steps"]]
    return {name: recipe[name] for name in keep} | {"steps": steps} | changes


async def test_a_new_recipe_is_complete_and_found_again(client: Client, make: Make) -> None:
    agent = await make.agent("Writer")
    created = await make.recipe(
        {"agent_id": agent["id"], "prompt_template": "Write about {input.topic}"},
        {"agent_id": agent["id"], "prompt_template": "Edit {step_1}", "output_key": "final"},
        template_id="digest", name="Digest", tags=["News", "news ", "daily"],
        inputs={"topic": {"type": "string", "required": True}},
    )

    answer = await client.get(f"{BASE}/digest")

    assert answer.json() == created
    assert answer.headers["ETag"] == '"1"'
    assert created["version"] == 1
    assert created["tags"] == ["news", "daily"]
    assert [step["output_key"] for step in created["steps"]] == ["step_1", "final"]
    assert created["steps"][0]["agent"] == {"id": agent["id"], "name": "Writer", "status": "active"}
    assert (created["use_count"], created["last_run"]) == (0, None)


async def test_steps_are_kept_in_their_order_however_they_are_written(client: Client, make: Make) -> None:
    recipe = await make.recipe({"prompt_template": "Second {a}", "order": 2, "step_id": "two"},
                               {"prompt_template": "First", "order": 1, "step_id": "one", "output_key": "a"})

    assert [step["step_id"] for step in recipe["steps"]] == ["one", "two"]


async def test_the_list_is_searched_filtered_and_paged(client: Client, make: Make) -> None:
    for name, tag in (("Alpha digest", "news"), ("Beta digest", "sport"), ("100% gamma", "news")):
        await make.recipe("Say hello", name=name, tags=[tag])

    async def names(**query: Any) -> tuple[list[str], int]:
        page = (await client.get(BASE, params=query)).json()
        return [item["name"] for item in page["items"]], page["total"]

    assert await names() == (["100% gamma", "Beta digest", "Alpha digest"], 3)
    assert await names(search="digest") == (["Beta digest", "Alpha digest"], 2)
    assert await names(search="0%") == (["100% gamma"], 1)
    assert await names(tag="news") == (["100% gamma", "Alpha digest"], 2)
    assert await names(skip=1, limit=1) == (["Beta digest"], 3)


async def test_a_list_shows_how_each_recipe_last_ended(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("Say hello")
    run = await client.cooked(recipe["template_id"])

    item = (await client.get(BASE)).json()["items"][0]

    assert item["use_count"] == 1
    assert item["last_run"] == {"id": run["id"], "status": "completed", "finished_at": run["finished_at"]}


async def test_every_change_is_a_version_and_an_unchanged_save_is_none(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say hello", template_id="versions")

    changed = await client.put(f"{BASE}/versions", json=body_of(recipe, name="Renamed"))
    same = await client.put(f"{BASE}/versions", json=body_of(changed.json()))
    listed = (await client.get(f"{BASE}/versions/versions")).json()

    assert (changed.json()["version"], changed.headers["ETag"]) == (2, '"2"')
    assert same.json()["version"] == 2
    assert [version["version"] for version in listed["items"]] == [2, 1]
    assert listed["items"][1]["definition"]["name"] == "Test recipe"
    assert (await client.get(f"{BASE}/versions/versions/1")).json() == listed["items"][1]
    assert (await client.get(f"{BASE}/versions/versions/3")).status == 404


async def test_whoever_saves_second_is_refused_and_shown_what_was_saved_first(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say hello", template_id="contested")
    first = await client.put(f"{BASE}/contested", json=body_of(recipe, name="Mine"), headers={"If-Match": '"1"'})

    second = await client.put(f"{BASE}/contested", json=body_of(recipe, name="Yours"), headers={"If-Match": '"1"'})

    assert first.status == 200
    assert (second.status, second.code) == (412, "stale_edit")
    current = second.json()["current"]
    assert (current["name"], current["version"]) == ("Mine", 2)
    assert current["steps"] == first.json()["steps"]


async def test_of_two_saves_at_once_one_wins(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say hello", template_id="race")

    answers = await asyncio.gather(*(
        client.put(f"{BASE}/race", json=body_of(recipe, name=f"Name {n}"), headers={"If-Match": '"1"'})
        for n in range(6)))

    assert sorted(answer.status for answer in answers) == [200] + [412] * 5
    assert (await client.get(f"{BASE}/race")).json()["version"] == 2


async def test_a_template_id_is_taken_once_and_free_again_after_deletion(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say hello", template_id="once")

    taken = await client.post(BASE, json=body_of(recipe) | {"template_id": "once"})
    assert (taken.status, taken.code) == (409, "template_id_taken")
    assert (await client.delete(f"{BASE}/once")).status == 204
    assert (await client.get(f"{BASE}/once")).code == "recipe_not_found"
    assert (await client.delete(f"{BASE}/once")).status == 404

    assert (await client.post(BASE, json=body_of(recipe) | {"template_id": "once"})).status == 201


async def test_what_a_deleted_recipe_cooked_stays_readable(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    recipe = await make.recipe("Say hello")
    run = await client.cooked(recipe["template_id"])

    await client.delete(f"{BASE}/{recipe['template_id']}")

    assert (await client.get(f"/api/runs/{run['id']}")).json() == run
    assert (await client.get("/api/runs")).json()["total"] == 1


async def test_a_run_uses_the_version_it_started_with(client: Client, make: Make, model_server: ModelServer) -> None:
    recipe = await make.recipe("First", "Second as before", template_id="edited")
    gate = asyncio.Event()
    model_server.script(Reply(text="one", gate=gate), Reply(text="two"))
    run_id = await client.cook("edited")
    await model_server.wait_for_calls(1)

    steps = [step | {"prompt_template": "Changed"} for step in body_of(recipe)["steps"]]
    await client.put(f"{BASE}/edited", json=body_of(recipe, steps=steps))
    gate.set()
    await client.follow(run_id)
    run = (await client.get(f"/api/runs/{run_id}")).json()

    assert run["recipe_version"] == 1
    assert [call.last_user_text for call in model_server.calls] == ["First", "Second as before"]


async def test_runs_are_paged_newest_first_and_filtered(client: Client, make: Make, model_server: ModelServer) -> None:
    one, other = await make.recipe("One"), await make.recipe("Other")
    runs = [(await client.cooked(one["template_id"]))["id"] for _ in range(4)]
    last = (await client.cooked(other["template_id"]))["id"]

    first = (await client.get("/api/runs", params={"limit": 2})).json()
    second = (await client.get("/api/runs", params={"limit": 2, "cursor": first["next_cursor"]})).json()
    third = (await client.get("/api/runs", params={"limit": 2, "cursor": second["next_cursor"]})).json()
    own = (await client.get(f"{BASE}/{one['template_id']}/executions", params={"limit": 3, "skip": 1})).json()

    seen = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert seen == [last, *reversed(runs)]
    assert (first["total"], third["next_cursor"]) == (5, None)
    assert [item["id"] for item in own["items"]] == list(reversed(runs))[1:]
    assert (own["total"], own["recipe_id"]) == (4, one["template_id"])
    assert (await client.get("/api/runs", params={"status": "failed"})).json()["items"] == []
    assert (await client.get("/api/runs", params={"recipe": other["template_id"]})).json()["total"] == 1


async def test_a_run_is_found_only_under_its_own_recipe(client: Client, make: Make, model_server: ModelServer) -> None:
    one, other = await make.recipe("One"), await make.recipe("Other")
    run = await client.cooked(one["template_id"])

    assert (await client.get(f"{BASE}/{one['template_id']}/executions/{run['id']}")).json() == run
    assert (await client.get(f"{BASE}/{other['template_id']}/executions/{run['id']}")).code == "run_not_found"


async def test_an_agent_and_a_recipe_that_needs_it_cannot_miss_each_other(client: Client, make: Make) -> None:
    for _ in range(8):
        agent = await make.agent()
        step = {"step_id": "s", "order": 1, "agent_id": agent["id"], "prompt_template": "Hi"}
        created, deleted = await asyncio.gather(
            client.post(BASE, json={"template_id": f"r{agent['id']}", "name": "Race", "steps": [step]}),
            client.delete(f"/api/agents/{agent['id']}"))
        assert (created.status, deleted.status) in {(201, 409), (422, 204)}


@pytest.mark.capability("S168")
async def test_what_belongs_to_a_recipe_goes_with_its_row(
    client: Client, make: Make, model_server: ModelServer, database: Database
) -> None:
    recipe = await make.recipe("Say hello")
    await client.cooked(recipe["template_id"])
    tables = ("recipe_versions", "recipe_executions", "recipe_execution_steps", "agent_runs", "run_turns")

    async def rows() -> list[int]:
        async with database.recording(client.workspace_id) as connection:
            return [await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables]

    assert all(count > 0 for count in await rows())
    async with database.recording(client.workspace_id) as connection:
        await connection.execute("DELETE FROM workflow_recipes WHERE id = $1", recipe["id"])

    assert await rows() == [0] * len(tables)


@pytest.mark.capability("S169")
async def test_workspace_and_status_of_agents_are_indexed(database: Database) -> None:
    async with database.recording(None) as connection:
        definitions = await connection.fetch("SELECT indexdef FROM pg_indexes WHERE tablename = 'agents'")

    assert any("(workspace_id, status)" in row["indexdef"] for row in definitions)
