"""A name reads as it is stored: nothing in it turns the order of its letters; every script's own letters are fine."""

from typing import Any

import pytest

from tests.surface import Client

DOORS: dict[str, tuple[str, dict[str, Any]]] = {
    "agent": ("/api/agents", {}),
    "recipe": ("/api/workflow-recipes", {"template_id": "named", "steps": []}),
    "workspace": ("/api/workspaces", {}),
    "credential": ("/api/credentials", {"provider": "openai", "value": "sk-1234567890"}),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("letter", ["\u202e", "\u202a", "\u2066", "\u2069"])
async def test_a_name_that_would_read_in_another_order_is_refused_everywhere(
    client: Client, door: str, letter: str
) -> None:
    path, body = DOORS[door]

    answer = await client.post(path, json=body | {"name": f"agent{letter}gnp.exe"})

    assert answer.status == 422
    said = {each["field"]: each["reason"] for each in answer.json()["errors"]}
    assert "direction of text" in said["name"]


TAGGED: dict[str, dict[str, Any]] = {
    "/api/agents": {"name": "Tagged"},
    "/api/workflow-recipes": {"template_id": "tagged", "name": "Tagged", "steps": []},
    "/api/skills": {"name": "tagged", "description": "Is tagged.", "content": "Do it."},
    "/api/workspaces/{workspace}/personas": {"name": "Tagged", "category": "Custom", "system_prompt": "You are."},
    "/api/credentials": {"name": "Tagged", "provider": "openai", "value": "sk-1234567890"},
}


@pytest.mark.parametrize("path", TAGGED)
async def test_a_tag_that_would_read_in_another_order_is_refused_everywhere(client: Client, path: str) -> None:
    where = path.format(workspace=(await client.get("/api/auth/me")).json()["workspaces"][0]["id"])

    answer = await client.post(where, json=TAGGED[path] | {"tags": ["plain", "tag\u202egnp.exe"]})

    assert answer.status == 422, answer.body
    said = {each["field"]: each["reason"] for each in answer.json()["errors"]}
    assert "direction of text" in said["tags.1"]


@pytest.mark.parametrize(("path", "body", "field"), [
    ("/api/skills", {"name": "saw\u202epng", "description": "Turns.", "content": "Do it."}, "name"),
    ("/api/workflow-recipes", {"template_id": "turned", "name": "Turned", "steps": [
        {"step_id": "a\u202eb", "order": 1, "agent_id": 1, "prompt_template": "Go.", "output_key": "x"}]}, "step_id"),
])
async def test_names_that_are_read_by_programs_hold_nothing_of_the_kind_either(
    client: Client, path: str, body: dict[str, Any], field: str
) -> None:
    answer = await client.post(path, json=body)

    assert answer.status == 422, answer.body
    assert field in answer.body.decode()


@pytest.mark.parametrize("name", [
    "\u05e1\u05d5\u05db\u05df", "\u0634\u0628\u0643\u0629 \u200f(1)", "Zo\u00eb \U0001f916", "A" * 255,
])
async def test_names_of_any_script_are_kept_letter_by_letter(client: Client, name: str) -> None:
    answer = await client.post("/api/agents", json={"name": name})

    assert answer.status == 201, answer.body
    assert answer.json()["name"] == name
