"""Words of recipes: statuses, jobs, and a definition as the engine sees it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Protocol
from uuid import UUID

from automatos.agents.types import AgentSpec, PriorityLevel
from automatos.durable.types import Job, NewEvent
from automatos.runs.types import RUN_STEP, RUN_TASK, StepKind

JsonObject = dict[str, Any]
RUN_RECIPE = Job("recipes.run")
NOBODY = 0
"""Stands for the agent of a step that no agent does."""

ExecutionKind = Literal["recipe", "task", "heartbeat"]
ErrorHandling = Literal["stop", "skip", "retry"]
Backoff = Literal["exponential", "linear", "fixed"]
OnCutOff = Literal["continue", "stop"]
"""What follows an answer that was cut off by its limit: later steps go on with it, or the step fails."""


class ExecutionStatus(StrEnum):
    """Where an execution is; the last four are final and written once."""

    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    COMPLETED = "completed"
    COMPLETED_WITH_SKIPS = "completed_with_skips"
    FAILED = "failed"
    CANCELLED = "cancelled"


FINAL = frozenset({
    ExecutionStatus.COMPLETED, ExecutionStatus.COMPLETED_WITH_SKIPS, ExecutionStatus.FAILED, ExecutionStatus.CANCELLED,
})
AT_REST = frozenset({ExecutionStatus.QUEUED, ExecutionStatus.PAUSED, ExecutionStatus.WAITING})
"""Unfinished, and nobody is at work on it: to be late is no fault then."""


MOST_COUNTED = 1_000


@dataclass(frozen=True, slots=True)
class Total:
    """How many there are, counted up to MOST_COUNTED beyond what was passed over: a long history costs no more."""

    count: int
    is_exact: bool

    @classmethod
    def of(cls, found: int, skip: int) -> "Total":
        """Return the total of a count that went to one more than the most at most."""
        most = skip + MOST_COUNTED
        return cls(min(found, most), found <= most)


class StepStatus(StrEnum):
    """Where a step of an execution is."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"  # for a person, a time or its agent; it holds nothing meanwhile
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"


STEP_PASSED = frozenset({StepStatus.COMPLETED, StepStatus.SKIPPED})
"""Later steps may go on from it."""


@dataclass(frozen=True, slots=True)
class ExecutionConfig:
    """How a recipe is executed; None leaves the value to the agent's configuration."""

    max_retries: int | None = None
    retry_delay_ms: int = 1000
    backoff_strategy: Backoff = "exponential"
    per_step_timeout_s: int | None = None
    total_timeout_s: int = 3600
    max_total_tokens: int | None = None
    on_cut_off: OnCutOff = "continue"

    def delay_s(self, attempt: int) -> float:
        """Return the pause before the try after `attempt` (1 is the first), in seconds, at most a minute."""
        factor = {"fixed": 1, "linear": attempt, "exponential": 2 ** (attempt - 1)}[self.backoff_strategy]
        return min(self.retry_delay_ms * factor / 1000, 60.0)


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a definition; `agent_id` is NOBODY where no agent does it.

    `needs` are the steps it comes after, the one before it where nothing is said; `inside` is the for-each that repeats
    it.
    """

    step_id: str
    order: int
    agent_id: int
    prompt_template: str
    output_key: str
    error_handling: ErrorHandling = "stop"
    max_retries: int | None = None
    max_iterations: int | None = None
    timeout_s: int | None = None
    read_only: bool = False
    on_cut_off: OnCutOff | None = None
    pattern_slug: str | None = None
    needs: tuple[str, ...] | None = None
    when: str | None = None
    inside: str | None = None
    for_each: JsonObject | None = None
    approval: JsonObject | None = None
    wait: JsonObject | None = None
    run: JsonObject | None = None

    @property
    def kind(self) -> StepKind:
        """What the step does."""
        if self.for_each:
            return StepKind.FOR_EACH
        if self.approval:
            return StepKind.APPROVAL
        if self.run:
            return StepKind.RUN
        return StepKind.WAIT if self.wait else StepKind.AGENT


def is_graph(steps: Iterable[Step]) -> bool:
    """Say whether steps hang together in another way than each after the one before it."""
    return any(step.kind is not StepKind.AGENT or step.needs is not None or step.when or step.inside for step in steps)


@dataclass(frozen=True, slots=True)
class Definition:
    """One version of a recipe, or a task, as it is executed; never changes, so it can be kept in memory."""

    recipe_id: int | None
    template_id: str | None
    name: str
    version: int
    steps: tuple[Step, ...]
    inputs: JsonObject
    config: ExecutionConfig
    outputs: JsonObject = field(default_factory=dict)
    is_graph: bool = field(init=False)
    """Whether the steps are more than a line."""

    def __post_init__(self) -> None:
        """Look at the steps once: every step of a run is treated as one of a line or of a graph."""
        object.__setattr__(self, "is_graph", is_graph(self.steps))

    @property
    def agent_ids(self) -> list[int]:
        """The agents of all steps, each once, in order of first use."""
        return list(dict.fromkeys(step.agent_id for step in self.steps if step.agent_id != NOBODY))

    @property
    def own_steps(self) -> tuple[Step, ...]:
        """The steps of the run itself, without those that a for-each repeats."""
        return tuple(step for step in self.steps if step.inside is None)


@dataclass(frozen=True, slots=True)
class TaskOrder:
    """Work for one agent without a recipe.

    `data` goes into the prompt as fenced material. `priority` (0 low to 3 critical) is the agent's own when None.
    `read_only` keeps tools that change something from the agent. The same `idempotency_key` starts it once.
    """

    agent_id: int
    prompt: str
    kind: ExecutionKind = "task"
    data: JsonObject | None = None
    priority: int | None = None
    max_iterations: int | None = None
    timeout_s: int | None = None
    read_only: bool = False
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class TaskStarted:
    """What starting a task gives; `waits_for` is "resume" when its agent is paused."""

    execution_id: UUID
    agent_id: int
    agent_name: str
    waits_for: Literal["resume"] | None
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is about to be stored, of a version of a recipe or of a task, which carries its own `definition`.

    `first` are the rows of the steps that agents begin it with; where it has none, more is to be done than to queue
    them. `priority` is that of each step's agent when None. `agents` are those of its steps, where they were read
    already.
    """

    id: UUID
    workspace_id: UUID
    kind: ExecutionKind
    recipe: Definition | None
    inputs: JsonObject
    total_steps: int
    triggered_by: str
    at: datetime
    deadline_at: datetime
    queued: NewEvent
    first: list[JsonObject]
    definition: JsonObject | None = None
    agent_id: int | None = None
    priority: int | None = None
    idempotency_key: str | None = None
    request_hash: str | None = None
    agents: Sequence[AgentSpec] | None = None

    @property
    def version(self) -> int:
        """The version of the recipe."""
        return self.recipe.version if self.recipe else 0

    @property
    def job(self) -> Job:
        """The kind of job that its steps are."""
        return RUN_STEP if self.recipe else RUN_TASK


