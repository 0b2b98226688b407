"""Words of a run: its turns, its limits, what it starts with, what it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from automatos.agents.types import AgentSpec, SkillSpec
from automatos.events.types import RunEventData
from automatos.kernel.tokens import estimate_tokens
from automatos.llm.types import FailedAttempt, ModelChoice
from automatos.tools.types import HandedTool

JsonObject = dict[str, Any]
TurnKind = Literal["model", "tool"]
PartSource = Literal["task", "identity", "persona", "skills", "tools", "policy"]
MAX_CALLS_PER_TURN = 16
LOAD_SKILL = "load_skill"
"""The tool that gives an agent the instructions of one of its skills."""
ITEMS = "items"
"""The key of a turn's body that holds the provider's own output items: for replay only, never shown to people."""
MAX_ITEMS_BYTES = 1024 * 1024
MAX_REASONING_CHARS = 50_000
DEFAULT_MAX_TURNS = 25
DEFAULT_MAX_TOKENS = 500_000


class TemperatureSource(StrEnum):
    """Who decides how freely a model writes; with PROVIDER nobody here does."""

    AGENT = "agent"
    PERSONA = "persona"
    PROVIDER = "provider"


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a system prompt, its heading included."""

    source: PartSource
    title: str
    text: str

    @property
    def tokens(self) -> int:
        """How long the part is, estimated."""
        return estimate_tokens(self.text)


@dataclass(frozen=True, slots=True)
class Turn:
    """One entry of the journal.

    A model's body: text, reasoning, tool_calls, provider, model, end, and the provider's own items where it returned
    more than that. A tool's: call_id, name, arguments, output, ok.
    """

    run_id: UUID
    seq: int
    kind: TurnKind
    body: JsonObject
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int | None = None
    duration_ms: int = 0
    error: str | None = None

    @property
    def shown_body(self) -> JsonObject:
        """The body as people may see it: without the provider's own items."""
        return {name: value for name, value in self.body.items() if name != ITEMS}


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may use: model turns, tokens in and out together."""

    max_turns: int = DEFAULT_MAX_TURNS
    max_tokens: int = DEFAULT_MAX_TOKENS


@dataclass(frozen=True, slots=True)
class RunInput:
    """Everything a run starts from, kept with it so that a resume needs nothing that may have changed since."""

    system_prompt: str
    prompt: str
    model: ModelChoice
    tools: tuple[str, ...]
    limits: Limits = Limits()


@dataclass(frozen=True)
class Run:
    """One agent at work on one prompt, with what its journal already holds."""

    id: UUID
    workspace_id: UUID
    agent_id: int
    execution_id: UUID | None
    order: int
    run_input: RunInput
    epoch: int
    turns: list[Turn] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Answer:
    """A run's last word: its text, the turn that holds it (not yet recorded) and the events that tell of it."""

    text: str
    turn: Turn
    events: tuple[RunEventData, ...]


class Journal(Protocol):
    """Where a run writes what must survive: handed down by whoever owns the run."""

    async def record(self, turns: Sequence[Turn], events: Sequence[RunEventData]) -> None:
        """Append turns and events in one transaction; returns when they are durable."""
        ...

    def stream(self, turn: int, text: str, *, is_reasoning: bool = False) -> None:
        """Take a piece of a model's answer, or of its reasoning, as it comes: readers get it, it is not recorded."""
        ...

    def failed(self, turn: int, failure: FailedAttempt) -> None:
        """Take a request that gave no answer; written with the next record."""
        ...

    def restart(self, turn: int) -> None:
        """Forget what was streamed of a turn: the model is asked again."""
        ...


class Budget(Protocol):
    """Tokens that others use, too: each request takes its part before it is made."""

    async def reserve(self, wanted: int, needed: int, seconds: float) -> int | None:
        """Take tokens for a request of so many seconds, as wanted or all that is left; None while others hold them.

        What was taken before is given back. Raises a Problem where less than `needed` is left.
        """
        ...


class SkillLoader(Protocol):
    """Where the skills of one workspace's agents are read from while they work."""

    async def core(self, skill: SkillSpec) -> str:
        """Return the whole text of a skill, in the version that the agent has; LookupError when it is gone."""
        ...

    def handed_tools(self, agent: AgentSpec) -> Mapping[str, HandedTool]:
        """Return the tools that come with the skills of an agent that has some, by name.

        They load a skill, read a file of it, or run a script of it; each is told its workspace when it is called.
        """
        ...
