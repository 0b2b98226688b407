"""An agent made ready to work: its identity, model, tools and prompt, and counters of what it has used."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from automatos.agents.types import AgentSpec
from automatos.llm.types import ModelChoice, ToolSpec
from automatos.runs.context import assemble
from automatos.runs.types import Limits, Opening
from automatos.tools.service import Toolbox


@dataclass
class Counters:
    """What an agent has used since it was activated."""

    runs: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    tool_calls: int = 0


@dataclass
class AgentRuntime:
    """One agent, active in this process. Its model is looked up when it is first needed, and then kept."""

    agent: AgentSpec
    tools: tuple[ToolSpec, ...]
    system_prompt: str
    find_default_model: Callable[[], Awaitable[ModelChoice]]
    counters: Counters = field(default_factory=Counters)
    _model: ModelChoice | None = None

    async def model(self) -> ModelChoice:
        """Return the agent's own model, or the workspace's default where it names none."""
        if self._model is None:
            self._model = self.agent.model or await self.find_default_model()
        return self._model

    async def open(self, prompt: str, limits: Limits) -> Opening:
        """Return what a run of this agent on `prompt` starts from."""
        self.counters.runs += 1
        return Opening(self.system_prompt, prompt, await self.model(), tuple(tool.name for tool in self.tools), limits)


class AgentFactory:
    """Makes runtimes for the agents of one workspace."""

    def __init__(self, toolbox: Toolbox, find_default_model: Callable[[], Awaitable[ModelChoice]]) -> None:
        self._toolbox = toolbox
        self._find_default_model = find_default_model

    def activate_agent(self, agent: AgentSpec) -> AgentRuntime:
        """Return a runtime of an agent; asks no provider for anything yet."""
        tools = tuple(self._toolbox.specs(agent.tools))
        return AgentRuntime(agent, tools, assemble(agent, tools), self._find_default_model)
