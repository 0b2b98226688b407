"""An agent made ready to work: its identity, model, tools, prompt and counters of what it has used.

The prompt's parts have a fixed order. A task that begins with `/name arguments` hands the agent the skill of that name
whole, for this task.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from automatos.agents.types import AgentSpec, SkillSpec
from automatos.llm.errors import PromptTooLong
from automatos.llm.types import ModelChoice, ToolSpec, Window
from automatos.runtime.notes import LEVELS, RunNotes
from automatos.runtime.types import Limits, Part, PartSource, RunInput, SkillLoader, TemperatureSource
from automatos.skills.service import tool_name
from automatos.tools.service import Toolbox
from automatos.tools.types import HandedTool

PRELOAD = "preload"
PROMPTS = Path(__file__).parent / "prompts"
CALL = re.compile(r"\s*/([^\s/]+)(?:[ \t]+([^\n]*))?(?=\n|$)")
ARGUMENTS = "$ARGUMENTS"
_TITLES: Mapping[PartSource, str] = {
    "task": "Task", "identity": "Who you are", "persona": "Persona", "skills": "Your skills", "tools": "Your tools",
    "policy": "How to work",
}


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
    notes: RunNotes
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
            is_preloaded = self.agent.settings.skill_loading == PRELOAD
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

    async def open(self, prompt: str, limits: Limits, window: Window | None = None) -> RunInput:
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
        return RunInput(system_prompt, prompt, await self.model(), tuple(tool.name for tool in tools), limits)


def tool_names(skill: SkillSpec) -> frozenset[str]:
    """Return by what names a model calls the scripts of a skill."""
    return frozenset(tool_name(skill.name, tool["name"]) for tool in skill.tools_schema)


class AgentFactory:
    """Makes runtimes for the agents of one workspace."""

    def __init__(
        self, toolbox: Toolbox, find_default_model: Callable[[], Awaitable[ModelChoice]], skills: SkillLoader
    ) -> None:
        self._toolbox = toolbox
        self._find_default_model = find_default_model
        self._skills = skills

    def activate_agent(self, agent: AgentSpec) -> AgentRuntime:
        """Return a runtime of an agent; asks no provider for anything yet."""
        handed = self._skills.handed_tools(agent) if agent.skills else {}
        tools = self._toolbox.specs(agent.tools)
        if handed:
            tools = self._toolbox.specs_with((*agent.tools, *handed), handed)
        return AgentRuntime(agent, notes_of(agent), tools, handed, self._skills.core, self._find_default_model)


def notes_of(agent: AgentSpec) -> RunNotes:
    """Return where an agent's runs are noted, as its configuration wants it."""
    return RunNotes({"agent_id": agent.id, "agent": agent.name},
                    LEVELS[agent.settings.logging_level],
                    agent.settings.performance_monitoring)


@cache
def text_of(name: str) -> str:
    """Return one of the texts that every prompt is made with."""
    return (PROMPTS / f"{name}.md").read_text(encoding="utf-8").strip()


def assemble(agent: AgentSpec, tools: tuple[ToolSpec, ...], cores: Mapping[int, str]) -> tuple[Part, ...]:
    """Return the parts of a system prompt: task, identity, persona, skills, tools, policy; without those it lacks.

    `cores` holds the whole texts of those skills, by id, that the agent reads from the start. This is the one place
    where prompts are put together: what people are shown is what runs get.
    """
    texts: Mapping[PartSource, str] = {
        "task": text_of("task"),
        "identity": _titled("identity", _identity(agent)),
        "persona": _titled("persona", agent.persona.system_prompt if agent.persona else ""),
        "skills": _titled("skills", _skills(agent, cores)),
        "tools": _titled("tools", "\n".join(f"- {tool.name}: {tool.description}" for tool in tools)),
        "policy": _titled("policy", text_of("policy")),
    }
    return tuple(Part(source, _TITLES[source], text) for source, text in texts.items() if text)


def join(parts: tuple[Part, ...]) -> str:
    """Return the system prompt that the parts make."""
    return "\n\n".join(part.text for part in parts)


def size_of(agent: AgentSpec, tools: tuple[ToolSpec, ...], cores: Mapping[int, str]) -> int:
    """Return how many characters of what people wrote `assemble` would put together, without doing so."""
    persona = len(agent.persona.system_prompt) if agent.persona else 0
    skills = sum(len(skill.name) + len(skill.description) for skill in agent.skills if skill.by_model)
    offered = sum(len(tool.name) + len(tool.description) for tool in tools)
    return len(agent.description) + persona + skills + offered + sum(len(text) for text in cores.values())


def _titled(source: PartSource, text: str) -> str:
    return f"# {_TITLES[source]}\n{text}" if text else ""


def _identity(agent: AgentSpec) -> str:
    lines = [f"You are {agent.name} ({agent.agent_type.replace('_', ' ')}).", agent.description,
             agent.settings.environment_note]
    return "\n".join(line for line in lines if line)


def _skills(agent: AgentSpec, cores: Mapping[int, str]) -> str:
    """List every skill that the agent is told of by name and description; those with their text follow, whole."""
    skills = [skill for skill in agent.skills if skill.by_model]
    if not skills:
        return ""
    listed = "\n".join(f"- {skill.name}: {skill.description}" for skill in skills)
    how = text_of("skills_whole" if len(cores) == len(skills) else "skills")
    whole = [f"## {skill.name}\n{cores[skill.id]}" for skill in skills if skill.id in cores]
    return "\n\n".join([f"{how}\n{listed}", *whole])


def find_invoked(skills: Iterable[SkillSpec], prompt: str) -> SkillSpec | None:
    """Return the skill that a prompt calls up; only its very beginning counts, and only skills that people may call."""
    match = CALL.match(prompt)
    if match is None:
        return None
    return next((skill for skill in skills if skill.name == match[1] and skill.by_people), None)


def with_skill(how: str, skill: SkillSpec, text: str, prompt: str, window: Window | None = None) -> str:
    """Return the prompt with the skill's text before it; it stays the person's message, not the server's.

    Raises:
        PromptTooLong: the skill repeats its arguments to more than the window holds; nothing was put together.
    """
    match = CALL.match(prompt)
    arguments = (match[2] or "").strip() if match else ""
    size = len(text) + text.count(ARGUMENTS) * len(arguments) + len(prompt)
    if window and size > window.chars:
        raise PromptTooLong(window, size, f"The skill {skill.name!r} with its arguments")
    return f"{how}\n\n## {skill.name}\n{text.replace(ARGUMENTS, arguments)}\n\n## Task\n{prompt.strip()}"
