"""Events that end a run; nothing follows them."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from automatos.events.fields import CutOff, Dollars, Estimated, Failure, KnownDollars, Unpriced


@dataclass(slots=True, kw_only=True)
class _ExecutionEnded:
    total_tokens: Annotated[int, Field(description="Tokens of all requests together.")]
    cost_usd: Dollars
    duration_ms: Annotated[int, Field(description="From the beginning to the end.")]
    agents: Annotated[int, Field(description="How many agents have completed a step.")]
    steps_completed: Annotated[int, Field(description="How many steps have an answer.")]
    known_cost_usd: KnownDollars = None
    unpriced_calls: Unpriced = 0
    is_estimated: Estimated = False
    is_cut_off: CutOff = False
    error: Annotated[Failure | None, Field(description="Why it failed.")] = None
    final_output: Annotated[str | None, Field(description="The last answer, where there is one.")] = None
    outputs: Annotated[dict[str, Any] | None, Field(description="What the recipe declares as outputs, by name.")] = None


@dataclass(slots=True, kw_only=True)
class ExecutionCompleted(_ExecutionEnded):
    """The run is over: every step has its answer."""

    type: ClassVar[Literal["execution.completed"]] = "execution.completed"


@dataclass(slots=True, kw_only=True)
class ExecutionCompletedWithSkips(_ExecutionEnded):
    """The run is over: some steps were skipped, the others have their answers."""

    type: ClassVar[Literal["execution.completed_with_skips"]] = "execution.completed_with_skips"


@dataclass(slots=True, kw_only=True)
class ExecutionFailed(_ExecutionEnded):
    """The run is over without what was asked of it."""

    type: ClassVar[Literal["execution.failed"]] = "execution.failed"


@dataclass(slots=True, kw_only=True)
class ExecutionCancelled(_ExecutionEnded):
    """The run is over because somebody ended it; what its steps had done is kept."""

    type: ClassVar[Literal["execution.cancelled"]] = "execution.cancelled"
    by: Annotated[str | None, Field(description="Who cancelled it, where it was a person or a key.")] = None
