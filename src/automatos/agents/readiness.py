"""Readiness: what tells whether an agent could work on this server, and the checks it passes before it is active."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.configuration import ModelSettings
from automatos.agents.deps import Readiness
from automatos.agents.errors import AgentNotReady
from automatos.agents.models import Agent
from automatos.agents.queries import assigned
from automatos.agents.stored import model_settings_of
from automatos.agents.types import AgentConfiguration
from automatos.kernel.schemas import Body
from automatos.llm.service import check_choice, fallback_of
from automatos.llm.types import ModelChoice
from automatos.tools.service import known_names


async def refuse_faults(session: AsyncSession, agent: Agent, readiness: Readiness) -> None:
    """Raise AgentNotReady with everything that an agent lacks to work, if it lacks anything."""
    if faults := await find_faults(session, agent, readiness):
        raise AgentNotReady(agent.name, faults)


async def find_faults(session: AsyncSession, agent: Agent, readiness: Readiness) -> list[str]:
    """Return every reason why an agent cannot work as it is stored, in whole sentences; none means it is ready.

    Its settings have to be of today's form, its model and the fallback askable, its tools there and on, its persona and
    skills still there and active.
    """
    broken = _broken_settings(agent)
    faults = [*broken, *_broken_tools(readiness, (str(name) for name in _tools_of(agent)))]
    if not any(fault.startswith("model_config") for fault in broken):
        settings = model_settings_of(agent.llm_config, agent.configuration)
        faults += await _broken_models(session, readiness, agent, settings)
    faults += await _broken_persona(session, agent)
    return faults + await _broken_skills(session, agent)


def _broken_tools(readiness: Readiness, tools: Iterable[str]) -> list[str]:
    known = known_names()
    faults: list[str] = []
    for name in tools:
        if name not in known:
            faults.append(f"Its tool {name} does not exist on this server.")
        elif reason := readiness.tools.off_reason(name):
            faults.append(f"Its tool {name} is off: {reason}")
    return faults


async def _broken_models(
    session: AsyncSession, readiness: Readiness, agent: Agent, settings: Mapping[str, Any] | None
) -> list[str]:
    choice = ModelChoice(**settings) if settings else None
    environment = str(agent.configuration.get("environment") or "") or None
    unfit = await check_choice(session, choice) if choice else []
    faults = [f"Its model settings do not fit: {fault}" for fault in unfit]
    if obstacle := await readiness.models.find_obstacle(agent.workspace_id, choice, environment):
        faults.append(f"Its model cannot be asked: {obstacle}")
    fallback = fallback_of(choice) if choice else None
    if fallback and (obstacle := await readiness.models.find_obstacle(agent.workspace_id, fallback, environment)):
        faults.append(f"Its fallback model {fallback.model_id} cannot be asked: {obstacle}")
    return faults


def _tools_of(agent: Agent) -> Sequence[object]:
    tools = agent.configuration.get("tools")
    return cast("list[object]", tools) if isinstance(tools, list) else ()


def _broken_settings(agent: Agent) -> list[str]:
    """Return what today's forms refuse of the stored settings; what they do not know does not count."""
    faults = _faults_of(AgentConfiguration, agent.configuration, "configuration")
    model = model_settings_of(agent.llm_config, agent.configuration)
    if model is not None:
        return faults + _faults_of(ModelSettings, {**model, **(agent.llm_config or {})}, "model_config")
    return [*faults, "model_config: it names no model of a known provider."] if agent.llm_config else faults


def _faults_of(kind: type[Body], stored: Mapping[str, Any], place: str) -> list[str]:
    try:
        kind.model_validate({name: stored[name] for name in kind.model_fields if name in stored})
    except ValidationError as error:
        return [f"{'.'.join(map(str, (place, *fault['loc'])))}: {fault['msg']}." for fault in error.errors()]
    return []


async def _broken_persona(session: AsyncSession, agent: Agent) -> list[str]:
    if agent.persona_id is None or agent.use_custom_persona:
        return []
    found = await assigned.find_persona(session, agent.workspace_id, agent.persona_id)
    if found is None:
        return ["Its persona is not there any more: choose another one."]
    return [] if found["is_active"] else [f"Its persona {found['name']} is switched off: choose another one."]


async def _broken_skills(session: AsyncSession, agent: Agent) -> list[str]:
    wanted = await assigned.list_skill_ids(session, agent.workspace_id, agent.id)
    if not wanted:
        return []
    found = {card["id"]: card for card in await assigned.find_skills(session, agent.workspace_id, wanted)}
    gone = [f"Its skill {one} is not there any more: take it from the agent." for one in wanted if one not in found]
    return gone + [f"Its skill {card['name']} is switched off: take it from the agent."
                   for card in found.values() if not card["is_active"]]
