"""What people are shown of an agent's prompt is what its runs get."""

from typing import Any

import pytest

from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.kernel.tokens import estimate_tokens
from automatos.personas.seed import seed_personas
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Client, Make, add_key

BODY = "First chop the onions. Then wait."


@pytest.fixture(autouse=True, scope="session")
async def library(database: Database) -> None:
    """The personas that come with the product."""
    await seed_personas(database)


async def persona(client: Client, **fields: Any) -> dict[str, Any]:
    body = {"name": "Pirate", "system_prompt": "Answer like a pirate.", "suggested_temperature": 0.9} | fields
    answer = await client.post(f"/api/workspaces/{client.workspace_id}/personas", json=body)
    assert answer.status == 201, answer.body
    return answer.json()


async def skill(client: Client, name: str = "onion-soup") -> dict[str, Any]:
    body = {"name": name, "description": "Use it to cook onion soup.", "content": BODY}
    answer = await client.post("/api/skills", json=body)
    assert answer.status == 201, answer.body
    return answer.json()


async def context_of(client: Client, agent_id: int) -> dict[str, Any]:
    answer = await client.get(f"/api/agents/{agent_id}/assembled-context")
    assert answer.status == 200, answer.body
    return answer.json()


def part(context: dict[str, Any], source: str) -> str:
    return next((one["text"] for one in context["parts"] if one["source"] == source), "")


@pytest.mark.capability("S056")
async def test_persona_and_skills_become_one_prompt(client: Client, make: Make) -> None:
    voice, soup = await persona(client), await skill(client)
    agent = await make.agent("Ada", description="Cooks.", agent_type="data_analyst", tools=["calculator"],
                             persona_id=voice["id"], skill_ids=[soup["id"]], active=False)

    context = await context_of(client, agent["id"])

    assert context["agent_id"] == agent["id"]
    assert [one["source"] for one in context["parts"]] == ["task", "identity", "persona", "skills", "tools", "policy"]
    assert context["system_prompt"] == "\n\n".join(one["text"] for one in context["parts"])
    assert "You are Ada (data analyst).\nCooks." in part(context, "identity")
    assert part(context, "persona") == "# Persona\nAnswer like a pirate."
    assert "- onion-soup: Use it to cook onion soup." in part(context, "skills")
    assert BODY not in context["system_prompt"]
    assert context["persona"] == {"name": "Pirate", "slug": "pirate", "source": "predefined", "category": "Custom",
                                  "voice_description": ""}
    assert [(one["id"], one["name"], one["level"]) for one in context["skills"]] == [(soup["id"], "onion-soup", 1)]
    assert "calculator" in context["tools"]
    assert context["plugins_loaded"] == []
    assert context["token_estimate"] == estimate_tokens(context["system_prompt"])
    assert context["token_basis"].startswith("estimate")
    assert all(one["tokens"] == estimate_tokens(one["text"]) for one in context["parts"])


@pytest.mark.capability("S056")
async def test_the_run_gets_the_very_prompt_that_is_shown(
    client: Client, make: Make, model_server: ModelServer
) -> None:
    voice, soup = await persona(client), await skill(client)
    agent = await make.agent(persona_id=voice["id"], skill_ids=[soup["id"]], tools=["calculator"],
                             configuration={"skill_loading": "preload", "environment": "production",
                                            "environment_note": "Orders are real."})
    recipe = await make.recipe({"agent_id": agent["id"], "prompt_template": "Cook"})
    model_server.script(Reply(text="Aye"))

    shown = await context_of(client, agent["id"])
    await client.cooked(recipe["template_id"])

    call = model_server.calls[0]
    assert call.messages[0] == {"role": "system", "content": shown["system_prompt"]}
    assert call.body["temperature"] == shown["temperature"] == 0.9
    assert sorted(call.tools) == sorted(shown["tools"])
    assert BODY in shown["system_prompt"]
    assert "Orders are real." in shown["system_prompt"]
    assert [one["level"] for one in shown["skills"]] == [2]


@pytest.mark.capability("S050")
@pytest.mark.capability("S009")
async def test_the_persona_that_counts_is_the_one_in_the_prompt(client: Client, make: Make) -> None:
    voice = await persona(client)
    agent = await make.agent(active=False)
    path, seen = f"/api/agents/{agent['id']}/persona", []

    for body in ({"persona_id": voice["id"]}, {"custom_prompt": "Be exact.", "use_custom": True}, {}):
        answer = await client.put(path, json=body)
        assert answer.status == 200, answer.body
        stored = (await client.get(path)).json()
        assert stored == answer.json()
        context = await context_of(client, agent["id"])
        seen.append((stored["system_prompt"], part(context, "persona"), context["persona"] and
                     context["persona"]["source"], context["temperature_source"]))

    assert seen == [
        ("Answer like a pirate.", "# Persona\nAnswer like a pirate.", "predefined", "persona"),
        ("Be exact.", "# Persona\nBe exact.", "custom", "provider"),
        (None, "", None, "provider"),
    ]


