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


@pytest.mark.parametrize("name", [
    "\u05e1\u05d5\u05db\u05df", "\u0634\u0628\u0643\u0629 \u200f(1)", "Zo\u00eb \U0001f916", "A" * 255,
])
async def test_names_of_any_script_are_kept_letter_by_letter(client: Client, name: str) -> None:
    answer = await client.post("/api/agents", json={"name": name})

    assert answer.status == 201, answer.body
    assert answer.json()["name"] == name
