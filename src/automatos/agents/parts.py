"""The parts of an agent that can be saved by themselves: model, persona, skills, configuration."""

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import configuration, schemas
from automatos.agents.configuration import MAX_SKILLS, ModelSettings
from automatos.agents.deps import Readiness
from automatos.agents.errors import PersonaNotFound, SkillNotAssigned, UnknownPersona
from automatos.agents.models import Agent
from automatos.agents.queries import assigned as queries
from automatos.agents.saving import Edit, chosen, load_for_update, merged, save
from automatos.agents.stored import model_settings_of
from automatos.agents.types import AgentConfiguration
from automatos.kernel.errors import InvalidRequest
from automatos.workspaces.types import Caller

Versions = frozenset[int] | None


def show_model(agent: Agent) -> schemas.AgentModelConfig:
    """Return which model an agent asks and how."""
    found = model_settings_of(agent.llm_config, agent.configuration)
    return schemas.AgentModelConfig(
        agent_id=agent.id, llm_config=schemas.ModelConfig.model_validate(found) if found else None)


async def change_model(
    session: AsyncSession, caller: Caller, agent_id: int, model: ModelSettings | None, readiness: Readiness,
    expected: Versions,
) -> Agent:
    """Replace an agent's model settings; raises what `update_agent` does."""
    agent = await load_for_update(session, caller, agent_id, readiness.tools, expected)
    return await save(session, caller, agent, Edit({"llm_config": chosen(model)}), readiness)


async def change_configuration(
    session: AsyncSession, caller: Caller, agent_id: int, named: AgentConfiguration, readiness: Readiness,
    expected: Versions,
) -> Agent:
    """Change the named settings of an agent and leave the others; raises what `update_agent` does."""
    agent = await load_for_update(session, caller, agent_id, readiness.tools, expected)
    return await save(session, caller, agent, Edit({"configuration": merged(agent, named)}), readiness)


async def show_persona(session: AsyncSession, agent: Agent) -> schemas.AgentPersona:
    """Return an agent's voice: its own text where it uses that and has one, else the library's persona, else none."""
    persona, _ = await queries.read_voice(session, agent.workspace_id, agent.persona_id, ())
    own_text = agent.custom_persona_prompt if agent.use_custom_persona else None
    return schemas.AgentPersona(
        agent_id=agent.id, persona_id=agent.persona_id, persona_name=persona["name"] if persona else None,
        persona_slug=persona["slug"] if persona else None,
        system_prompt=own_text or (persona["system_prompt"] if persona else None),
        voice_description=persona["voice_description"] if persona and not own_text else None,
        custom_persona_prompt=agent.custom_persona_prompt, use_custom_persona=agent.use_custom_persona,
    )


async def change_persona(
    session: AsyncSession, caller: Caller, agent_id: int, voice: configuration.PersonaChange, readiness: Readiness,
    expected: Versions,
) -> Agent:
    """Replace an agent's voice.

    Raises:
        PersonaNotFound: the workspace has no such persona, or it is switched off.
        AgentNotFound, StaleEdit, AgentNotReady: as their names say.
    """
    agent = await load_for_update(session, caller, agent_id, readiness.tools, expected)
    edit = Edit({"persona_id": voice.persona_id, "custom_persona_prompt": voice.custom_prompt,
                 "use_custom_persona": voice.use_custom})
    try:
        return await save(session, caller, agent, edit, readiness)
    except UnknownPersona as unknown:
        raise PersonaNotFound(voice.persona_id) from unknown


async def show_skills(session: AsyncSession, agent: Agent) -> schemas.AgentSkills:
    """Return an agent's skills in the order of its prompt."""
    found = await queries.read_companions(session, [agent.workspace_id], [agent.id], [])
    items = [schemas.SkillCard.model_validate(card) for card in found.skills.get(agent.id, ())]
    return schemas.AgentSkills(items=items, total=len(items))


async def add_skills(
    session: AsyncSession, caller: Caller, agent_id: int, change: configuration.SkillChange, readiness: Readiness,
    expected: Versions,
) -> Agent:
    """Give an agent more skills after those it has, or these instead of them; each once.

    Raises:
        UnknownSkills: the workspace has no such skills, or they are switched off; names each.
        AgentNotFound, StaleEdit, AgentNotReady: as their names say.
    """
    agent = await load_for_update(session, caller, agent_id, readiness.tools, expected)
    had = [] if change.replace else await queries.list_skill_ids(session, caller.workspace_id, agent_id)
    wanted = list(dict.fromkeys([*had, *change.skill_ids]))
    if len(wanted) > MAX_SKILLS:
        raise InvalidRequest(f"skill_ids: {agent.name!r} would have {len(wanted)} skills; {MAX_SKILLS} are the most.",
                             field="skill_ids")
    return await save(session, caller, agent, Edit(skill_ids=wanted), readiness)


async def remove_skill(
    session: AsyncSession, caller: Caller, agent_id: int, skill_id: int, readiness: Readiness
) -> Agent:
    """Take a skill from an agent; raises AgentNotFound, SkillNotAssigned."""
    agent = await load_for_update(session, caller, agent_id, readiness.tools)
    had = await queries.list_skill_ids(session, caller.workspace_id, agent_id)
    if skill_id not in had:
        raise SkillNotAssigned(agent.name, skill_id)
    return await save(session, caller, agent, Edit(skill_ids=[one for one in had if one != skill_id]), readiness)
