"""A run as its events tell it: one state for every view, and one line for every event."""

from dataclasses import dataclass, field

from automatos.cli.figures import costs, tokens, trimmed
from automatos.client import RunEvent, events
from automatos.kernel.figures import duration, quantity

LINE_WIDTH = 160
CUT_OFF = "warning: cut off by its limit, not whole"

CallEvent = events.ModelAnswered | events.ModelRetrying | events.ModelFailed | events.ToolFinished
"""What came of asking a model or a tool."""
WaitEvent = (
    events.ExecutionWaiting | events.ExecutionPaused | events.ExecutionPausing | events.ExecutionHeld
    | events.ExecutionResumed | events.ExecutionSignalled
)
"""What holds a run up, and what lets it go on."""
FlowEvent = events.StepTakenOver | events.StepWaiting | events.StepDecided | events.StepExpanded
"""What happens to a step that no agent does."""
StepEvent = (
    events.StepStarted | FlowEvent | events.StepText | events.StepDelta | events.StepRestarted | CallEvent
    | events.StepRetrying
    | events.StepCompleted | events.StepFailed | events.StepSkipped | events.StepCancelled
)
"""What happens within a step."""


@dataclass
class StepProgress:
    """What is known of one step; `text` is its latest answer as far as it has come, `turn` the last that is over."""

    order: int
    step_id: str
    status: str = "pending"
    agent: str = ""
    note: str = ""
    text: str = ""
    turn: int = 0
    tokens: int = 0
    duration_ms: int | None = None


@dataclass
class Progress:
    """What is known of a run."""

    recipe: str = ""
    status: str = "queued"
    steps: dict[int, StepProgress] = field(default_factory=dict[int, StepProgress])
    end: events.EndData | None = None

    @property
    def current(self) -> StepProgress | None:
        """The step at work."""
        return next((step for step in self.steps.values() if step.status == "running"), None)

    def take(self, event: RunEvent) -> None:
        """Bring the state up to date with the next event; one that only newer versions know changes nothing."""
        if event.is_final:
            self.status = event.type.removeprefix("execution.")
        match told := event.told:
            case None:
                pass
            case events.ExecutionQueued():
                self.recipe = told.recipe_name
                self.steps = {each.order: StepProgress(each.order, each.step_id) for each in told.steps}
            case events.ExecutionSignalled():
                pass
            case events.ExecutionStarted() | events.ExecutionResumed():
                self.status = "running"
            case events.ExecutionRecovered():
                if self.current:
                    self.current.text = ""  # what was streamed but never answered is streamed again
            case (events.ExecutionWaiting() | events.ExecutionPaused() | events.ExecutionPausing()
                  | events.ExecutionHeld()):
                self.status = _sentence(told)
            case (events.ExecutionCompleted() | events.ExecutionCompletedWithSkips() | events.ExecutionFailed()
                  | events.ExecutionCancelled()):
                self.end = told
            case _:
                _take_step(self._step(told), told)

    def _step(self, told: StepEvent) -> StepProgress:
        """Return the step that an event is of; those of a for-each's items are met when they begin."""
        if told.order not in self.steps:
            name = getattr(told, "path", None) or getattr(told, "step_id", "")
            self.steps[told.order] = StepProgress(told.order, name)
        return self.steps[told.order]


def _take_step(step: StepProgress, told: StepEvent) -> None:
    match told:
        case events.StepStarted():
            step.status, step.agent, step.text, step.note, step.turn = "running", told.agent_name, "", "", 0
        case events.StepTakenOver():
            step.status, step.note = "skipped" if told.is_skipped else "completed", "taken over"
        case events.StepWaiting() | events.StepDecided() | events.StepExpanded():
            step.status, step.note = "waiting" if isinstance(told, events.StepWaiting) else "running", _sentence(told)
        case events.StepText() | events.StepDelta():
            _write(step, told)
        case events.StepRestarted():
            step.text = ""
        case events.ModelAnswered() | events.ModelRetrying() | events.ModelFailed() | events.ToolFinished():
            _take_call(step, told)
        case events.StepRetrying():
            step.note, step.text = _sentence(told), ""
        case events.StepCompleted():
            step.status, step.duration_ms = "completed", told.duration_ms
            step.note = CUT_OFF if told.is_cut_off else ""
        case events.StepFailed() | events.StepSkipped() | events.StepCancelled():
            step.status, step.duration_ms = told.type.removeprefix("step."), None
            step.note = told.error.message if told.error else ""


def _write(step: StepProgress, told: events.StepText | events.StepDelta) -> None:
    if told.turn > step.turn:
        step.text = told.text if isinstance(told, events.StepText) else step.text + told.text


def _take_call(step: StepProgress, told: CallEvent) -> None:
    match told:
        case events.ModelAnswered():
            step.text, step.note, step.turn = told.text, _wanted(told), told.turn
            step.tokens += told.input_tokens + told.output_tokens
        case events.ModelRetrying() | events.ModelFailed():
            step.note, step.text = _sentence(told), ""
            step.tokens += told.input_tokens + told.output_tokens
        case events.ToolFinished():
            step.text, step.note, step.turn = "", _used(told), told.turn


