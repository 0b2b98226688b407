"""A run as its events tell it: one state for every view, and one line for every event."""

from dataclasses import dataclass, field
from typing import Any

from automatos.entrypoints.cli.figures import cost, duration, quantity, trimmed
from automatos.entrypoints.cli.follow import Event

LINE_WIDTH = 160


@dataclass
class StepProgress:
    """What is known of one step; `text` is its latest answer as far as it has come."""

    order: int
    step_id: str
    status: str = "pending"
    agent: str = ""
    note: str = ""
    text: str = ""
    tokens: int = 0
    duration_ms: int | None = None


@dataclass
class Progress:
    """What is known of a run."""

    recipe: str = ""
    status: str = "queued"
    steps: dict[int, StepProgress] = field(default_factory=dict[int, StepProgress])
    end: dict[str, Any] = field(default_factory=dict[str, Any])

    @property
    def current(self) -> StepProgress | None:
        """The step at work."""
        return next((step for step in self.steps.values() if step.status == "running"), None)

    def take(self, event: Event) -> None:
        """Bring the state up to date with the next event."""
        subject, _, what = event.type.partition(".")
        if subject == "execution":
            self._take_execution(event, what)
        elif step := self.steps.get(event.data.get("order", 0)):
            _take_step(step, event)

    def _take_execution(self, event: Event, what: str) -> None:
        if what == "queued":
            self.recipe = event.data.get("recipe_name", "")
            self.steps = {each["order"]: StepProgress(each["order"], each["step_id"]) for each in event.data["steps"]}
        elif what == "recovered":
            for step in self.steps.values():
                if step.status == "running":
                    step.text = ""  # what was streamed but never answered is streamed again
        elif event.is_final:
            self.status, self.end = what, event.data
        else:
            self.status = "running"


def _take_step(step: StepProgress, event: Event) -> None:
    data = event.data
    if event.type == "step.started":
        step.status, step.agent, step.text, step.note = "running", data.get("agent_name", ""), "", ""
    elif event.type == "step.delta":
        step.text += data["text"]
    elif event.type == "model.answered":
        step.text, step.note = data.get("text", ""), _wanted(data)
        step.tokens += data.get("input_tokens", 0) + data.get("output_tokens", 0)
    elif event.type == "tool.finished":
        step.text, step.note = "", _used(data)
    elif event.type == "step.retrying":
        step.note, step.text = f"trying again: {_message(data)}", ""
    else:
        step.status = event.type.removeprefix("step.")
        step.duration_ms = data.get("duration_ms")
        step.note = _message(data) if data.get("error") else ""


def line_of(event: Event) -> str | None:
    """Return an event as one line of plain text; pieces of streamed text have none."""
    said = _said(event)
    return f"{event.at[11:19]}  {said}" if said else None


def _said(event: Event) -> str | None:
    data = event.data
    step = f"step {data.get('order')}"
    match event.type:
        case "step.delta":
            return None
        case "execution.queued":
            return f"queued {data.get('recipe_name')}, {quantity(data.get('total_steps', 0), 'step')}"
        case "execution.started":
            return "started"
        case "execution.recovered":
            return "goes on in another worker"
        case "step.started":
            again = f", attempt {data['attempt']}" if data.get("attempt", 1) > 1 else ""
            return f"{step} {data.get('step_id')} started by {data.get('agent_name')}{again}"
        case "model.answered":
            return trimmed(f"{step} {data.get('provider')}/{data.get('model')} "
                           f"{_wanted(data) or 'answered: ' + data.get('text', '')}", LINE_WIDTH)
        case "tool.finished":
            return trimmed(f"{step} {_used(data)}: {data.get('output', '')}", LINE_WIDTH)
        case "step.retrying":
            return trimmed(f"{step} tries again in {data.get('delay_s')} s: {_message(data)}", LINE_WIDTH)
        case "step.completed":
            return f"{step} completed in {duration(data.get('duration_ms'))}"
        case _ if event.is_final:
            return ending_of(event.type.removeprefix("execution."), data)
        case _:
            return trimmed(f"{step} {event.type.partition('.')[2]}: {_message(data)}", LINE_WIDTH)


def ending_of(status: str, end: dict[str, Any]) -> str:
    """Write how a run ended, with what it took."""
    took = f"{status.replace('_', ' ')} in {duration(end.get('duration_ms'))}, {end.get('total_tokens', 0):,} tokens, " \
           f"{cost(end.get('cost_usd'))}"
    return f"{took}: {_message(end)}" if end.get("error") else took


def _message(data: dict[str, Any]) -> str:
    error = data.get("error") or {}
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def _wanted(data: dict[str, Any]) -> str:
    names = [call["name"] for call in data.get("tool_calls") or []]
    return f"calls {', '.join(names)}" if names else ""


def _used(data: dict[str, Any]) -> str:
    return f"{data.get('name')} {'answered' if data.get('ok') else 'failed'}"
