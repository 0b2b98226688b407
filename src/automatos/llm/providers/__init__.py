"""The port every provider stands behind: stream one completion."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import aiohttp

from automatos.credentials.types import Provider
from automatos.llm.errors import ModelProblem
from automatos.llm.types import (
    EFFORTS,
    NOTHING_KNOWN,
    Answer,
    BeforeCall,
    Message,
    ModelChoice,
    ModelTraits,
    ToolSpec,
    Usage,
)

OnText = Callable[[str], None]
Fault = TypeVar("Fault", bound=ModelProblem)


@dataclass(slots=True)
class CallProgress:
    """How far one call has come; read when it fails or is cancelled, to say what it used and what was refused.

    `sent_bytes` is 0 while nothing has left; `status` is the HTTP status; `usage` is what the provider told so far.
    """

    url: str = ""
    body: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    sent_bytes: int = 0
    status: int | None = None
    received_chars: int = 0
    usage: Usage | None = None


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """Everything one call to a provider needs; `refused` names what the model is known not to take.

    `on_reasoning` is handed the readable reasoning as it comes, apart from the text. `before_sending` is awaited at the
    last moment: what waits there has not left.
    """

    session: aiohttp.ClientSession
    provider: Provider
    base_url: str
    api_key: str = field(repr=False)
    choice: ModelChoice
    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    idempotency_key: str | None = None
    may_call_tools: bool = True
    refused: frozenset[str] = frozenset()
    progress: CallProgress = field(default_factory=CallProgress, repr=False)
    traits: ModelTraits = NOTHING_KNOWN
    on_reasoning: OnText | None = None
    before_sending: BeforeCall | None = None

    @property
    def is_at_home(self) -> bool:
        """Whether the provider itself is asked, at its own address, over its own wire."""
        return self.provider.wire != "openai" and self.base_url == self.provider.base_url

    def tell_reasoning(self, text: str) -> None:
        """Hand on a piece of reasoning, where somebody wants it."""
        if self.on_reasoning and text:
            self.on_reasoning(text)

    def fault(self, kind: type[Fault], what: str, *, next_step: str | None = None) -> Fault:
        """Build an error about this call, naming the provider and the model."""
        return kind(what, provider=self.provider.name, model_id=self.choice.model_id, next_step=next_step)


class ModelProvider(Protocol):
    """One wire to models."""

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once and return the complete answer, handing over its text as it comes.

        Raises a `ModelProblem` when there is no complete answer. Cancelling closes the socket.
        """
        ...


def effort_for(call: ProviderCall, taken: Sequence[str] | None = None) -> str | None:
    """Return the chosen effort, or the nearest one that the model takes; None where none was chosen or none is taken.

    `taken` are the words of a wire, for a model that the catalogue does not know.
    """
    chosen = call.choice.reasoning_effort
    efforts = call.traits.efforts if call.traits.efforts is not None else taken
    if chosen is None or efforts is None or chosen in efforts:
        return chosen
    known = [effort for effort in efforts if effort in EFFORTS]
    if not known:
        return None
    wanted = EFFORTS.index(chosen)
    return min(known, key=lambda effort: (abs(EFFORTS.index(effort) - wanted), EFFORTS.index(effort)))
