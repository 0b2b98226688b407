"""Words of runs: kinds and states of steps, their paths, what follows a failure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Literal, NewType

JsonObject = dict[str, Any]
Inputs = Mapping[str, Any]
Performer = NewType("Performer", str)
"""Who does a step, as an opaque key such as `agent:17`; steps of one performer share its concurrency group."""
MAX_DELAY = timedelta(minutes=1)


class StepKind(StrEnum):
    """What a step does; every kind but BRANCH has an executor."""

    AGENT = "agent"
    TOOL = "tool"
    BRANCH = "branch"
    FOR_EACH = "for_each"
    APPROVAL = "approval"
    WAIT = "wait"
    RUN = "run"


class StepStatus(StrEnum):
    """Where a step is; one that has no record has not begun."""

    READY = "ready"  # it has a job that nobody has begun
    RUNNING = "running"
    SUSPENDED = "suspended"  # it waits for a person, a time, a signal or another run, and holds nothing meanwhile
    EXPANDED = "expanded"  # its own work is done; it is over when the steps under it are
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


class RunStatus(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    COMPLETED_WITH_SKIPS = "completed_with_skips"
    FAILED = "failed"
    CANCELLED = "cancelled"


class OnError(StrEnum):
    """What the failure of a step means: the end of everything around it, or only that it has no output."""

    STOP = "stop"
    SKIP = "skip"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a step is tried in all, and how long the pauses between the tries are."""

    max_attempts: int = 1
    delay: timedelta = timedelta(seconds=1)
    backoff: Literal["exponential", "linear", "fixed"] = "exponential"

    def delay_after(self, attempt: int) -> timedelta:
        """Return the pause after a failed attempt (1 is the first), at most a minute."""
        # A power of two is never larger than it has to be: an attempt may be any number.
        factor = {"fixed": 1, "linear": attempt, "exponential": 2 ** min(attempt - 1, 30)}[self.backoff]
        return MAX_DELAY if self.delay >= MAX_DELAY else min(self.delay * factor, MAX_DELAY)


class StepPath(str):
    """Where a step is in its run: `check`, or `rows[3].check` for the step of a for-each's fourth item.

    Steps that a planner adds stand under it without a number: `plan.draft`.
    """

    __slots__ = ()

    @property
    def depth(self) -> int:
        """How many steps the path names: 1 for a step of the run itself."""
        return self.count(".") + 1
