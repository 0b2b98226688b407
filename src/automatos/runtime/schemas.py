"""What clients send and get about what an agent reads, and about trying one out."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, RootModel, model_validator

from automatos.agents.service import AgentCreate
from automatos.kernel.schemas import Body, Money, Out
from automatos.runtime.types import PartSource, TemperatureSource

MAX_MESSAGES = 20
MAX_MESSAGE_CHARS = 20_000

AgentId = Annotated[int, Field(ge=1, le=2**31 - 1)]


class Draft(Body):
    """An agent as it would be saved."""

    agent: AgentCreate


class TryMessage(Body):
    """One message of the conversation with a draft."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE_CHARS)]


class Trial(Body):
    """A draft and the conversation so far; the last message is the user's, and the agent answers it."""

    agent: AgentCreate
    messages: Annotated[list[TryMessage], Field(min_length=1, max_length=MAX_MESSAGES)]

    @model_validator(mode="after")
    def _there_is_something_to_answer(self) -> Self:
        if self.messages[-1].role != "user":
            raise ValueError("messages: the last one must be the user's")
        return self


class ChosenModel(Out):
    """The model that answers, and what decided it: the agent, or the level of configuration of the default model."""

    provider: str
    model_id: str
    source: str


class PromptPart(Out):
    """One part of the system prompt; tokens are estimated."""

    source: PartSource
    title: str
    text: str
    tokens: int


class AssembledPersona(Out):
    """The voice in the prompt; one of the library has a name, a slug and a category."""

    name: str | None
    slug: str | None
    source: Literal["predefined", "custom"]
    category: str | None
    voice_description: str


class AssembledSkill(Out):
    """A skill in the prompt: level 1 is its name and description, level 2 its whole text; tokens are estimated."""

    id: int
    name: str
    level: Literal[1, 2]
    tokens: int


class AssembledContext(Out):
    """Everything an agent reads before its first message, part by part, as a run starting now would get it."""

    agent_id: int | None = Field(description="null for a draft.")
    model: ChosenModel
    temperature: float | None
    temperature_source: TemperatureSource
    system_prompt: str
    parts: list[PromptPart]
    persona: AssembledPersona | None
    skills: list[AssembledSkill]
    plugins_loaded: list[str]
    tools: list[str]
    token_estimate: int
    token_basis: str


class TryDelta(Out):
    """A piece of the answer; the data of `delta` events."""

    text: str


class TryDone(Out):
    """The whole answer and what it took; the data of the `done` event."""

    text: str
    provider: str
    model_id: str
    input_tokens: int
    output_tokens: int
    cost_usd: Money
    latency_ms: int


class TryFailed(Out):
    """The problem document of an answer that failed; the data of the `failed` event."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str


class TryEvent(RootModel[TryDelta | TryDone | TryFailed]):
    """What the stream of an answer brings, by the event's name."""
