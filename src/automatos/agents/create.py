"""Making agents: everything a new one has, in one transaction."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.activation import activate
from automatos.agents.configuration import AgentConfiguration, ModelSettings
from automatos.agents.deps import Readiness
from automatos.agents.models import Agent
from automatos.agents.saving import Edit, insert
from automatos.agents.schemas import AgentCreate
from automatos.agents.types import AgentType, Category, category_of, type_of
from automatos.workspaces.types import Caller


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
