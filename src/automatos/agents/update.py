"""Changing agents: found and locked for it, and one save of everything that was edited."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import assemble
from automatos.agents.configuration import AgentConfiguration
from automatos.agents.create import chosen
from automatos.agents.deps import Readiness
from automatos.agents.models import Agent
from automatos.agents.queries.records import get_agent
from automatos.agents.saving import Edit, save
from automatos.agents.schemas import AgentEdit
from automatos.agents.stored import configuration_of
from automatos.agents.types import MAX_TAGS, AgentStatus, AgentType, type_of
from automatos.kernel.errors import InvalidRequest, StaleEdit
from automatos.tools.types import ToolCatalogue
from automatos.workspaces.types import Caller

PLAIN = ("name", "description", "tags", "persona_id", "custom_persona_prompt", "use_custom_persona")


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
    agent = await get_agent(session, caller.workspace_id, agent_id, lock=True)
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
