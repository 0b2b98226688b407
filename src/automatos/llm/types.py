"""Words of the conversation with a model: messages, tools, choices, answers, and the record of what a call used."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

from automatos.kernel.clock import now

Role = Literal["system", "user", "assistant", "tool"]
CompletionStatus = Literal["success", "fallback"]
UsageStatus = Literal["success", "fallback", "error", "cancelled"]
PriceSource = Literal["catalogue", "published", "unknown"]
BeforeCall = Callable[[], Awaitable[object]]
"""Awaited before a call that cannot be taken back: it returns when this process may still do its work."""
MAX_TOKENS_OF_A_CALL = 10_000_000
MOST_CHARS_PER_TOKEN = 16
"""More characters than the tokens of any text of words, code or data have on average, so that nothing is refused that
the provider would take. Measured with OpenAI's published vocabulary o200k_base: prose 5.0, Python 4.5, indented JSON
5.4, padded tables 6.0, and 15.0 for nothing but the longest words that are one token. Providers themselves tell people
to reckon with 3.5 to 4. Only rulers (40) and blanks (127) have more."""
UNKNOWN_WINDOW_CHARS = 4_000_000
"""What a model takes whose window the catalogue does not know: a million tokens of four characters."""
LARGEST_REQUEST_CHARS = 32_000_000
"""What is sent at most, however large a window is: the largest request that providers document (Anthropic, 32 MB)."""
FALLBACK_SEPARATOR = "//"
"""Stands between provider and model of a fallback at another provider; no model's name holds it."""
HINT_TOPIC = "models"
EFFORTS = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""How hard a model may be asked to think, from not at all upwards; each model takes some of these."""
ReasoningEffort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]


class AnswerEnd(StrEnum):
    """How an answer ended; an answer that broke off is no answer, it is raised as a retryable ModelProblem."""

    COMPLETE = "complete"
    TOOL_CALLS = "tool_calls"
    CUT_OFF = "cut_off"
    REFUSED = "refused"


class ModelStatus(StrEnum):
    """How far a model of the catalogue may be chosen."""

    ACTIVE = "active"
    BETA = "beta"
    DEPRECATED = "deprecated"
    INACTIVE = "inactive"


class ModelStatusFilter(StrEnum):
    """Which models a list shows."""

    ACTIVE = "active"
    BETA = "beta"
    DEPRECATED = "deprecated"
    INACTIVE = "inactive"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """One call of a tool that a model asks for; `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ProviderItems:
    """What a provider returned, in its own words and unread, with where it may go back to.

    Signed or encrypted reasoning is of use to the provider and model family that made it, over the same wire, and is
    refused elsewhere.
    """

    wire: str
    provider: str
    family: str
    items: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation; a tool's result names the call it answers in `tool_call_id`.

    `items` are an assistant's own output items; a wire that may send them back does so instead of the text and calls.
    """

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
    items: ProviderItems | None = None


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool offered to a model; `parameters` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one call; `input_tokens` includes those read from and written to the provider's cache.

    `is_estimated` says that the provider did not tell all of it, and that we counted what was sent and received.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    is_estimated: bool = False

    def __post_init__(self) -> None:
        """Hold what a provider claims to what a call can be, so that no claim is too large to be recorded."""
        for name in ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens"):
            claimed = getattr(self, name)
            object.__setattr__(
                self, name, max(0, min(claimed, MAX_TOKENS_OF_A_CALL)) if isinstance(claimed, int) else 0)

    @property
    def total_tokens(self) -> int:
        """Input and output tokens together."""
        return self.input_tokens + self.output_tokens


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model to ask and how; a setting left None is not sent, so the provider's own default holds.

    `fallback_model_id` is a model of the same provider, or `provider//model` for another one (see `llm.choices`).
    """

    provider: str
    model_id: str
    temperature: float | None = None
    max_tokens: int | None = None
    top_p: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    fallback_model_id: str | None = None
    reasoning_effort: ReasoningEffort | None = None


@dataclass(frozen=True, slots=True)
class ModelTraits:
    """What the catalogue knows of how a model is asked; None where it does not say.

    `wire` overrides the provider's. `efforts` are those the model takes, none for one that does not reason.
    `context_window` is how many tokens it reads at once.
    """

    wire: str | None = None
    efforts: tuple[str, ...] | None = None
    takes_sampling: bool | None = None
    max_output_tokens: int | None = None
    context_window: int | None = None


NOTHING_KNOWN = ModelTraits()


@dataclass(frozen=True, slots=True)
class Window:
    """How many tokens a model reads at once, None where the catalogue does not say; `chars` are sent to it at most."""

    provider: str
    model_id: str
    tokens: int | None = None
    chars: int = field(init=False)

    def __post_init__(self) -> None:
        """Reckon the characters once: every prompt is held against them."""
        chars = UNKNOWN_WINDOW_CHARS if self.tokens is None \
            else min(self.tokens * MOST_CHARS_PER_TOKEN, LARGEST_REQUEST_CHARS)
        object.__setattr__(self, "chars", chars)


@dataclass(frozen=True, slots=True)
class DefaultModel:
    """The model that answers when an agent names none, and which level of configuration decided it."""

    choice: ModelChoice
    source: Literal["workspace_settings", "system_settings", "environment", "credential", "demo"]

    @property
    def is_demo(self) -> bool:
        """Whether no real provider is configured."""
        return self.choice.provider == "demo"


@dataclass(frozen=True, slots=True)
class CallContext:
    """For whom a call is made; `epoch` separates the calls of a run that another worker took over.

    `environment` chooses among the workspace's credentials; None means production.
    """

    workspace_id: UUID
    agent_id: int | None = None
    execution_id: UUID | None = None
    run_id: UUID | None = None
    turn: int | None = None
    request_type: str = "recipe"
    epoch: int = 0
    environment: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider answered, before prices; `usage` is None when the provider did not say.

    `reasoning` is what can be read of the model's thinking, apart from the text. `finish_reason` is the provider's
    word for the end and `end` what it means. `items` is None where text and calls are all there is to send back.
    `calls_from_text` says that the model wrote its calls into its text, and that they were read out of it.
    """

    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage | None
    finish_reason: str
    end: AnswerEnd
    reasoning: str = ""
    items: ProviderItems | None = None
    calls_from_text: bool = False


