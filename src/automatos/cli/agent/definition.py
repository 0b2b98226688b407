"""What people write about an agent, as options or in a file, turned into what the server takes."""

from typing import Any

from automatos.cli.client import Client
from automatos.cli.console import misuse
from automatos.cli.finding import PERSONA, SKILL, find

SHOWN = ("name", "description", "agent_type", "marketplace_category", "configuration", "tags", "model_config", "tools",
         "skill_ids", "persona_id", "custom_persona_prompt", "use_custom_persona", "status")


def body_of(client: Client, document: dict[str, Any]) -> dict[str, Any]:
    """Return a file's fields by the server's names.

    A file may be written like the body of the API, or like an export, with a persona by its slug and skills by name.
    """
    body = {name: value for name, value in document.items() if name not in {"apiVersion", "kind", "persona", "skills"}}
    if "skills" in document:
        body["skill_ids"] = skill_ids(client, document["skills"] or [])
    if "persona" in document:
        body |= _persona(client, document["persona"])
    return body


def _persona(client: Client, persona: Any) -> dict[str, Any]:
    if isinstance(persona, str):
        return {"persona_id": find(client, PERSONA, persona)["id"], "use_custom_persona": False}
    choice: dict[str, Any] = persona if isinstance(persona, dict) else {}
    slug = choice.get("slug")
    return {"persona_id": find(client, PERSONA, slug)["id"] if slug else None,
            "custom_persona_prompt": choice.get("custom_prompt"),
            "use_custom_persona": choice.get("use_custom", False)}


def skill_ids(client: Client, names: list[Any]) -> list[int]:
    """Return the ids of skills by their ids or names."""
    return [find(client, SKILL, str(name))["id"] for name in names]


def model_named(text: str) -> dict[str, Any]:
    """Return the model that `provider/model` names; a model's own name may hold slashes too."""
    provider, slash, model_id = text.partition("/")
    if not slash or not provider or not model_id:
        misuse(f"{text!r} names no model", "write PROVIDER/MODEL; see them with: automatos model list")
    return {"provider": provider, "model_id": model_id}


def current_fields(agent: dict[str, Any]) -> dict[str, Any]:
    """Return an agent's fields by the names that its body has."""
    return {name: agent.get(name) for name in SHOWN} | {"skill_ids": [skill["id"] for skill in agent["skills"]]}
