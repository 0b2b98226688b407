"""From what is stored, or only written down, to what a run needs of an agent."""

from collections.abc import Mapping
from typing import Any

from automatos.agents.stored import configuration_of, model_settings_of
from automatos.agents.types import AgentSpec, AgentStatus, PersonaSpec, SkillSpec
from automatos.llm.types import ModelChoice


def spec_of(row: Mapping[str, Any]) -> AgentSpec:
    """Return the spec of an agent from its columns, with `persona` and `skills` as the database tells them."""
    stored: dict[str, Any] = row["configuration"]
    configuration = configuration_of(stored)
    return AgentSpec(
        id=row["id"], name=row["name"], description=row["description"] or "", agent_type=row["agent_type"],
        status=AgentStatus(row["status"]),
        persona=_persona(row), skills=tuple(_skill(skill) for skill in row["skills"] or ()),
        model=model_choice(model_settings_of(row["model_config"], stored)), tools=tuple(configuration["tools"]),
        max_iterations=configuration["max_iterations"],
        retry_attempts=configuration["retry_attempts"],
        timeout_s=configuration["timeout_seconds"],
        max_concurrent_tasks=configuration["max_concurrent_tasks"],
        configuration=configuration, version=row["version"],
    )


def model_choice(settings: Mapping[str, Any] | None) -> ModelChoice | None:
    """Return the stored model settings as a choice; None means the default model answers."""
    return ModelChoice(**settings) if settings else None


def _persona(row: Mapping[str, Any]) -> PersonaSpec | None:
    """Return the voice of an agent: its own text where it uses that and has one, else the library's persona."""
    if row["use_custom_persona"] and row["custom_persona_prompt"]:
        return PersonaSpec("custom", row["custom_persona_prompt"])
    found: Mapping[str, Any] | None = row["persona"]
    if found is None:
        return None
    temperature = found["suggested_temperature"]
    return PersonaSpec(
        "predefined", found["system_prompt"], found["name"], found["slug"], found["category"],
        found["voice_description"], None if temperature is None else float(temperature),
    )


def _skill(found: Mapping[str, Any]) -> SkillSpec:
    invocation: Mapping[str, Any] = found.get("invocation") or {}
    return SkillSpec(found["id"], found["name"], found["description"], found["version"], found["core_tokens"],
                     tuple(found["tools_schema"]), invocation.get("by_model", True), invocation.get("by_people", True))