@dataclass(frozen=True, slots=True)
class Completion:
    """A complete answer with what it cost; `status` is "fallback" when the fallback model gave it.

    `left_out` names the features of the request that the model refused, and that it was asked without.
    """

    text: str
    tool_calls: tuple[ToolCall, ...]
    usage: Usage
    provider: str
    model_id: str
    finish_reason: str
    latency_ms: int
    cost_micro_usd: int | None
    status: CompletionStatus
    attempt: int = 1
    end: AnswerEnd = AnswerEnd.COMPLETE
    reasoning: str = ""
    items: ProviderItems | None = None
    left_out: tuple[str, ...] = ()
    calls_from_text: bool = False


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """One request to a provider that gave no answer: what it was told, what it used, and when the next one follows.

    `number` counts the requests of one call from 1, and `of` is how many there may be. `then` says what follows: the
    same request again, after `wait_s`, or one to the fallback model, or nothing.
    """

    provider: str
    model_id: str
    number: int
    of: int
    status: Literal["error", "cancelled"]
    code: str
    reason: str
    provider_status: int | None
    usage: Usage
    cost_micro_usd: int | None
    latency_ms: int
    then: Literal["again", "fallback", "nothing"]
    wait_s: float | None


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """A call as a run's journal keeps it."""

    provider: str
    model_id: str
    attempt: int
    status: CompletionStatus
    usage: Usage
    latency_ms: int


@dataclass(frozen=True, slots=True)
class Cost:
    """Integer micro-dollars of one call, input and output apart."""

    input_micro_usd: int
    output_micro_usd: int

    @property
    def total_micro_usd(self) -> int:
        """Both parts together."""
        return self.input_micro_usd + self.output_micro_usd


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One call for the usage ledger: who made it, what it used, what it cost, how it ended."""

    context: CallContext
    provider: str
    model_id: str
    attempt: int
    status: UsageStatus
    usage: Usage = field(default_factory=Usage)
    cost: Cost | None = None
    latency_ms: int = 0
    error_message: str | None = None
    credential_id: UUID | None = None
    created_at: datetime = field(default_factory=now)
