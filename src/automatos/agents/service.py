"""The front door of agents: what other rooms may ask about them, and the verbs they need."""

from collections.abc import Iterable
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.assemble import present, present_one
from automatos.agents.configuration import AgentConfiguration, AgentDefinition
from automatos.agents.documents import write_yaml
from automatos.agents.drafts import draft_spec
from automatos.agents.errors import AgentNotFound
from automatos.agents.models import Agent
from automatos.agents.outcomes import OutcomeRecorder
from automatos.agents.pages import Page, list_agents
from automatos.agents.parts import change_configuration
from automatos.agents.queries import lists
from automatos.agents.queries import records as queries
from automatos.agents.queries.assigned import users_of_skills
from automatos.agents.queries.lists import AgentFilter
from automatos.agents.queries.voices import count_by_persona
from automatos.agents.readiness import Readiness
from automatos.agents.schemas import Agent as AgentOut
from automatos.agents.schemas import AgentConfigurationOut, AgentCreate
from automatos.agents.specs import load_for_run, read_specs
from automatos.agents.stopping import tell as announce
from automatos.agents.transfer import definition_in_recipe_file, upsert_from_file
from automatos.agents.types import AgentRef, AgentStatus
from automatos.agents.watched import changed_since, fingerprint

__all__ = [
    "AgentConfiguration", "AgentConfigurationOut", "AgentCreate", "AgentDefinition", "AgentFilter", "AgentOut",
    "OutcomeRecorder", "Page", "Readiness", "announce", "change_configuration", "changed_since",
    "count_by_persona", "definition_in_recipe_file", "describe", "draft_spec", "find_id_by_name", "fingerprint",
    "get_agent", "list_agents", "load_for_run", "present", "present_one", "read_specs", "upsert_from_file",
    "users_of_skills", "write_yaml",
]


async def get_agent(session: AsyncSession, workspace_id: UUID, agent_id: int, *, lock: bool = False) -> Agent:
    """Return an agent of the workspace; raises AgentNotFound."""
    agent = await queries.find_agent(session, workspace_id, agent_id, lock=lock)
    if agent is None:
        raise AgentNotFound(agent_id)
    return agent


async def find_id_by_name(session: AsyncSession, workspace_id: UUID, name: str) -> int | None:
    """Return the id of the workspace's agent of that name, whatever its case."""
    agent = await queries.find_agent_by_name(session, workspace_id, name)
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
