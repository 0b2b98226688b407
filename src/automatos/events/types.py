"""Every type of event on a run's stream: when it comes, and what its data holds.

A class here is the one home of its type. Whoever records an event makes an object of its class; the API's description,
the web app's types, the command line and `docs/reference/events.md` are derived from `RunEventData`. Events are stored
for good, so a field that joins a class later has a default: events of before do not hold it. Two types are not stored:
`step.text` and `step.delta` tell of an answer that is being written, and `model.answered` has the whole.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal, get_args
from uuid import UUID

from pydantic import Field

from automatos.events.endings import (
    ExecutionCancelled,
    ExecutionCompleted,
    ExecutionCompletedWithSkips,
    ExecutionFailed,
)
from automatos.events.fields import (
    AgentId,
    AgentName,
    CutOff,
    Dollars,
    Estimated,
    Failure,
    GraphPath,
    InputTokens,
    KnownDollars,
    OutputTokens,
    QueuedStep,
    StepEvent,
    TurnNumber,
    Unpriced,
    WantedCall,
)


@dataclass(slots=True, kw_only=True)
class ExecutionQueued:
    """The run is accepted and waits for a worker; always the first event."""

    type: ClassVar[Literal["execution.queued"]] = "execution.queued"
    recipe_id: Annotated[str | None, Field(description="The recipe's template_id; null for a task.")]
    recipe_name: Annotated[str, Field(description="The recipe's name; a task bears its agent's.")]
    recipe_version: Annotated[int, Field(description="The version that runs; 0 for a task.")]
    total_steps: Annotated[int, Field(description="How many steps it has.")]
    steps: Annotated[list[QueuedStep], Field(description="Its steps, in order.")]
    kind: Annotated[Literal["recipe", "task", "heartbeat"], Field(description="What was started.")] = "recipe"
    parent_run_id: Annotated[str | None, Field(description="The run whose step has started it.")] = None
    parent_path: Annotated[str | None, Field(description="Where that step is in its run.")] = None
    traceparent: Annotated[str | None, Field(
        description="The trace that it belongs to, as the W3C writes it, where the server sends traces.")] = None


@dataclass(slots=True, kw_only=True)
class ExecutionStarted:
    """A worker begins the run."""

    type: ClassVar[Literal["execution.started"]] = "execution.started"


@dataclass(slots=True, kw_only=True)
class ExecutionRecovered:
    """Another worker goes on with the run; pieces of an answer that was not finished are void."""

    type: ClassVar[Literal["execution.recovered"]] = "execution.recovered"
    epoch: Annotated[int, Field(description="How many workers have had the run.")]


@dataclass(slots=True, kw_only=True)
class ExecutionWaiting(StepEvent):
    """The next step's agent has no free place; the run waits in the queue."""

    type: ClassVar[Literal["execution.waiting"]] = "execution.waiting"
    agent_id: AgentId
    agent_name: AgentName
    reason: Annotated[Literal["slot"], Field(description="What is lacking.")] = "slot"


@dataclass(slots=True, kw_only=True)
class ExecutionPaused(StepEvent):
    """The next step's agent is paused; the run waits until it is resumed."""

    type: ClassVar[Literal["execution.paused"]] = "execution.paused"
    agent_id: AgentId
    agent_name: AgentName
    reason: Annotated[Literal["paused"], Field(description="What is in the way.")] = "paused"


@dataclass(slots=True, kw_only=True)
class ExecutionSignalled:
    """Somebody outside has sent the run a signal; steps that wait for it end with what was sent."""

    type: ClassVar[Literal["execution.signalled"]] = "execution.signalled"
    name: Annotated[str, Field(description="The name of the signal.")]
    by: Annotated[str, Field(description="Who sent it.")]


@dataclass(slots=True, kw_only=True)
class ExecutionPausing:
    """Somebody has paused the run: what is at work is finished, nothing begins."""

    type: ClassVar[Literal["execution.pausing"]] = "execution.pausing"
    by: Annotated[str, Field(description="Who paused it.")]


