"""One save of an agent: checked, written, its lane kept, its version and audit entry added, all in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import versions
from automatos.agents.activation import keep_lane, note
from automatos.agents.deps import Readiness
from automatos.agents.errors import AgentNameTaken, UnknownPersona, UnknownSkills, UnknownTools
from automatos.agents.models import Agent
from automatos.agents.queries import assigned
from automatos.agents.queries import records as queries
from automatos.agents.readiness import refuse_faults
from automatos.agents.stored import configuration_of, model_settings_of
from automatos.agents.types import ELIGIBLE, AgentStatus
from automatos.tools.service import known_names
from automatos.workspaces.service import PlanLimit, require_room
from automatos.workspaces.types import Caller

NEEDED_TO_WORK = frozenset({"configuration", "llm_config", "persona_id", "use_custom_persona", "skills"})
"""What decides whether an agent can work; nothing else is looked at again when an active one is saved."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What an agent is to be: columns by name, and its skills in order; what is not named stays as it is."""

    columns: Mapping[str, Any] = field(default_factory=dict[str, Any])
    skill_ids: Sequence[int] | None = None


async def insert(session: AsyncSession, caller: Caller, edit: Edit) -> Agent:
    """Add an inactive agent with its skills, lane, first version and audit entry.

    Raises:
        AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona: as their names say; nothing is left behind.
        PlanLimitReached: the workspace has as many agents as it may.
    """
    columns, skill_ids = edit.columns, edit.skill_ids or ()
    _refuse_unknown_tools(columns["configuration"]["tools"])
    await _refuse_unknown_persona(session, caller.workspace_id, columns.get("persona_id"))
    await _refuse_unknown_skills(session, caller.workspace_id, skill_ids)
    await require_room_for_one(session, caller.workspace_id)
    agent = await queries.insert_agent(session, caller.workspace_id, {**columns, "created_by": caller.actor})
    if agent is None:
        raise AgentNameTaken(columns["name"])
    if skill_ids:
        await assigned.replace_skills(session, caller.workspace_id, agent.id, skill_ids)
    await keep_lane(session, agent)
    await versions.keep(session, agent, caller.actor)
    await note(session, caller, agent, "agent.created", name=agent.name)
    return agent


async def require_room_for_one(session: AsyncSession, workspace_id: UUID) -> None:
    """Refuse one more agent than the workspace's plan allows; archived ones take no room."""
    await require_room(session, workspace_id, PlanLimit.AGENTS, lambda: queries.count_agents(session, workspace_id))


async def save(
    session: AsyncSession, caller: Caller, agent: Agent, edit: Edit, readiness: Readiness,
    *, becomes: AgentStatus | None = None,
) -> Agent:
    """Make a locked agent what the edit says, as its next version; an edit that changes nothing writes nothing.

    `becomes` is the status that the same transaction gives the agent next: one that takes work must be ready for it,
    and one that stops taking work need not be.

    Raises:
        AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady: as their names say.
    """
    now = current_columns(agent)
    changes = {name: value for name, value in edit.columns.items() if now.get(name, getattr(agent, name)) != value}
    had = await assigned.list_skill_ids(session, caller.workspace_id, agent.id) if edit.skill_ids is not None else []
    new_skills = edit.skill_ids if edit.skill_ids is not None and list(edit.skill_ids) != had else None
    if not changes and new_skills is None:
        return agent
    _refuse_unknown_tools(changes.get("configuration", now["configuration"])["tools"], now["configuration"]["tools"])
    await _refuse_unknown_persona(session, caller.workspace_id, changes.get("persona_id"))
    await _refuse_unknown_skills(session, caller.workspace_id, [one for one in new_skills or () if one not in had])
    saved = await queries.update_agent(session, caller.workspace_id, agent.id, {**_moved(agent, now), **changes})
    if saved is None:
        raise AgentNameTaken(str(changes["name"]))
    if new_skills is not None:
        await assigned.replace_skills(session, caller.workspace_id, agent.id, new_skills)
    fields = sorted({*changes, *(["skills"] if new_skills is not None else [])})
    if (becomes or saved.status) in ELIGIBLE and NEEDED_TO_WORK.intersection(fields):
        await refuse_faults(session, saved, readiness)
    await keep_lane(session, saved)
    await versions.keep(session, saved, caller.actor)
    await note(session, caller, saved, "agent.updated", name=saved.name, fields=fields)
    return saved


def current_columns(agent: Agent) -> dict[str, Any]:
    """Return the columns that older versions may have filled differently, as today's code would have."""
    return {
        "configuration": configuration_of(agent.configuration),
        "llm_config": model_settings_of(agent.llm_config, agent.configuration),
    }


def _moved(agent: Agent, now: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a save rewrites by the way, so that nothing stays where older versions kept it."""
    return {name: value for name, value in now.items() if getattr(agent, name) != value}


def _refuse_unknown_tools(tools: Iterable[str], had: Iterable[str] = ()) -> None:
    """Tools that the agent had already are left to readiness: a save of something else is not refused for them."""
    known, before = known_names(), set(had)
    if unknown := [name for name in tools if name not in known and name not in before]:
        raise UnknownTools(unknown, known)


async def _refuse_unknown_persona(session: AsyncSession, workspace_id: UUID, persona_id: UUID | None) -> None:
    if persona_id is None:
        return
    found = await assigned.find_persona(session, workspace_id, persona_id)
    if found is None or not found["is_active"]:
        raise UnknownPersona(persona_id)


async def _refuse_unknown_skills(session: AsyncSession, workspace_id: UUID, skill_ids: Sequence[int]) -> None:
    if not skill_ids:
        return
    found = {card["id"] for card in await assigned.find_skills(session, workspace_id, skill_ids) if card["is_active"]}
    if unknown := [one for one in skill_ids if one not in found]:
        raise UnknownSkills(unknown)
