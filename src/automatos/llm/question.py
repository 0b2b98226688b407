"""One question on its way to a model: what is asked, whom, until when, and what was told of the answer so far."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from automatos.llm.types import CallContext, CompletionStatus, FailedAttempt, Message, ModelChoice, ToolSpec


@dataclass(slots=True)
class Question:
    """What is asked, and what has already been told of the answer."""

    messages: Sequence[Message]
    tools: Sequence[ToolSpec]
    context: CallContext
    on_delta: Callable[[str], None] | None
    on_restart: Callable[[], None] | None
    retries: int
    attempt: int
    may_call_tools: bool
    on_failed: Callable[[FailedAttempt], None] | None = None
    before_pause: Callable[[], Awaitable[None]] | None = None
    pause_s: Callable[[int], float] | None = None
    on_reasoning: Callable[[str], None] | None = None
    refused: frozenset[str] = frozenset()
    failures: int = 0
    has_told: bool = False

    @property
    def retries_left(self) -> int:
        """How many more requests may follow a failed one."""
        return self.retries - self.failures

    def tell(self, text: str) -> None:
        """Hand on a piece of the answer."""
        if self.on_delta:
            self.has_told = True
            self.on_delta(text)

    def tell_reasoning(self, text: str) -> None:
        """Hand on a piece of the reasoning."""
        if self.on_reasoning:
            self.has_told = True
            self.on_reasoning(text)

    def may_ask_again(self) -> bool:
        """Say whether asking again cannot leave the reader with two beginnings."""
        return not self.has_told or self.on_restart is not None

    def start_over(self) -> None:
        """Tell the reader that what it was told is void."""
        if self.has_told and self.on_restart:
            self.on_restart()
        self.has_told = False


@dataclass(frozen=True, slots=True)
class Route:
    """One model to ask, what its answer counts as, and until when (the event loop's clock)."""

    choice: ModelChoice
    status: CompletionStatus
    ends_at: float
    has_next: bool = False


class AskAgain(Exception):
    """The request gave no answer and another may follow: after a pause, or at once and free when it is None."""

    def __init__(self, pause_s: float | None) -> None:
        super().__init__(pause_s)
        self.pause_s = pause_s