@dataclass(slots=True, kw_only=True)
class ExecutionHeld:
    """Nothing of the paused run is at work any more; it waits until somebody resumes it."""

    type: ClassVar[Literal["execution.held"]] = "execution.held"
    by: Annotated[str, Field(description="Who paused it.")]


@dataclass(slots=True, kw_only=True)
class ExecutionResumed:
    """The run that waited goes on."""

    type: ClassVar[Literal["execution.resumed"]] = "execution.resumed"
    by: Annotated[str | None, Field(description="Who resumed it, where somebody had paused it.")] = None


@dataclass(slots=True, kw_only=True)
class StepStarted(StepEvent):
    """The step's agent begins an attempt, with its whole prompt."""

    type: ClassVar[Literal["step.started"]] = "step.started"
    step_id: Annotated[str, Field(description="The step's name in the recipe.")]
    agent_id: AgentId
    agent_name: AgentName
    attempt: Annotated[int, Field(description="Which attempt at the step, from 1.")]
    run_id: Annotated[UUID, Field(description="The agent's work on this attempt; its entries are stored under it.")]
    prompt: Annotated[str, Field(description="What the agent is asked, with all values in place.")]
    provider: Annotated[str, Field(description="Whose model is asked.")]
    model: Annotated[str, Field(description="Which model is asked.")]
    timeout_s: Annotated[float | None, Field(description="How long the attempt may take.")] = None
    path: GraphPath = None


@dataclass(slots=True, kw_only=True)
class StepWaiting(StepEvent):
    """The step waits, and holds nothing meanwhile."""

    type: ClassVar[Literal["step.waiting"]] = "step.waiting"
    step_id: Annotated[str, Field(description="The step's name in the recipe.")]
    path: Annotated[str, Field(description="Where the step is in its run, such as `rows[3].check`.")]
    until: Annotated[Literal["approval", "timer", "signal", "run", "agent"], Field(
        description="For what: a person decides, a time comes, a signal is sent, the run that it has started ends, its "
                    "paused agent is resumed.")]
    question: Annotated[str | None, Field(description="What is to be decided.")] = None
    role: Annotated[str | None, Field(description="Who may decide, at least.")] = None
    due_at: Annotated[str | None, Field(description="When it ends at the latest, ISO 8601.")] = None
    signal: Annotated[str | None, Field(description="The name of the signal.")] = None
    child_run_id: Annotated[str | None, Field(description="The run that the step has started.")] = None
    recipe_id: Annotated[str | None, Field(description="The recipe of that run.")] = None
    recipe_version: Annotated[int | None, Field(description="The version of the recipe.")] = None


@dataclass(slots=True, kw_only=True)
class StepDecided(StepEvent):
    """A person has decided what the step waited for; a refusal fails the step."""

    type: ClassVar[Literal["step.decided"]] = "step.decided"
    is_approved: Annotated[bool, Field(description="Whether the run may go on.")]
    by: Annotated[str, Field(description="Who decided.")]
    comment: Annotated[str, Field(description="What they said about it.")] = ""


@dataclass(slots=True, kw_only=True)
class StepTakenOver(StepEvent):
    """The step is not done again: the run began behind it, with what it gave in an earlier run."""

    type: ClassVar[Literal["step.taken_over"]] = "step.taken_over"
    path: GraphPath = None
    run_id: Annotated[UUID, Field(description="The run in which the step was done.")]
    output_key: Annotated[str, Field(description="The name under which later steps find its output.")]
    output: Annotated[str, Field(description="What it gave.")]
    is_skipped: Annotated[bool, Field(description="Whether it was passed over, so that it gave nothing.")] = False


@dataclass(slots=True, kw_only=True)
class StepExpanded(StepEvent):
    """The step is repeated for each item of a list; its items' steps follow."""

    type: ClassVar[Literal["step.expanded"]] = "step.expanded"
    step_id: Annotated[str, Field(description="The step's name in the recipe.")]
    path: Annotated[str, Field(description="Where the step is in its run.")]
    items: Annotated[int, Field(description="How many items the list has.")]


