"""What clients send and get about runs: executions of recipes, tasks, their steps, turns and events."""

from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, Generic, Literal, TypeVar, cast
from uuid import UUID

import orjson
from pydantic import (
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    JsonValue,
    RootModel,
    create_model,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from automatos.agents.types import PriorityLevel
from automatos.events.types import RUN_EVENTS, RunEventData
from automatos.kernel.schemas import Body, Costs, Money, Out
from automatos.recipes.types import ExecutionKind, ExecutionStatus, StepStatus

Whole = TypeVar("Whole")


class RunError(Out):
    """Why a run or a step did not do what it should; `next_step` may be missing in errors of before."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    code: str = Field(description="The stable name of the error, for programs.")
    message: str
    next_step: str | None = Field(default=None, description="What to do about it.")


class ParentRun(Out):
    """The step of another run that has started this one; what this one used is counted there, too, when it has ended.
    """

    run_id: UUID
    path: str = Field(description="Where the step is in that run.")
    recipe_id: str | None = Field(description="The template_id of that run's recipe; null when it was cleaned away.")
    recipe_name: str | None = Field(description="The name of that run's recipe; null when it was cleaned away.")


class RunSummary(Costs):
    """One execution in a list: of a recipe, or of a task for one agent, which bears the agent's name.

    Costs are those so far; `cost_usd` is null for a run at work that has counted nothing yet. `is_estimated` says that
    a provider did not tell its tokens, `is_cut_off` that a step's answer ran into its limit.
    """

    id: UUID
    workspace_id: UUID
    kind: ExecutionKind
    agent_id: int | None
    recipe_id: str | None
    recipe_name: str
    recipe_version: int
    status: ExecutionStatus
    current_step: int
    total_steps: int
    total_tokens: int
    is_estimated: bool
    is_cut_off: bool
    duration_ms: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    triggered_by: str
    error: RunError | None
    parent: ParentRun | None = Field(description="The step of another run that has started it.")


MAX_SIGNAL_BYTES = 1_000_000
Counted = Annotated[int, Field(description="How many there are, counted up to 1,000 beyond those passed over.")]
IsExact = Annotated[bool, Field(description="Whether `total` is all; where it is not, there are more than it says.")]


class RunPage(Out):
    """One page of executions, newest first."""

    items: list[RunSummary]
    total: Counted
    is_total_exact: IsExact
    next_cursor: str | None


class ExecutionPage(Out):
    """One page of a recipe's executions."""

    items: list[RunSummary]
    total: Counted
    is_total_exact: IsExact
    skip: int
    limit: int
    recipe_id: str


NAMES_OF_PROMPTS = ("task", "message", "instructions", "input", "query")
"""Where clients of free-form bodies put what is to be done; the first that is text counts."""
STANDING_PROMPT = "Do what you are described for. If there is input below, it says what it is about this time."


class TaskNew(Body):
    """Work for one agent: what to do, and material for it; what is left out follows the agent's configuration.

    Fields of any other name are parameters: they go to the agent as input, beside `input_data`. Without a `prompt`,
    the text of `task`, `message`, `instructions`, `input` or `query` says what to do, or else the agent's description.
    """

    model_config = ConfigDict(extra="allow")

    prompt: Annotated[str, Field(min_length=1, max_length=100_000)] = STANDING_PROMPT
    input_data: dict[str, JsonValue] | None = None
    priority: PriorityLevel | None = None
    max_iterations: Annotated[int, Field(strict=True, ge=1, le=100)] | None = None
    timeout_s: Annotated[int, Field(strict=True, ge=1, le=3600)] | None = None
    pattern_slug: Annotated[str, Field(
        min_length=1, max_length=100, description="A pattern whose words follow the prompt.")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _prompt_by_another_name(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "prompt" in data:
            return data
        given = cast("dict[str, Any]", data)
        name = next((one for one in NAMES_OF_PROMPTS if isinstance(text := given.get(one), str) and text.strip()), None)
        if name is None:
            return given
        return {"prompt": given[name]} | {key: value for key, value in given.items() if key != name}

    @property
    def material(self) -> dict[str, Any] | None:
        """All input of the task: what stands beside the known fields, and what `input_data` holds."""
        return {**(self.model_extra or {}), **(self.input_data or {})} or None


class TaskStarted(Out):
    """A task that was accepted; follow it at `events_url`. `waits_for` says what must happen before it begins."""

    run_id: UUID
    execution_id: UUID = Field(description="`run_id`, under the name of earlier clients.")
    agent_id: int
    agent_name: str
    status: ExecutionStatus
    waits_for: Literal["resume"] | None
    parameters: TaskNew
    estimated_duration_s: float | None
    message: str
    url: str
    events_url: str


class AgentRun(Costs):
    """One step that an agent has worked on, in whatever execution it was."""

    run_id: UUID
    kind: ExecutionKind
    recipe_id: str | None
    recipe_name: str
    step_id: str
    status: StepStatus
    input_tokens: int
    output_tokens: int
    duration_ms: int | None
    started_at: datetime | None
    finished_at: datetime | None
    error: RunError | None


class AgentRuns(Out):
    """One page of what an agent has worked on, newest first."""

    items: list[AgentRun]
    total: Counted
    is_total_exact: IsExact
    skip: int
    limit: int


class AttemptOut(Out):
    """One attempt that gave no answer: what was said, what it used, and when the next one followed.

    Attempts at a whole step, such as one that took too long, have no turn and no model.
    """

    turn: int | None
    attempt: int
    of: int | None
    provider: str | None
    model: str | None
    status: Literal["error", "cancelled"]
    code: str
    reason: str
    provider_status: int | None
    wait_s: float | None
    then: Literal["again", "fallback", "nothing"]
    input_tokens: int
    output_tokens: int
    is_estimated: bool
    cost_usd: str | None
    latency_ms: int | None


class TurnOut(Out):
    """One turn of a step's run."""

    seq: int
    kind: Literal["model", "tool"]
    body: dict[str, Any]
    input_tokens: int
    output_tokens: int
    cost_usd: Money
    is_estimated: bool
    duration_ms: int
    error: str | None


class WaitsFor(Out):
    """What a step waits for, or has waited for, and who decided."""

    until: Literal["approval", "timer", "signal"]
    signal: str | None = None
    role: str | None = None
    due_at: str | None = None
    decided_by: str | None = None
    is_approved: bool | None = None
    comment: str | None = None


class ChildRun(Out):
    """The run that a step has started; its cost and tokens are counted in the step's when it has ended."""

    run_id: UUID
    recipe_id: str = Field(description="The recipe's template_id.")
    recipe_version: int = Field(description="The version of the recipe that it runs.")
    status: ExecutionStatus | None = Field(description="Where it is; null when it was cleaned away.")


class RunStep(Costs):
    """What became of one step; `attempts` are those that gave no answer, `attempt` is the number of the latest."""

    step_id: str
    order: int
    path: str | None = Field(description="Where the step is in a graph, such as `rows[3].check`.")
    kind: Literal["agent", "for_each", "approval", "wait", "run"]
    waits_for: WaitsFor | None
    agent_id: int | None
    agent_name: str
    status: StepStatus
    attempt: int
    prompt: str
    output_key: str
    output: str | None
    error: RunError | None
    input_tokens: int
    output_tokens: int
    is_estimated: bool
    is_cut_off: bool
    duration_ms: int | None
    started_at: datetime | None
    finished_at: datetime | None
    child: ChildRun | None = Field(description="The run that it has started.")
    taken_over_from: UUID | None = Field(description="The run in which it was done, where this one did not do it.")
    warning: str | None = Field(description="What to know of an answer that was kept; null when it is whole.")
    attempts: list[AttemptOut]
    turns: list[TurnOut] = Field(default_factory=list[TurnOut])


class RunOut(RunSummary):
    """One execution, whole."""

    input_data: dict[str, Any]
    output_data: dict[str, Any] | None = Field(
        description="The last answer as `final_output`, totals, and the `outputs` that the recipe declares, by name.")
    step_outputs: dict[str, str] = Field(description="The answers so far of completed steps, by `output_key`.")
    steps: list[RunStep]
    last_seq: int
    paused_by: str | None = Field(description="Who paused it; nothing begins until somebody resumes it.")
    forked_from: UUID | None = Field(description="The run whose outputs it began with.")


class Cancelling(Out):
    """A cancellation that was accepted."""

    id: UUID
    message: str

    @classmethod
    def of(cls, run_id: UUID) -> "Cancelling":
        """Say that this run is being cancelled."""
        return cls(id=run_id, message="The run is being cancelled; its stream ends with execution.cancelled.")


class SignalIn(Body):
    """What a signal tells."""

    data: JsonValue = Field(None, description="Any JSON; it is the output of the steps that wait for the signal.")

    @field_validator("data")
    @classmethod
    def _not_huge(cls, data: JsonValue) -> JsonValue:
        if len(orjson.dumps(data)) > MAX_SIGNAL_BYTES:
            raise ValueError(f"is longer than {MAX_SIGNAL_BYTES} bytes of JSON")
        return data


class Signalled(Out):
    """A signal that was taken."""

    id: UUID
    name: str
    message: str


class Pausing(Out):
    """A run that is paused, or goes on."""

    id: UUID
    message: str


class Decision(Body):
    """What somebody says about a decision."""

    comment: str = Field("", max_length=10_000, description="Later steps read it as the output of the step.")


class Decided(Out):
    """A decision that was taken; the run goes on, or the step has failed."""

    id: UUID
    order: int
    is_approved: bool
    message: str


class Envelope(Out):
    """An event with its place in its stream; events of before lack the fields of its data that have a default."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=False)

    seq: int = Field(description="Its number, counted from 1 without holes within a run; 0 where it tells of an answer "
                                 "that is being written, which is not in the log.")
    topic: str = Field(description="The stream: `run:` and the run's id.")
    at: str = Field(description="When it was recorded, ISO 8601.")


def _envelope(data: type[RunEventData]) -> Any:
    kind: Any = Literal[data.type]
    return create_model(f"{data.__name__}Event", __base__=Envelope, __doc__=data.__doc__, type=kind, data=data)


class _AnyEnvelope:
    """Stands for the union of all envelopes, told apart by `type`."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        union = reduce(or_, map(_envelope, RUN_EVENTS.values()))
        return handler.generate_schema(Annotated[union, Field(discriminator="type")])


class _AnyOf(RootModel[Whole], Generic[Whole]):
    """One of several models, built when the first answer needs it."""

    model_config = ConfigDict(defer_build=True)


class RunEvent(_AnyOf[Annotated[Any, _AnyEnvelope()]]):
    """One event of a run: `type` says which, and what `data` holds. Clients pass over types that they do not know."""


class Changed(Out):
    """What a frame with the event `changed` holds: a list that is to be read again."""

    topic: str = Field(description="The list, such as `runs` or `agents`.")


class TopicEvent(_AnyOf[RunEvent | Changed]):
    """What a stream of several topics brings."""


class EventPage(Out):
    """A part of a run's event log."""

    items: list[RunEvent]
    total: int
    next_after: int | None
