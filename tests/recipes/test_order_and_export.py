"""What people wrote comes back as they wrote it: names in their order, and a recipe as a file that can be applied."""

import yaml

from tests.recipes.test_crud import BASE, body_of
from tests.surface import Client, Make

# Neither alphabetical nor by length.
NAMES = ["title", "count", "ratio", "deep", "tags", "cfg", "z", "a_long_one"]
INPUTS = {name: {"type": "string", "default": f"<{name}>"} for name in NAMES}


async def test_inputs_stay_in_the_order_of_their_author_wherever_they_are_shown(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say {input.title}", template_id="ordered", inputs=INPUTS)
    assert list(recipe["inputs"]) == NAMES
    assert list((await client.get(f"{BASE}/ordered")).json()["inputs"]) == NAMES
    version = (await client.get(f"{BASE}/ordered/versions/1")).json()
    assert list(version["definition"]["inputs"]) == NAMES

    run = await client.cooked("ordered", cfg="given", title="given")

    assert list(run["input_data"]) == NAMES
    assert (run["input_data"]["cfg"], run["input_data"]["deep"]) == ("given", "<deep>")


async def test_another_order_of_inputs_or_outputs_is_a_change(client: Client, make: Make) -> None:
    recipe = await make.recipe("Say {input.title}", template_id="turned", inputs=INPUTS,
                               outputs={"second": {"from": "step_1"}, "first": {"from": "step_1"}})
    same = await client.put(f"{BASE}/turned", json=body_of(recipe))
    assert (same.json()["version"], list(same.json()["outputs"])) == (1, ["second", "first"])

    turned = dict(reversed(recipe["inputs"].items()))
    saved = await client.put(f"{BASE}/turned", json=body_of(recipe, inputs=turned))

    assert (saved.json()["version"], list(saved.json()["inputs"])) == (2, NAMES[::-1])


async def test_an_exported_recipe_changes_nothing_where_it_comes_from(client: Client, make: Make) -> None:
    agent = await make.agent("Plain", description="Says it", custom_persona_prompt="Be brief.", use_custom_persona=True)
    await make.recipe({"agent_id": agent["id"], "prompt_template": "First\nline {input.title}", "max_retries": 0},
                      template_id="kept", inputs=INPUTS, description="Kept", tags=["b", "a"])

    answer = await client.get(f"{BASE}/kept/export")

    assert answer.headers["Content-Type"].startswith("application/yaml")
    file = yaml.safe_load(answer.body)
    assert list(file["recipe"]["inputs"]) == NAMES
    assert file["recipe"]["steps"][0] | {"agent": "Plain", "max_retries": 0} == file["recipe"]["steps"][0]
    assert (file["agents"][0]["name"], file["agents"][0]["prompt"]) == ("Plain", "Be brief.")
    applied = (await client.post(f"{BASE}/apply", json=file)).json()
    assert applied["action"] == "unchanged"
    assert [one["action"] for one in applied["agents"]] == ["unchanged"]


async def test_an_agent_that_the_file_cannot_say_whole_is_only_named(client: Client, make: Make) -> None:
    body = {"name": "Old hand", "category": "Custom", "system_prompt": "You have seen it all."}
    persona = (await client.post(f"/api/workspaces/{client.workspace_id}/personas", json=body)).json()
    agent = await make.agent("Voiced", persona_id=persona["id"])
    await make.recipe({"agent_id": agent["id"], "prompt_template": "Speak"}, template_id="voiced")

    file = yaml.safe_load((await client.get(f"{BASE}/voiced/export")).body)

    assert (file["agents"], file["recipe"]["steps"][0]["agent"]) == ([], "Voiced")
    applied = await client.post(f"{BASE}/apply", json=file)
    assert applied.json()["action"] == "unchanged"
    again = (await client.get(f"/api/agents/{agent['id']}")).json()
    assert again["persona_id"] == persona["id"]


async def test_what_is_not_there_is_not_exported(client: Client) -> None:
    assert (await client.get(f"{BASE}/nope/export")).status == 404


async def test_a_file_may_say_the_place_where_a_step_stands_and_no_other(client: Client, make: Make) -> None:
    agent = await make.agent("Placed")

    def file(*orders: int | None) -> dict[str, object]:
        steps = [{"step_id": f"s{place}", "agent": agent["name"], "prompt_template": "x"} | (
            {} if order is None else {"order": order}) for place, order in enumerate(orders)]
        return {"apiVersion": "automatos/v1", "kind": "Recipe",
                "recipe": {"template_id": "placed", "name": "Placed", "steps": steps}}

    applied = await client.post(f"{BASE}/apply", json=file(1, None, 3))
    assert [step["order"] for step in applied.json()["recipe"]["steps"]] == [1, 2, 3]
    again = await client.post(f"{BASE}/apply", json=file(None, 2, None))
    assert again.json()["action"] == "unchanged"
    exported = (await client.get(f"{BASE}/placed/export")).body.decode()
    assert "order" not in exported

    refused = await client.post(f"{BASE}/apply", json=file(2, 1))
    assert refused.status == 422
    assert "stands at place 1, not 2; move it or leave order out" in refused.body.decode()


async def test_a_step_that_runs_another_recipe_is_exported_as_it_is_applied(client: Client, make: Make) -> None:
    await make.recipe("a {input.x}", template_id="inner", inputs={"x": {"type": "string"}})
    await make.recipe({"step_id": "sub", "agent_id": None, "run": {"recipe": "inner", "inputs": {"x": "{input.y}"}}},
                      template_id="outer", inputs={"y": {"type": "string"}})
    exported = yaml.safe_load((await client.get(f"{BASE}/outer/export")).body)

    assert exported["recipe"]["steps"][0]["run"] == {"recipe": "inner", "inputs": {"x": "{input.y}"}}
    applied = await client.post(f"{BASE}/apply", json=exported)
    assert (applied.status, applied.json()["action"]) == (200, "unchanged")
