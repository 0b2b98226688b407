"""The front door of agents: what other rooms may ask about them, and the verbs they need."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.activation import (
    allowed_from,
    announce,
    capacity_of,
    keep_lane,
    note,
    rest_agents,
    set_reason,
    set_status,
    set_stop,
)
from automatos.agents.assemble import present, present_one
from automatos.agents.configuration import AgentConfiguration, AgentDefinition, Tags
from automatos.agents.create import create_agent
from automatos.agents.deps import Readiness
from automatos.agents.documents import write_yaml
from automatos.agents.drafts import draft_spec
from automatos.agents.models import Agent
from automatos.agents.outcomes import OutcomeRecorder
from automatos.agents.pages import Page, list_agents
from automatos.agents.parts import change_configuration
from automatos.agents.queries import lists, lives, records, watched
from automatos.agents.queries.assigned import count_by_persona, users_of_skills
from automatos.agents.queries.lists import AgentFilter
from automatos.agents.queries.lives import has_peer, list_restful, list_to_start
from automatos.agents.queries.records import find_agent, get_agent
from automatos.agents.readiness import find_faults, refuse_faults
from automatos.agents.saving import require_room_for_one
from automatos.agents.schemas import Agent as AgentOut
from automatos.agents.schemas import AgentConfigurationOut, AgentCreate, AgentEdit, AgentId
from automatos.agents.specs import load_for_run, read_specs
from automatos.agents.stats import workloads
from automatos.agents.transfer import definition_in_recipe_file, upsert_from_file
from automatos.agents.types import AgentRef, AgentStatus
from automatos.agents.update import change_tags, load_for_update, update_agent

__all__ = [
    "Agent", "AgentConfiguration", "AgentConfigurationOut", "AgentCreate", "AgentDefinition", "AgentEdit",
    "AgentFilter", "AgentId", "AgentOut", "OutcomeRecorder", "Page", "Readiness", "Tags", "allowed_from", "announce",
    "capacity_of", "change_configuration", "change_tags", "changed_since", "count_by_persona", "create_agent",
    "definition_in_recipe_file", "describe", "draft_spec", "find_agent", "find_faults", "find_id_by_name",
    "fingerprint", "forget_agent", "get_agent", "has_peer", "keep_lane", "list_agents",
    "list_restful", "list_to_start", "load_for_run", "load_for_update", "note", "present", "present_one",
    "read_specs",    "refuse_faults", "require_room_for_one", "rest_agents", "set_reason", "set_status", "set_stop", "update_agent",
    "upsert_from_file", "users_of_skills", "workloads", "write_yaml",
]
CHANGES_SHOWN = 20


async def find_id_by_name(session: AsyncSession, workspace_id: UUID, name: str) -> int | None:
    """Return the id of the workspace's agent of that name, whatever its case."""
    agent = await records.find_agent_by_name(session, workspace_id, name)
    return agent.id if agent else None


async def describe(
    session: AsyncSession, workspace_id: UUID | None, agent_ids: Iterable[int], *, lock: bool = False
) -> dict[int, AgentRef]:
    """Return name and status of each named agent, one statement; those that do not exist have status None.

    With `lock` those that exist cannot be deleted before the transaction ends. Without a workspace it answers for
    every agent that the session may see.
    """
    wanted = sorted(set(agent_ids))
    found = {agent.id: AgentRef(agent.id, agent.name, AgentStatus(agent.status))
             for agent in await lists.list_by_ids(session, workspace_id, wanted, lock=lock)} if wanted else {}
    return {one: found.get(one, AgentRef(one, f"agent {one}", None)) for one in wanted}


async def fingerprint(session: AsyncSession, workspace_id: UUID) -> str:
    """Return a text that stays the same as long as every agent's definition and status do."""
    return await watched.fingerprint(session, workspace_id) or ""


async def changed_since(session: AsyncSession, workspace_id: UUID, since: datetime) -> list[str]:
    """Return a line for each agent that was saved or changed its status after `since`, at most 20."""
    rows = await watched.changed_since(session, workspace_id, since, CHANGES_SHOWN)
    return [f"Agent {row.name!r} is {row.status}, version {row.version}" for row in rows]


async def forget_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Remove an agent with its skills and saved versions; what other rooms hold of it is theirs to answer for."""
    await lives.delete_agent(session, workspace_id, agent_id)
