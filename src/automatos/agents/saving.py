"""One save of an agent: from what people write to its next version, group and audit entry, in one transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import assemble
from automatos.agents.activation import activate, capacity_of, keep_group, note
from automatos.agents.configuration import ModelSettings
from automatos.agents.deps import Readiness
from automatos.agents.documents import keep_version
from automatos.agents.errors import AgentNameTaken, UnknownPersona, UnknownSkills, UnknownTools
from automatos.agents.models import Agent
from automatos.agents.queries import assigned
from automatos.agents.queries import records as queries
from automatos.agents.readiness import refuse_faults
from automatos.agents.schemas import AgentCreate, AgentEdit
from automatos.agents.stored import configuration_of, model_settings_of
from automatos.agents.types import (
    ELIGIBLE,
    MAX_TAGS,
    AgentConfiguration,
    AgentStatus,
    AgentType,
    Category,
    category_of,
    type_of,
)
from automatos.kernel.errors import InvalidRequest, StaleEdit
from automatos.tools.service import known_names
from automatos.tools.types import ToolCatalogue
from automatos.workspaces.service import PlanLimit, require_room
from automatos.workspaces.types import Caller

NEEDED_TO_WORK = frozenset({"llm_config", "persona_id", "use_custom_persona", "skills"})
SETTINGS_NEEDED = ("tools", "environment")
"""What decides whether an agent can work; nothing else is looked at again when an active one is saved."""
PLAIN = ("name", "description", "tags", "persona_id", "custom_persona_prompt", "use_custom_persona")


@dataclass(frozen=True, slots=True)
class Edit:
    """What an agent is to be: columns by name, and its skills in order; what is not named stays as it is."""

    columns: Mapping[str, Any] = field(default_factory=dict[str, Any])
    skill_ids: Sequence[int] | None = None


async def insert(session: AsyncSession, caller: Caller, edit: Edit) -> Agent:
    """Add an inactive agent with its skills, group, first version and audit entry.

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
    await keep_group(session, agent)
    await keep_version(session, agent, caller.actor)
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
    now, slots = current_columns(agent), capacity_of(agent)
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
    fields: list[str] = sorted([*changes, *(["skills"] if new_skills is not None else [])])
    if (becomes or saved.status) in ELIGIBLE and _decides_readiness(fields, now, changes):
        await refuse_faults(session, saved, readiness)
    if capacity_of(saved) != slots:
        await keep_group(session, saved)
    await keep_version(session, saved, caller.actor)
    await note(session, caller, saved, "agent.updated", name=saved.name, fields=fields)
    return saved


def current_columns(agent: Agent) -> dict[str, Any]:
    """Return the columns that older versions may have filled differently, as today's code would have."""
    return {
        "configuration": configuration_of(agent.configuration),
        "llm_config": model_settings_of(agent.llm_config, agent.configuration),
    }