def line_of(event: RunEvent) -> str | None:
    """Return an event as one line of plain text; pieces of streamed text and what is not known here have none."""
    said = _sentence(event.told) if event.told else ""
    if not said:
        return None
    order = getattr(event.told, "order", None) if event.type.partition(".")[0] != "execution" else None
    return f"{event.at[11:19]}  {trimmed(f'step {order} {said}', LINE_WIDTH) if order else said}"


def _sentence(told: events.RunEventData) -> str:
    """Return what an event says, without its time and its step; nothing for pieces of streamed text."""
    match told:
        case events.ExecutionQueued():
            said = f"queued {told.recipe_name}, {quantity(told.total_steps, 'step')}"
        case events.ExecutionStarted():
            said = "started"
        case events.ExecutionRecovered():
            said = "goes on in another worker"
        case (events.ExecutionWaiting() | events.ExecutionPaused() | events.ExecutionPausing() | events.ExecutionHeld()
              | events.ExecutionResumed() | events.ExecutionSignalled()):
            said = _sentence_of_waiting(told)
        case (events.ExecutionCompleted() | events.ExecutionCompletedWithSkips() | events.ExecutionFailed()
              | events.ExecutionCancelled()):
            said = ending_of(told.type.removeprefix("execution."), told)
        case _:
            said = _sentence_of_step(told)
    return said


def _sentence_of_waiting(told: WaitEvent) -> str:
    match told:
        case events.ExecutionWaiting():
            said = f"waits for a free place of {told.agent_name}"
        case events.ExecutionPaused():
            said = f"waits: {told.agent_name} is paused"
        case events.ExecutionPausing():
            said = f"paused by {told.by}; what is at work is finished first"
        case events.ExecutionHeld():
            said = f"waits: paused by {told.by}"
        case events.ExecutionResumed():
            said = f"goes on{f', resumed by {told.by}' if told.by else ''}"
        case events.ExecutionSignalled():
            said = f"signal {told.name} sent by {told.by}"
    return said


def _sentence_of_step(told: StepEvent) -> str:
    match told:
        case events.StepStarted():
            said = f"{told.path or told.step_id} started by {told.agent_name}{_again(told)}"
        case events.StepTakenOver() | events.StepWaiting() | events.StepDecided() | events.StepExpanded():
            said = _sentence_of_flow(told)
        case events.StepText() | events.StepDelta():
            said = ""
        case events.StepRestarted():
            said = "begins its answer again"
        case events.StepRetrying():
            said = f"tries again in {told.delay_s} s: {told.error.message}"
        case events.StepCompleted():
            said = f"completed in {duration(told.duration_ms)}{f'; {CUT_OFF}' if told.is_cut_off else ''}"
        case events.StepFailed() | events.StepSkipped() | events.StepCancelled():
            said = f"{told.type.removeprefix('step.')}{f': {told.error.message}' if told.error else ''}"
        case _:
            said = _sentence_of_call(told)
    return said


def _sentence_of_flow(told: FlowEvent) -> str:
    match told:
        case events.StepTakenOver():
            return f"{told.path} is taken over from run {told.run_id}"
        case events.StepWaiting():
            return f"{told.path} waits {_until(told)}"
        case events.StepDecided():
            said = f": {told.comment}" if told.comment else ""
            return f"{'approved' if told.is_approved else 'refused'} by {told.by}{said}"
        case events.StepExpanded():
            return f"{told.path} is done for {quantity(told.items, 'item')}"


def _until(told: events.StepWaiting) -> str:
    return {
        "approval": f"for an approval by the role {told.role}: {told.question}", "timer": f"until {told.due_at}",
        "signal": f"for the signal {told.signal}", "agent": "until its agent is resumed",
        "run": f"for run {told.child_run_id} of {told.recipe_id}, version {told.recipe_version}",
    }[told.until]


def _sentence_of_call(told: CallEvent) -> str:
    match told:
        case events.ModelAnswered():
            return f"{told.provider}/{told.model} {_wanted(told) or f'answered: {told.text}'}"
        case events.ModelRetrying():
            return f"attempt {told.attempt} of {told.of} failed, {_next(told)}: {told.reason}"
        case events.ModelFailed():
            return f"attempt {told.attempt} of {told.of} failed: {told.reason}"
        case events.ToolFinished():
            return f"{_used(told)}: {told.output}"


def ending_of(status: str, end: events.EndData | None) -> str:
    """Write how a run ended, with what it took where that is known."""
    how = status.replace("_", " ")
    if end is None:
        return how
    used = tokens(end.total_tokens, is_estimated=end.is_estimated)
    took = f"{how} in {duration(end.duration_ms)}, {used} tokens, {costs(vars(end))}"
    took += f"; {CUT_OFF}" if end.is_cut_off else ""
    return f"{took}: {end.error.message}" if end.error else took


def _next(told: events.ModelRetrying) -> str:
    return "the fallback model is asked" if told.then == "fallback" else f"tries again in {told.wait_s or 0:.1f} s"


def _again(told: events.StepStarted) -> str:
    return f", attempt {told.attempt}" if told.attempt > 1 else ""


def _wanted(told: events.ModelAnswered) -> str:
    return f"calls {', '.join(call.name for call in told.tool_calls)}" if told.tool_calls else ""


def _used(told: events.ToolFinished) -> str:
    return f"{told.name} {'answered' if told.ok else 'failed'}"
