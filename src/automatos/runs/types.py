"""Words of runs: kinds and states of steps, their paths, what follows a failure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal, NewType, Protocol
from uuid import UUID

import asyncpg

from automatos.durable.types import Job
from automatos.events.types import EndData

JsonObject = dict[str, Any]
Inputs = Mapping[str, Any]
Performer = NewType("Performer", str)
"""Who does a step, as an opaque key such as `agent:17`; steps of one performer share its concurrency group."""
RUN_STEP = Job("runs.step")
"""A step that somebody has to work for, or whose time comes; the key is that of `step_key`."""
RUN_TASK = Job("runs.task")
"""The step of a run without a recipe: a kind of its own, because workers of versions before cannot plan it."""
MAX_DELAY = timedelta(minutes=1)


class StepKind(StrEnum):
    """What a step does; recipes make none that is a tool or a branch."""

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


def step_key(run_id: UUID, path: StepPath) -> str:
    """Return the key of a step's job."""
    return f"{run_id}/{path}"


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run whose row is locked, with the database's time; `error` in one that has not ended says why it is to fail."""

    id: UUID
    workspace_id: UUID
    kind: str
    recipe_id: int | None
    recipe_version: int
    definition: JsonObject | None
    status: str
    last_seq: int
    input_data: JsonObject
    error: JsonObject | None
    cancel_requested_by: str | None
    paused_by: str | None
    created_at: datetime
    started_at: datetime | None
    deadline_at: datetime | None
    finished_at: datetime | None
    at: datetime
    waited: timedelta | None
    parent: JsonObject | None = None

    @property
    def job(self) -> Job:
        """The kind of job that its steps are."""
        return RUN_TASK if self.recipe_id is None else RUN_STEP


@dataclass(frozen=True, slots=True)
class StepLabel:
    """What the row of a step says of it beside its state."""

    step_id: str
    output_key: str
    agent_id: int | None = None
    agent_name: str = ""


@dataclass(frozen=True, slots=True)
class Closing:
    """How a run ends, as whoever planned it sees it."""

    status: str
    event: EndData
    output_data: JsonObject | None
    error: JsonObject | None


class StepUnready(Exception):
    """What a step begins with cannot be had; it fails."""

    def __init__(self, code: str, message: str, next_step: str) -> None:
        super().__init__(message)
        self.error: JsonObject = {"code": code, "message": message, "next_step": next_step}


class Plan(Protocol):
    """What the engine asks whoever planned a run, inside the transaction in which the run is locked."""

    @property
    def time_limit(self) -> timedelta:
        """How long the run may work."""
        ...

    def label(self, path: StepPath, key: str) -> StepLabel:
        """Return what to write of a step."""
        ...

    async def items(self, connection: asyncpg.Connection, path: StepPath, key: str) -> list[Any]:
        """Return the items of a for-each; raises StepUnready."""
        ...

    async def question(self, connection: asyncpg.Connection, path: StepPath, key: str) -> str:
        """Return what a person is to decide; raises StepUnready."""
        ...

    async def start_run(self, connection: asyncpg.Connection, path: StepPath, key: str) -> "StartedRun":
        """Store the run that a step starts, and begin it; raises StepUnready."""
        ...

    async def enqueue(self, connection: asyncpg.Connection, steps: Mapping[StepPath, str]) -> None:
        """Queue the jobs of steps (path and key) with their performers."""
        ...

    async def close(self, connection: asyncpg.Connection, status: RunStatus, error: JsonObject | None) -> Closing:
        """Return how the run ends; `error` is that of the step whose failure ended it."""
        ...


@dataclass(slots=True)
class Followed:
    """What followed from a change of a run; `tell_followed` passes it on after the commit."""

    run_id: UUID
    workspace_id: UUID
    job: Job = RUN_STEP
    events: list[Any] = field(default_factory=list[Any])
    interrupted: list[str] = field(default_factory=list[str])
    has_jobs: bool = False
    is_over: bool = False
    recipe_id: int | None = None
    also: list["Followed"] = field(default_factory=list["Followed"])


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A run that a step has started, of which version of which recipe, and what followed from its beginning."""

    run_id: UUID
    recipe_id: str
    recipe_version: int
    followed: Followed


@dataclass(frozen=True, slots=True)
class TakenStep:
    """A step that this process is the writer of; its row, and the run's with all its columns (`stored`).

    `is_stopping` says that the run is to end although its steps have not.
    """

    run: RunRow
    path: StepPath
    row: asyncpg.Record | Mapping[str, Any]
    stored: Mapping[str, Any]
    is_stopping: bool = False


@dataclass(frozen=True, slots=True)
class RunInput:
    """What the first record of a step makes of its run, unless that was done: it works (again), until a deadline."""

    before: str
    started_at: datetime
    deadline_at: datetime


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a record; `answer` other than `open` says why what was to follow is not written, nor anything."""

    last_seq: int
    fresh: int
    is_to_be_cancelled: bool
    answer: str