def _decides_readiness(fields: Iterable[str], before: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    old, new = before["configuration"], changes.get("configuration", before["configuration"])
    return not NEEDED_TO_WORK.isdisjoint(fields) or any(old[name] != new[name] for name in SETTINGS_NEEDED)


def _moved(agent: Agent, now: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a save rewrites by the way, so that nothing stays where older versions kept it."""
    return {name: value for name, value in now.items() if getattr(agent, name) != value}


def _refuse_unknown_tools(tools: Iterable[str], had: Iterable[str] = ()) -> None:
    """Tools that the agent had already are left to readiness: a save of something else is not refused for them."""
    before = set(had)
    if (added := [name for name in tools if name not in before]) and (
            unknown := [name for name in added if name not in known_names()]):
        raise UnknownTools(unknown, known_names())


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


async def create_agent(session: AsyncSession, caller: Caller, body: AgentCreate, readiness: Readiness) -> Agent:
    """Add an agent to the caller's workspace with its skills, persona, model and tools.

    It is inactive, or active when the body asks for that and all it needs is there.

    Raises:
        AgentNameTaken: another agent of the workspace has the name.
        UnknownTools, UnknownSkills, UnknownPersona: something it is to have does not exist; names each.
        AgentNotReady: it is to be active and cannot work; lists every fault.
    """
    agent = await insert(session, caller, Edit(columns_of(body), body.skill_ids))
    return await activate(session, caller, agent, readiness) if body.activate else agent


def columns_of(body: AgentCreate) -> dict[str, Any]:
    """Return what a new agent's row holds of its body."""
    has_own_text = body.custom_persona_prompt is not None
    return {
        "name": body.name, "description": body.description, "tags": body.tags,
        **kind_of(body.agent_type, body.marketplace_category),
        "configuration": configured(body.configuration, body.tools), "llm_config": chosen(body.llm_config),
        "persona_id": body.persona_id, "custom_persona_prompt": body.custom_persona_prompt,
        "use_custom_persona": has_own_text if body.use_custom_persona is None else body.use_custom_persona,
    }


def kind_of(agent_type: AgentType | None, category: Category | None) -> dict[str, Any]:
    """Return type and category, each following from the other where only one is given."""
    kind = agent_type or (type_of(category) if category else AgentType.CUSTOM)
    return {"agent_type": kind, "marketplace_category": category or category_of(kind)}


def configured(configuration: AgentConfiguration, tools: list[str] | None) -> dict[str, Any]:
    """Return a whole configuration as it is stored, with the tools that stand beside it."""
    stored = configuration.model_dump(mode="json")
    return stored if tools is None else stored | {"tools": tools}


def chosen(model: ModelSettings | None) -> dict[str, Any] | None:
    """Return model settings as they are stored."""
    return model.model_dump(mode="json") if model else None


async def update_agent(
    session: AsyncSession, caller: Caller, agent: Agent, body: AgentEdit, readiness: Readiness,
    *, becomes: AgentStatus | None = None,
) -> Agent:
    """Save what the body names of a locked agent; nothing named differently means nothing changes.

    `becomes` and what is raised are those of `save`.
    """
    return await save(session, caller, agent, _edit(agent, body), readiness, becomes=becomes)


async def load_for_update(
    session: AsyncSession, caller: Caller, agent_id: int, tools: ToolCatalogue, expected: frozenset[int] | None = None
) -> Agent:
    """Return an agent of the caller's workspace, locked for a change, if it is at a version the client knows.

    Raises:
        AgentNotFound: the workspace has no such agent.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    agent = await queries.get_agent(session, caller.workspace_id, agent_id, lock=True)
    if expected is not None and agent.version not in expected:
        current = (await assemble.present_one(session, agent, tools)).model_dump(mode="json", by_alias=True)
        raise StaleEdit(
            f"{agent.name!r} is at version {agent.version} now. Load it again, redo your change and save.",
            current=current,
        )
    return agent


def _edit(agent: Agent, body: AgentEdit) -> Edit:
    """Return the columns that the body sets, with the values they would get."""
    given = body.model_fields_set
    columns: dict[str, Any] = {name: getattr(body, name) for name in PLAIN if name in given}
    if "llm_config" in given:
        columns["llm_config"] = chosen(body.llm_config)
    if body.configuration is not None or body.tools is not None:
        columns["configuration"] = merged(agent, body.configuration, body.tools)
    if body.agent_type is not None:
        columns["agent_type"] = body.agent_type
    elif body.marketplace_category is not None and body.marketplace_category != agent.marketplace_category:
        columns["agent_type"] = type_of(body.marketplace_category, AgentType(agent.agent_type))
    if "marketplace_category" in given:
        columns["marketplace_category"] = body.marketplace_category
    return Edit(columns, body.skill_ids)


def merged(agent: Agent, named: AgentConfiguration | None, tools: list[str] | None = None) -> dict[str, Any]:
    """Return an agent's configuration with the named settings changed, and resource limits one by one."""
    stored = configuration_of(agent.configuration)
    changes: Mapping[str, Any] = named.model_dump(mode="json", exclude_unset=True) if named else {}
    limits = {**stored["resource_limits"], **changes.get("resource_limits", {})}
    whole = {**stored, **changes, "resource_limits": limits}
    return whole if tools is None else whole | {"tools": tools}


async def change_tags(
    session: AsyncSession, caller: Caller, agent_id: int, named: list[str], readiness: Readiness, *, is_adding: bool
) -> Agent:
    """Add tags to an agent, or take them from it; raises what `update_agent` does, InvalidRequest for too many."""
    agent = await load_for_update(session, caller, agent_id, readiness.tools)
    kept = [tag for tag in agent.tags if is_adding or tag not in named]
    tags = list(dict.fromkeys([*kept, *named])) if is_adding else kept
    if len(tags) > MAX_TAGS:
        raise InvalidRequest(f"tags: an agent has at most {MAX_TAGS}; this one would have {len(tags)}.", field="tags")
    return await save(session, caller, agent, Edit({"tags": tags}), readiness)
