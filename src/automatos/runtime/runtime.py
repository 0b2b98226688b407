"""An agent made ready to work: its identity, model, tools and prompt, and counters of what it has used."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace

from automatos.agents.types import AgentSpec, SkillSpec
from automatos.llm.types import ModelChoice, ToolSpec, Window
from automatos.runtime.context import assemble, join, size_of, text_of
from automatos.runtime.invoking import find_invoked, with_skill
from automatos.runtime.types import Limits, Opening, Part, SkillShelf, TemperatureSource
from automatos.skills.service import tool_name
from automatos.tools.service import Toolbox
from automatos.tools.types import HandedTool

PRELOAD = "preload"


@dataclass
class Counters:
    """What an agent has used since it was activated."""

    runs: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0


@dataclass
class AgentRuntime:
    """One agent, active in this process. Its model and skills are looked up when they are first needed, and then kept.

    `tools` are all it is offered; those of them that come with its skills are in `handed`, by name.
    """

    agent: AgentSpec
    tools: tuple[ToolSpec, ...]
    handed: Mapping[str, HandedTool]
    read_core: Callable[[SkillSpec], Awaitable[str]]
    find_default_model: Callable[[], Awaitable[ModelChoice]]
    counters: Counters = field(default_factory=Counters)
    _model: ModelChoice | None = None
    _cores: Mapping[int, str] | None = None

    async def model(self) -> ModelChoice:
        """Return the agent's own model, or the workspace's default where it names none.

        Where the agent sets no temperature, its persona's suggestion counts.
        """
        if self._model is None:
            chosen = self.agent.model or await self.find_default_model()
            if self.temperature_source is TemperatureSource.PERSONA and self.agent.persona:
                chosen = replace(chosen, temperature=self.agent.persona.suggested_temperature)
            self._model = chosen
        return self._model

    @property
    def temperature_source(self) -> TemperatureSource:
        """Who decides the temperature: the agent, else its persona, else nobody and the provider's default holds."""
        if self.agent.model and self.agent.model.temperature is not None:
            return TemperatureSource.AGENT
        if self.agent.persona and self.agent.persona.suggested_temperature is not None:
            return TemperatureSource.PERSONA
        return TemperatureSource.PROVIDER

    async def cores(self) -> Mapping[int, str]:
        """Return the whole texts, by id, of the skills that the agent reads from the start; one that is gone is out."""
        if self._cores is None:
            is_preloaded = self.agent.configuration.get("skill_loading") == PRELOAD
            skills = [skill for skill in self.agent.skills if skill.by_model and is_preloaded]
            texts = await asyncio.gather(*(self._read(skill) for skill in skills)) if skills else ()
            self._cores = {skill.id: text for skill, text in zip(skills, texts, strict=True) if text is not None}
        return self._cores

    async def _read(self, skill: SkillSpec) -> str | None:
        try:
            return await self.read_core(skill)
        except LookupError:
            return None

    async def parts(self) -> tuple[Part, ...]:
        """Return the system prompt in parts."""
        return await self._parts(self._offered(None))

    async def size(self) -> int:
        """Return how many characters of the system prompt people wrote, before it is put together."""
        return size_of(self.agent, self._offered(None), await self.cores())

    async def _parts(self, tools: tuple[ToolSpec, ...]) -> tuple[Part, ...]:
        return assemble(self.agent, tools, await self.cores())

    def _offered(self, invoked: SkillSpec | None) -> tuple[ToolSpec, ...]:
        """Return the tools of a run: those of skills that the agent is not told of come with their skill only."""
        hidden = {skill.name for skill in self.agent.skills if not skill.by_model and skill is not invoked}
        if not hidden:
            return self.tools
        if invoked is None and not any(skill.by_model for skill in self.agent.skills):
            return tuple(tool for tool in self.tools if tool.name not in self.handed)
        theirs = {name for skill in self.agent.skills if skill.name in hidden for name in tool_names(skill)}
        return tuple(tool for tool in self.tools if tool.name not in theirs)

    async def open(self, prompt: str, limits: Limits, window: Window | None = None) -> Opening:
        """Return what a run of this agent on `prompt` starts from; raises PromptTooLong beyond the window.

        A prompt that begins with `/` and the name of a skill has the skill's text before it.
        """
        self.counters.runs += 1
        invoked = find_invoked(self.agent.skills, prompt)
        text = await self._read(invoked) if invoked else None
        if invoked and text is not None:
            prompt = with_skill(text_of("skill_invoked"), invoked, text, prompt, window)
        tools = self._offered(invoked)
        system_prompt = join(await self._parts(tools))
        return Opening(system_prompt, prompt, await self.model(), tuple(tool.name for tool in tools), limits)


def tool_names(skill: SkillSpec) -> frozenset[str]:
    """Return by what names a model calls the scripts of a skill."""
    return frozenset(tool_name(skill.name, tool["name"]) for tool in skill.tools_schema)


class AgentFactory:
    """Makes runtimes for the agents of one workspace."""

    def __init__(
        self, toolbox: Toolbox, find_default_model: Callable[[], Awaitable[ModelChoice]], skills: SkillShelf
    ) -> None:
        self._toolbox = toolbox
        self._find_default_model = find_default_model
        self._skills = skills

    def activate_agent(self, agent: AgentSpec) -> AgentRuntime:
        """Return a runtime of an agent; asks no provider for anything yet."""
        handed = self._skills.handed_tools(agent)
        tools = self._toolbox.specs([*agent.tools, *handed], handed)
        return AgentRuntime(agent, tuple(tools), handed, self._skills.core, self._find_default_model)
