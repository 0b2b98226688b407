"""From what is stored, or only written down, to what a run needs of an agent."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.errors import UnknownPersona, UnknownSkills, UnknownTools
from automatos.agents.queries import assigned as queries
from automatos.agents.queries.records import FOR_RUN
from automatos.agents.saving import columns_of
from automatos.agents.schemas import AgentCreate
from automatos.agents.stored import model_settings_of, settings_of
from automatos.agents.types import AgentSpec, AgentStatus, PersonaSpec, SkillSpec
from automatos.kernel.db import Database
from automatos.llm.types import ModelChoice
from automatos.tools.service import known_names

MOST_KEPT = 512
_kept: dict[int, tuple[Mapping[str, Any], AgentSpec]] = {}
"""The agents that ran here lately, each with the row that it was read from: one whose row is the same is the same."""


async def load_for_run(database: Database, workspace_id: UUID, agent_ids: Iterable[int]) -> list[AgentSpec]:
    """Return what a run needs of each named agent, one statement; agents that do not exist are left out."""
    async with database.recording(workspace_id) as connection:
        return read_specs(await connection.fetchval(FOR_RUN, sorted(set(agent_ids))) or [])


def read_specs(rows: Sequence[Mapping[str, Any]]) -> list[AgentSpec]:
    """Return the specs of rows of `agents_for_run`."""
    return [_read(row) for row in rows]


def _read(row: Mapping[str, Any]) -> AgentSpec:
    """Return the spec of a row, whose parts are checked only where anything in it has changed."""
    kept = _kept.get(row["id"])
    if kept and kept[0] == row:
        return kept[1]
    while len(_kept) >= MOST_KEPT:
        del _kept[next(iter(_kept))]
    _kept[row["id"]] = row, spec_of(row)
    return _kept[row["id"]][1]


def spec_of(row: Mapping[str, Any]) -> AgentSpec:
    """Return the spec of an agent from its columns, with `persona` and `skills` as the database tells them."""
    stored: dict[str, Any] = row["configuration"]
    settings = settings_of(stored)
    return AgentSpec(
        id=row["id"], name=row["name"], description=row["description"] or "", agent_type=row["agent_type"],
        status=AgentStatus(row["status"]),
        persona=_persona(row), skills=tuple(_skill(skill) for skill in row["skills"] or ()),
        model=model_choice(model_settings_of(row["model_config"], stored)), tools=tuple(settings.tools),
        settings=settings, version=row["version"],
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


DRAFT_ID = 0
"""The id of an agent that is not stored."""


async def draft_spec(session: AsyncSession, workspace_id: UUID, body: AgentCreate) -> AgentSpec:
    """Return what a run would need of an agent that is written down but not saved; stores nothing.

    Raises:
        UnknownTools, UnknownSkills, UnknownPersona: it names something that the workspace does not have.
    """
    columns = columns_of(body)
    known = known_names()
    if unknown := [name for name in columns["configuration"]["tools"] if name not in known]:
        raise UnknownTools(unknown, known)
    persona, skills = await queries.read_voice(session, workspace_id, body.persona_id, body.skill_ids)
    if body.persona_id is not None and persona is None:
        raise UnknownPersona(body.persona_id)
    found = {skill["id"] for skill in skills}
    if missing := [skill_id for skill_id in body.skill_ids if skill_id not in found]:
        raise UnknownSkills(missing)
    return spec_of({**columns, "id": DRAFT_ID, "status": AgentStatus.INACTIVE, "version": 1,
                    "model_config": columns["llm_config"], "persona": persona, "skills": skills})
