"""A step may name a pattern: its words follow the step's prompt, in a run, in a file and in a task alike."""

from typing import Any

import pytest
import yaml

from automatos.kernel.db import Database
from automatos.skills.seed import seed_patterns
from tests.fakes.model_server import ModelServer, Reply
from tests.recipes.test_crud import BASE, body_of
from tests.skills.test_patterns import RELAY, WORDS
from tests.surface import Client, Make

PATTERNS = "/api/patterns"
RELAY_STEP = {"prompt_template": "Carry {input.what}.", "pattern_slug": "relay-race"}
INPUTS = {"what": {"type": "string", "default": "news"}}


@pytest.fixture(autouse=True)
async def _patterns(database: Database, client: Client) -> None:
    """Those of the product, as on every server, and one of the workspace."""
    await seed_patterns(database)
    assert (await client.post(PATTERNS, json=RELAY)).status == 201


async def relay(make: Make, *steps: dict[str, Any] | str, **fields: Any) -> dict[str, Any]:
    return await make.recipe(*(steps or (RELAY_STEP,)), template_id="relay", inputs=INPUTS, **fields)


@pytest.mark.capability("S062")
async def test_the_model_of_a_step_is_given_the_words_of_its_pattern_after_the_prompt(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    model_server.script(Reply(text="done"), repeat=True)
    recipe = await relay(make, RELAY_STEP, "Say {previous_output}",
                         {"prompt_template": "Spread it.", "pattern_slug": "load-balancing"})

    run = await client.cooked("relay")

    assert [step["pattern_slug"] for step in recipe["steps"]] == ["relay-race", None, "load-balancing"]
    prompts = [step["prompt"] for step in run["steps"]]
    assert prompts[0] == f"Carry news.\n\n{WORDS}"
    assert prompts[1].startswith("Say ")
    assert "##" not in prompts[1]
    assert prompts[2] == f"Spread it.\n\n{(await client.get(f'{PATTERNS}/load-balancing')).json()['prompt']}"
    assert [call.last_user_text for call in model_server.calls] == prompts


async def test_what_looks_like_a_placeholder_in_a_pattern_is_left_as_it_is(client: Client, make: Make) -> None:
    body = {"description": "Use {input.what}, {previous_output} and {{x}}."}
    assert (await client.put(f"{PATTERNS}/relay-race", json=body)).status == 200
    await relay(make)

    run = await client.cooked("relay")

    assert (run["status"], body["description"] in run["steps"][0]["prompt"]) == ("completed", True)


async def test_a_pattern_that_was_changed_counts_from_the_next_run(client: Client, make: Make) -> None:
    await relay(make)
    first = await client.cooked("relay")
    await client.put(f"{PATTERNS}/relay-race", json={"description": "Faster."})

    second = await client.cooked("relay")

    assert ["Faster." in run["steps"][0]["prompt"] for run in (first, second)] == [False, True]
    assert (await client.get(f"/api/runs/{first['id']}")).json()["steps"][0]["prompt"] == f"Carry news.\n\n{WORDS}"


@pytest.mark.parametrize("slug", ["nope", "Relay race", "../relay-race"])
async def test_a_pattern_that_is_not_there_is_a_fault_of_its_step_and_nothing_is_saved(
    client: Client, make: Make, slug: str
) -> None:
    recipe = await relay(make)
    body = body_of(recipe)
    body["steps"][0]["pattern_slug"] = slug

    checked = (await client.post(f"{BASE}/validate", json=body)).json()
    refused = await client.put(f"{BASE}/relay", json=body)

    assert [fault["where"] for fault in checked["faults"]] == ["steps[0].pattern_slug"]
    assert repr(slug) in checked["faults"][0]["message"]
    assert (refused.status, refused.code) == (422, "recipe_invalid")
    assert (await client.get(f"{BASE}/relay")).json()["version"] == 1


@pytest.mark.parametrize("slug", ["", "a\nb", "x" * 101, 7])
async def test_a_slug_of_another_form_is_refused_by_its_name(client: Client, make: Make, slug: Any) -> None:
    body = body_of(await relay(make))
    body["steps"][0]["pattern_slug"] = slug

    refused = await client.put(f"{BASE}/relay", json=body)

    assert (refused.status, "pattern_slug" in refused.body.decode()) == (422, True)


async def test_a_pattern_of_another_workspace_is_not_there(client: Client, stranger: Client) -> None:
    theirs = Make(stranger)

    refused = await stranger.post(BASE, json={
        "template_id": "relay", "name": "Relay", "inputs": INPUTS,
        "steps": [{"step_id": "one", "order": 1, "agent_id": (await theirs.agent())["id"]} | RELAY_STEP]})

    assert (refused.status, refused.code) == (422, "recipe_invalid")
    assert (await stranger.get(BASE)).json()["total"] == 0
    assert (await client.get(f"{PATTERNS}/relay-race")).status == 200


async def test_a_recipe_whose_pattern_was_deleted_is_refused_before_anything_is_queued(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    await relay(make)
    assert (await client.delete(f"{PATTERNS}/relay-race")).status == 204

    refused = await client.post(f"{BASE}/relay/execute", json={"input_data": {}})

    assert (refused.status, refused.code) == (409, "recipe_not_ready")
    assert "'relay-race'" in refused.json()["detail"]
    assert (await client.get("/api/runs")).json()["total"] == 0
    assert model_server.calls == []


async def test_a_pattern_that_is_deleted_after_the_start_ends_its_step_in_its_own_words(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    agent = await make.agent()
    await relay(make, RELAY_STEP | {"agent_id": agent["id"]})
    await client.post(f"/api/agents/{agent['id']}/pause")
    run_id = await client.cook("relay")
    assert (await client.delete(f"{PATTERNS}/relay-race")).status == 204

    await client.post(f"/api/agents/{agent['id']}/activate")
    await client.follow(run_id)

    run = (await client.get(f"/api/runs/{run_id}")).json()
    assert (run["status"], run["error"]["code"]) == ("failed", "pattern_gone")
    assert "'relay-race'" in run["error"]["message"]
    assert model_server.calls == []


async def test_a_file_says_the_pattern_of_a_step_and_changes_nothing_where_it_comes_from(
    client: Client, stranger: Client, make: Make
) -> None:
    await relay(make, RELAY_STEP, "Say it")

    file = yaml.safe_load((await client.get(f"{BASE}/relay/export")).body)
    again = (await client.post(f"{BASE}/apply", json=file)).json()
    absent = await stranger.post(f"{BASE}/apply", json=file)

    assert [step.get("pattern_slug") for step in file["recipe"]["steps"]] == ["relay-race", None]
    assert again["action"] == "unchanged"
    assert (absent.status, absent.code) == (422, "recipe_invalid")
    assert "pattern_slug" in absent.json()["detail"]
    assert (await stranger.get("/api/agents")).json()["total"] == 0
    file["recipe"]["steps"][1]["pattern_slug"] = "load-balancing"
    changed = (await client.post(f"{BASE}/apply", json=file)).json()
    assert (changed["action"], changed["recipe"]["steps"][1]["pattern_slug"]) == ("updated", "load-balancing")