@dataclass(slots=True, kw_only=True)
class StepDelta(StepEvent):
    """A piece of an answer as it is written, which goes on where the one before ended; not in the log, `seq` is 0."""

    type: ClassVar[Literal["step.delta"]] = "step.delta"
    turn: TurnNumber
    text: Annotated[str, Field(description="The piece of the answer.")]
    reasoning: Annotated[str | None, Field(description="A piece of what the model thinks, where it tells.")] = None


@dataclass(slots=True, kw_only=True)
class StepText(StepEvent):
    """An answer as far as it is written, for who comes late; pieces go on from there. Not in the log, `seq` is 0."""

    type: ClassVar[Literal["step.text"]] = "step.text"
    turn: TurnNumber
    text: Annotated[str, Field(description="All of the answer by now.")]
    reasoning: Annotated[str | None, Field(description="All of what the model thinks by now, where it tells.")] = None


@dataclass(slots=True, kw_only=True)
class StepRestarted(StepEvent):
    """The model is asked again for an answer that broke off; its pieces so far are void."""

    type: ClassVar[Literal["step.restarted"]] = "step.restarted"
    turn: TurnNumber


@dataclass(slots=True, kw_only=True)
class ModelAnswered(StepEvent):
    """A model has answered: with text, or with calls of tools that are made next."""

    type: ClassVar[Literal["model.answered"]] = "model.answered"
    turn: TurnNumber
    provider: Annotated[str, Field(description="Whose model answered.")]
    model: Annotated[str, Field(description="Which model answered.")]
    text: Annotated[str, Field(description="The whole text of the answer.")]
    tool_calls: Annotated[list[WantedCall], Field(description="The calls it asks for; none in a last answer.")]
    input_tokens: InputTokens
    output_tokens: OutputTokens
    cost_usd: Dollars
    latency_ms: Annotated[int, Field(description="How long the model took.")]
    reasoning: Annotated[str, Field(description="What the model thought, where it tells.")] = ""
    end: Annotated[Literal["complete", "tool_calls", "cut_off", "refused"] | None,
                   Field(description="How the answer ended.")] = None
    cache_read_tokens: Annotated[int, Field(description="Input tokens that came from the provider's cache.")] = 0
    cache_write_tokens: Annotated[int, Field(description="Input tokens that went into the provider's cache.")] = 0
    is_estimated: Estimated = False
    left_out: Annotated[tuple[str, ...], Field(
        description="Features of the request that the model refused, so that it was asked without.")] = ()
    calls_from_text: Annotated[bool, Field(description="Whether the calls were read out of the text.")] = False


@dataclass(slots=True, kw_only=True)
class _FailedRequest(StepEvent):
    turn: TurnNumber
    attempt: Annotated[int, Field(description="Which attempt at the step this was.")]
    of: Annotated[int, Field(description="How many attempts the step has in all.")]
    provider: Annotated[str, Field(description="Whose model was asked.")]
    model: Annotated[str, Field(description="Which model was asked.")]
    status: Annotated[Literal["error", "cancelled"], Field(description="Whether it failed or was broken off.")]
    code: Annotated[str, Field(description="The stable name of what went wrong.")]
    reason: Annotated[str, Field(description="What the provider said, or how it was silent.")]
    provider_status: Annotated[int | None, Field(description="The provider's HTTP status, where it answered at all.")]
    wait_s: Annotated[float | None, Field(description="How long until the next request.")]
    then: Annotated[Literal["again", "fallback", "nothing"], Field(
        description="What follows: the same request, one to the fallback model, or nothing.")]
    input_tokens: InputTokens
    output_tokens: OutputTokens
    is_estimated: Estimated
    cost_usd: Dollars
    latency_ms: Annotated[int, Field(description="How long the request took.")]


@dataclass(slots=True, kw_only=True)
class ModelRetrying(_FailedRequest):
    """A request to a model gave no answer; another follows."""

    type: ClassVar[Literal["model.retrying"]] = "model.retrying"


