"""Changing agents: one save of everything that was edited, and the change of status that goes with it."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import assemble, status
from automatos.agents.configuration import AgentConfiguration
from automatos.agents.create import chosen
from automatos.agents.errors import AgentNotFound
from automatos.agents.lifecycle import Lifecycle
from automatos.agents.models import Agent
from automatos.agents.queries import records as queries
from automatos.agents.saving import Edit, save
from automatos.agents.schemas import AgentUpdate
from automatos.agents.stored import configuration_of
from automatos.agents.types import AgentType, StatusOrder, type_of
from automatos.kernel.errors import InvalidRequest, StaleEdit
from automatos.workspaces.types import Caller

PLAIN = ("name", "description", "tags", "persona_id", "custom_persona_prompt", "use_custom_persona")


async def update_agent(
    session: AsyncSession, caller: Caller, agent_id: int, body: AgentUpdate, means: Lifecycle,
    *, expected: frozenset[int] | None = None,
) -> Agent:
    """Save what the body names, then change the status if it names one: all of it, or nothing.

    Nothing named differently means nothing changes. An agent that takes work afterwards must be ready for it.

    Raises:
        AgentNotFound, AgentNameTaken, UnknownTools, UnknownSkills, UnknownPersona, AgentNotReady: as their names say.
        StaleEdit: `expected` does not hold the stored version; carries what is stored.
        StatusChangeRefused, ImpactNotConfirmed, ImpactChanged: as `status.change` says.
    """
    agent = await take(session, caller, agent_id, means, expected)
    if body.status is None and (body.shutdown_type or body.confirmations or body.impact_token):
        raise InvalidRequest("status: shutdown_type, confirmations and impact_token go with a change of status.",
                             field="status")
    agent = await save(session, caller, agent, _edit(agent, body), means.readiness, becomes=body.status)
    if body.status is None:
        return agent
    order = StatusOrder(body.status, body.shutdown_type, frozenset(body.confirmations), body.impact_token)
    return (await status.change(session, caller, agent_id, order, means)).agent


async def take(
    session: AsyncSession, caller: Caller, agent_id: int, means: Lifecycle, expected: frozenset[int] | None
) -> Agent:
    """Return an agent of the caller's workspace, locked for a change, if it is at a version the client knows.

    Raises:
        AgentNotFound: the workspace has no such agent.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    agent = await queries.find_agent(session, caller.workspace_id, agent_id, lock=True)
    if agent is None:
        raise AgentNotFound(agent_id)
    if expected is not None and agent.version not in expected:
        current = (await assemble.present_one(session, agent, means)).model_dump(mode="json", by_alias=True)
        raise StaleEdit(
            f"{agent.name!r} is at version {agent.version} now. Load it again, redo your change and save.",
            current=current,
        )
    return agent


def _edit(agent: Agent, body: AgentUpdate) -> Edit:
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