async def test_the_model_is_named_with_what_decided_it(client: Client, make: Make) -> None:
    voice = await persona(client)
    plain = await make.agent(active=False)
    chosen = await make.agent(persona_id=voice["id"], active=False, model_config={
        "provider": "anthropic", "model_id": "claude-sonnet-4-5", "temperature": 0.1})

    default, own = await context_of(client, plain["id"]), await context_of(client, chosen["id"])

    assert default["model"] == {"provider": "openai", "model_id": "fake-model", "source": "environment"}
    assert (default["temperature"], default["temperature_source"]) == (None, "provider")
    assert own["model"] == {"provider": "anthropic", "model_id": "claude-sonnet-4-5", "source": "agent"}
    assert (own["temperature"], own["temperature_source"]) == (0.1, "agent")


async def test_a_persona_that_was_switched_off_or_deleted_is_out_of_the_prompt(client: Client, make: Make) -> None:
    voice = await persona(client)
    home = f"/api/workspaces/{client.workspace_id}/personas/{voice['id']}"
    agent = await make.agent(persona_id=voice["id"], active=False)

    await client.put(home, json={"is_active": False})
    off = await context_of(client, agent["id"])
    await client.put(home, json={"is_active": True})
    on = await context_of(client, agent["id"])
    await client.delete(home)
    gone = await context_of(client, agent["id"])

    assert [context["persona"] is None for context in (off, on, gone)] == [True, False, True]


@pytest.mark.capability("S056")
async def test_a_draft_is_shown_as_it_would_be_saved_and_stores_nothing(client: Client, make: Make) -> None:
    voice, soup = await persona(client), await skill(client)
    draft = {"name": "Ada", "description": "Cooks.", "marketplace_category": "Data Analysis", "tools": ["calculator"],
             "persona_id": voice["id"], "skill_ids": [soup["id"]],
             "configuration": {"environment": "staging", "skill_loading": "preload"}}

    answer = await client.post("/api/agents/assembled-context", json={"agent": draft})
    before = (await client.get("/api/agents")).json()["total"]
    saved = await make.agent(active=False, **{"agent_type": None} | draft)

    assert answer.status == 200, answer.body
    assert before == 0
    assert answer.json() == await context_of(client, saved["id"]) | {"agent_id": None}
    assert "data analyst" in answer.json()["system_prompt"]


@pytest.mark.parametrize(("fault", "code"), [
    ({"persona_id": str(new_id())}, "unknown_persona"), ({"skill_ids": [2**31 - 1]}, "unknown_skills"),
    ({"tools": ["launch_rockets"]}, "unknown_tools"), ({"name": ""}, "invalid_request"),
    ({"configuration": {"skill_loading": "sometimes"}}, "invalid_request"), ({"surprise": 1}, "invalid_request"),
])
async def test_a_draft_that_could_not_be_saved_is_refused_alike(
    client: Client, fault: dict[str, Any], code: str
) -> None:
    answer = await client.post("/api/agents/assembled-context", json={"agent": {"name": "Ada"} | fault})

    assert (answer.status, answer.code) == (422, code), answer.body


async def test_others_prompts_personas_and_skills_are_absent(
    client: Client, stranger: Client, make: Make
) -> None:
    voice, soup = await persona(client), await skill(client)
    agent = await make.agent(active=False)

    for agent_id in (agent["id"], 2**31 - 1):
        answer = await stranger.get(f"/api/agents/{agent_id}/assembled-context")
        assert (answer.status, answer.code) == (404, "agent_not_found")
    faults = (({"persona_id": voice["id"]}, "unknown_persona"), ({"skill_ids": [soup["id"]]}, "unknown_skills"))
    for fault, code in faults:
        answer = await stranger.post("/api/agents/assembled-context", json={"agent": {"name": "Eve"} | fault})
        assert (answer.status, answer.code) == (422, code)


async def test_viewers_read_prompts_of_agents_and_try_no_drafts(
    client: Client, make: Make, database: Database
) -> None:
    agent = await make.agent(active=False)
    key = await add_key(database, client.workspace_id, "viewer")
    viewer = Client(client.http, client.workspace_id, {"X-API-Key": key})

    assert (await viewer.get(f"/api/agents/{agent['id']}/assembled-context")).status == 200
    for path in ("assembled-context", "try"):
        answer = await viewer.post(f"/api/agents/{path}", json={"agent": {"name": "A"}})
        assert (answer.status, answer.code) == (403, "role_too_low")