class BegunStep(Protocol):
    """A first step that can begin in this process, once it is stored with its run."""

    events: list[NewEvent]
    """What is told of the run when it has begun, from its first event on."""

    def stored(self) -> JsonObject:
        """Return what is stored of the step and of who holds it."""
        ...

    def run_input(self) -> list[JsonObject]:
        """Return what is stored of its agent's run."""
        ...

    def begin(self) -> None:
        """Work on it."""
        ...

    def release(self, *, is_unsure: bool = False) -> None:
        """Leave it, unless it was begun; `is_unsure` says that it may be stored all the same."""
        ...


class LocalBeginning(Protocol):
    """What begins runs in the process that accepts them."""

    async def prepare(self, new: NewRun) -> BegunStep | None:
        """Keep a place for a run's first step; None where it has to be queued."""
        ...


@dataclass(frozen=True, slots=True)
class Accepted:
    """What starting an execution gives: its id, and whether this request made it or repeated an earlier one."""

    execution_id: UUID
    definition: Definition
    is_repeat: bool = False


@dataclass(frozen=True, slots=True)
class ActiveWork:
    """An unfinished execution that needs an agent, now or at a later step.

    `place` is where the agent comes in: "running" (it works on it now), "queued" (it waits for a slot of the agent),
    "later" (a step still to come). `remaining_s` is estimated from finished runs of the same kind; None when there is
    no history. `priority` is its own; None means the agent's. `is_needed_later` says whether a step of the agent is
    still to come after the one of `place`; always true for "later".
    """

    id: UUID
    kind: str
    name: str
    status: str
    place: Literal["running", "queued", "later"]
    remaining_s: float | None
    priority: PriorityLevel | None = None
    is_needed_later: bool = False


@dataclass(frozen=True, slots=True)
class AgentDependency:
    """Another agent whose work needs this one's: in a recipe, its step comes after one of this agent's."""

    id: int
    name: str
    dependency_type: str


@dataclass(frozen=True, slots=True)
class WorkHistory:
    """What the latest of the last 30 days say of an agent: at most 1,000 of its steps, how long they took.

    `share` is how much of the workspace's latest runs it did, from 0 to 1.
    """

    steps: int
    share: float
    succeeded: int
    failed: int
    median_step_s: float | None
    days: int = 30
