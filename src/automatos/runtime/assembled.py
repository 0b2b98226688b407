"""What an agent reads before its first message, shown to people: the very parts that a run would get."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from automatos.agents.errors import AgentNotFound
from automatos.agents.service import load_for_run
from automatos.agents.types import AgentSpec, PersonaSpec
from automatos.kernel.db import Database
from automatos.kernel.tokens import TOKEN_BASIS, estimate_tokens
from automatos.llm.service import ModelClient
from automatos.llm.types import ModelChoice
from automatos.runtime.runtime import AgentFactory, AgentRuntime, join
from automatos.runtime.types import Part, SkillLoader, TemperatureSource
from automatos.tools.service import Toolbox


@dataclass(frozen=True, slots=True)
class ReadSkill:
    """A skill in a prompt: by name and description (level 1), or whole (level 2)."""

    id: int
    name: str
    level: Literal[1, 2]
    tokens: int


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """The model that answers; `source` is "agent", or the level of configuration that decided the default one."""

    provider: str
    model_id: str
    source: str


@dataclass(frozen=True, slots=True)
class Assembled:
    """Everything an agent reads before its first message, and who answers; `agent_id` is None for a draft."""

    agent_id: int | None
    model: ChosenModel
    temperature: float | None
    temperature_source: TemperatureSource
    parts: tuple[Part, ...]
    persona: PersonaSpec | None
    skills: tuple[ReadSkill, ...]
    tools: tuple[str, ...]
    plugins_loaded: tuple[str, ...] = ()
    token_basis: str = TOKEN_BASIS

    @property
    def system_prompt(self) -> str:
        """The prompt that the parts make."""
        return join(self.parts)

    @property
    def token_estimate(self) -> int:
        """How long the prompt is, estimated."""
        return estimate_tokens(self.system_prompt)


@dataclass(frozen=True, slots=True)
class Assembler:
    """Makes the agents of one workspace ready as a run would, without running them."""

    database: Database
    models: ModelClient
    toolbox: Toolbox
    skills: SkillLoader
    workspace_id: UUID

    async def of_agent(self, agent_id: int) -> Assembled:
        """Return what a run of a stored agent that starts now would read; raises AgentNotFound."""
        specs = await load_for_run(self.database, self.workspace_id, [agent_id])
        if not specs:
            raise AgentNotFound(agent_id)
        return await self.of_spec(specs[0], agent_id)

    async def of_spec(self, agent: AgentSpec, agent_id: int | None) -> Assembled:
        """Return what a run of this agent would read; `agent_id` is None for one that is not stored.

        Raises UnknownProvider and UnknownModel when settings name no usable default model.
        """
        default = None if agent.model else await self.models.resolve_default(self.workspace_id)
        runtime = self.ready(agent, default.choice if default else None)
        model, parts, cores = await runtime.model(), await runtime.parts(), await runtime.cores()
        return Assembled(
            agent_id, ChosenModel(model.provider, model.model_id, default.source if default else "agent"),
            model.temperature, runtime.temperature_source, parts, agent.persona, tuple(_skills(agent, cores)),
            tuple(tool.name for tool in runtime.tools),
        )

    def ready(self, agent: AgentSpec, default: ModelChoice | None) -> AgentRuntime:
        """Return a runtime of the agent; the default model is looked up when it is needed and not given."""

        async def find_default() -> ModelChoice:
            return default or (await self.models.resolve_default(self.workspace_id)).choice

        return AgentFactory(self.toolbox, find_default, self.skills).activate_agent(agent)


def _skills(agent: AgentSpec, cores: Mapping[int, str]) -> Iterator[ReadSkill]:
    for skill in (skill for skill in agent.skills if skill.by_model):
        if skill.id in cores:
            yield ReadSkill(skill.id, skill.name, 2, estimate_tokens(cores[skill.id]))
        else:
            yield ReadSkill(skill.id, skill.name, 1, estimate_tokens(f"- {skill.name}: {skill.description}"))
