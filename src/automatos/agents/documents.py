"""Agents as documents: what a saved version and an export hold, and YAML text there and back."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.configuration import AgentFile
from automatos.agents.errors import DocumentsUnreadable
from automatos.agents.models import Agent
from automatos.agents.queries import assigned, records
from automatos.agents.stored import configuration_of, model_settings_of
from automatos.kernel.documents import DocumentInvalid, read_documents, stays_text

API = {"apiVersion": "automatos/v1", "kind": "Agent"}
SHOWN_FAULTS = 20
ODD_BREAKS = frozenset("\r\x85\u2028\u2029\ufeff")
"""What YAML folds like a line break, unless it is quoted and escaped."""


def definition_of(
    agent: Agent, persona: Mapping[str, Any] | None, skills: Iterable[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return everything that makes an agent what it is: no id, status, counter or secret; what is null is left out."""
    configuration = configuration_of(agent.configuration)
    tools = configuration.pop("tools")
    voice = {"slug": persona["slug"] if persona else None, "custom_prompt": agent.custom_persona_prompt,
             "use_custom": agent.use_custom_persona}
    model = model_settings_of(agent.llm_config, agent.configuration)
    whole = {
        "name": agent.name, "description": agent.description, "agent_type": agent.agent_type,
        "marketplace_category": agent.marketplace_category, "tags": agent.tags,
        "persona": _given(voice) if any(value not in (None, False) for value in voice.values()) else None,
        "model_config": _given(model) if model else None, "skills": [skill["name"] for skill in skills],
        "tools": tools, "configuration": configuration,
    }
    return _given(whole)


async def describe(session: AsyncSession, agent: Agent) -> dict[str, Any]:
    """Return an agent's definition as it is stored now."""
    personas = [agent.persona_id] if agent.persona_id else []
    found = await assigned.read_companions(session, [agent.workspace_id], [agent.id], personas)
    persona = found.personas.get(agent.persona_id) if agent.persona_id else None
    return definition_of(agent, persona, found.skills.get(agent.id, ()))


async def keep_version(session: AsyncSession, agent: Agent, author: str) -> None:
    """Keep what a saved agent is, under its version, in the transaction of the save."""
    definition = await describe(session, agent)
    await records.insert_version(session, agent.workspace_id, agent.id, agent.version, definition, author)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def read_definition(definition: Any, number: int | None = None) -> AgentFile:
    """Return a definition, checked field by field; `number` says which document of several it is."""
    try:
        return AgentFile.model_validate(definition)
    except ValidationError as error:
        faults = [_fault(each) for each in error.errors(include_input=False, include_url=False)[:SHOWN_FAULTS]]
        first = faults[0]
        raise DocumentsUnreadable(f"{first['field']}: {first['reason']}", document=number, errors=faults) from None


def _fault(error: Mapping[str, Any]) -> dict[str, str]:
    place = ".".join(str(part) for part in error["loc"]) or "document"
    reason = "is not a field of an agent" if error["type"] == "extra_forbidden" else str(error["msg"])
    return {"field": place[:300], "reason": reason.removeprefix("Value error, ")[:300]}


def write_yaml(definitions: Sequence[Mapping[str, Any]]) -> str:
    """Return definitions as YAML documents that `read_yaml` and people can read."""
    return yaml.dump_all(
        [API | dict(one) for one in definitions], Dumper=_Plain, sort_keys=False, allow_unicode=True, width=100,
        explicit_start=len(definitions) > 1)


def read_yaml(text: str) -> list[Any]:
    """Return the documents of a YAML text as JSON's types.

    Refused with its position: what is no YAML, names that point elsewhere in the text, tags of other kinds, keys given
    twice, deep nesting, more than 100 documents, none at all.
    """
    try:
        found = [one for one in read_documents(text, aliases=False) if one is not None]
    except DocumentInvalid as error:
        raise DocumentsUnreadable(str(error)) from None
    if not found:
        raise DocumentsUnreadable("there is no document in it")
    return found


class _Plain(yaml.SafeDumper):
    """Texts of several lines stay several lines."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    is_odd = ODD_BREAKS.intersection(text) or not stays_text(text)
    style = '"' if is_odd else "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Plain.add_representer(str, _text)