@dataclass(slots=True, kw_only=True)
class ModelFailed(_FailedRequest):
    """A request to a model gave no answer; none follows."""

    type: ClassVar[Literal["model.failed"]] = "model.failed"


@dataclass(slots=True, kw_only=True)
class ToolFinished(StepEvent):
    """A call of a tool has given its result, or was not made."""

    type: ClassVar[Literal["tool.finished"]] = "tool.finished"
    turn: TurnNumber
    call_id: Annotated[str, Field(description="The call as `model.answered` names it.")]
    name: Annotated[str, Field(description="The tool.")]
    arguments: Annotated[str, Field(description="Its arguments as the model wrote them.")]
    ok: Annotated[bool, Field(description="Whether it did what was asked.")]
    output: Annotated[str, Field(description="What the model reads of it.")]
    duration_ms: Annotated[int, Field(description="How long it took.")]


@dataclass(slots=True, kw_only=True)
class StepRetrying(StepEvent):
    """An attempt at the step failed; the next one follows after a pause."""

    type: ClassVar[Literal["step.retrying"]] = "step.retrying"
    attempt: Annotated[int, Field(description="The attempt that follows.")]
    error: Annotated[Failure, Field(description="Why the attempt failed.")]
    delay_s: Annotated[float, Field(description="How long the pause is.")]


@dataclass(slots=True, kw_only=True)
class StepCompleted(StepEvent):
    """The step has its answer."""

    type: ClassVar[Literal["step.completed"]] = "step.completed"
    output_key: Annotated[str, Field(description="The name under which later steps find the answer.")]
    output: Annotated[str, Field(description="The answer.")]
    input_tokens: InputTokens
    output_tokens: OutputTokens
    cost_usd: Dollars
    duration_ms: Annotated[int, Field(description="From the first attempt's beginning to the end.")]
    known_cost_usd: KnownDollars = None
    unpriced_calls: Unpriced = 0
    is_estimated: Estimated = False
    is_cut_off: CutOff = False


@dataclass(slots=True, kw_only=True)
class StepFailed(StepEvent):
    """The step has no answer, and the run ends for it."""

    type: ClassVar[Literal["step.failed"]] = "step.failed"
    error: Annotated[Failure, Field(description="Why it has none.")]
    path: GraphPath = None


@dataclass(slots=True, kw_only=True)
class StepSkipped(StepEvent):
    """The step has no answer, and the run goes on without."""

    type: ClassVar[Literal["step.skipped"]] = "step.skipped"
    error: Annotated[Failure, Field(description="Why it has none.")]
    path: GraphPath = None


@dataclass(slots=True, kw_only=True)
class StepCancelled(StepEvent):
    """The step was at work when its run was cancelled or its agent stopped."""

    type: ClassVar[Literal["step.cancelled"]] = "step.cancelled"
    error: Annotated[Failure | None, Field(description="Why, where it was not the run that was cancelled.")]
    path: GraphPath = None


RunEventData = (
    ExecutionQueued | ExecutionStarted | ExecutionRecovered | ExecutionWaiting | ExecutionPaused | ExecutionPausing
    | ExecutionHeld | ExecutionResumed | ExecutionSignalled
    | StepTakenOver | StepStarted | StepWaiting | StepDecided | StepExpanded
    | StepText | StepDelta | StepRestarted | ModelAnswered | ModelRetrying | ModelFailed | ToolFinished
    | StepRetrying | StepCompleted | StepFailed | StepSkipped | StepCancelled
    | ExecutionCompleted | ExecutionCompletedWithSkips | ExecutionFailed | ExecutionCancelled
)
"""What any event of a run holds; the order is the one in which they can come."""

EndData = ExecutionCompleted | ExecutionCompletedWithSkips | ExecutionFailed | ExecutionCancelled
"""What the last event of a run holds; nothing follows it."""

RUN_EVENTS: dict[str, type[RunEventData]] = {each.type: each for each in get_args(RunEventData)}
"""Every type of event with its class."""
FINAL_EVENTS = frozenset(each.type for each in get_args(EndData))
"""The types after which a stream ends."""
