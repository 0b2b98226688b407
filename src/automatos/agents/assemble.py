"""From rows to what clients see of agents, in as many statements for a thousand as for one."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import schemas
from automatos.agents.models import Agent
from automatos.agents.queries import assigned as queries
from automatos.agents.queries.assigned import Companions
from automatos.agents.stored import configuration_of, model_settings_of
from automatos.agents.types import group_of
from automatos.tools.types import ToolCatalogue, ToolInfo

PLAIN = (
    "id", "workspace_id", "name", "slug", "description", "agent_type", "marketplace_category", "status",
    "status_reason", "status_changed_at", "last_active_at", "stopping", "tags", "model_usage_stats",
    "performance_metrics", "persona_id", "custom_persona_prompt", "use_custom_persona", "version", "created_by",
    "created_at", "updated_at",
)


async def present(session: AsyncSession, agents: Sequence[Agent], tools: ToolCatalogue) -> list[schemas.Agent]:
    """Return agents as clients see them, in the order given.

    Skills, personas and workloads are asked for once for all of them; tools come from the toolbox's catalogue.
    """
    companions = await queries.read_companions(
        session, {agent.workspace_id for agent in agents}, [agent.id for agent in agents],
        {agent.persona_id for agent in agents if agent.persona_id is not None},
        [group_of(agent.id) for agent in agents])
    has_tools = any(agent.configuration.get("tools") for agent in agents)
    toolbox = {tool.name: tool for tool in tools.available()} if has_tools else {}
    return [_shown(agent, companions, toolbox) for agent in agents]


async def present_one(session: AsyncSession, agent: Agent, tools: ToolCatalogue) -> schemas.Agent:
    """Return an agent as clients see it."""
    return (await present(session, [agent], tools))[0]


def _shown(agent: Agent, companions: Companions, toolbox: Mapping[str, ToolInfo]) -> schemas.Agent:
    configuration = configuration_of(agent.configuration)
    persona = companions.personas.get(agent.persona_id) if agent.persona_id else None
    running, queued = companions.workloads.get(group_of(agent.id), (0, 0))
    repeated = ("priority_level", "max_concurrent_tasks", "auto_start", "tools")
    values: dict[str, Any] = {name: getattr(agent, name) for name in PLAIN}
    return schemas.Agent.model_validate(values | {name: configuration[name] for name in repeated} | {
        "configuration": configuration, "llm_config": model_settings_of(agent.llm_config, agent.configuration),
        "persona": persona, "skills": companions.skills.get(agent.id, ()), "plugins": (),
        "granted_tools": [_tool(name, toolbox.get(name)) for name in configuration["tools"]],
        "workload": {"running": running, "queued": queued},
    })


def _tool(name: str, found: ToolInfo | None) -> schemas.GrantedTool:
    """Return a granted tool as the catalogue knows it; one that is gone says so instead of vanishing."""
    if found is None:
        return schemas.GrantedTool(
            name=name, description="", effect=None, is_available=False, off_reason="This server has no such tool.")
    return schemas.GrantedTool(
        name=name, description=found.description, effect=found.effect, is_available=found.is_available,
        off_reason=found.off_reason)
