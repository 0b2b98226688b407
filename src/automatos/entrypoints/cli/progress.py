"""A run as its events tell it: one state for every view, and one line for every event."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from automatos.entrypoints.cli.figures import costs, duration, quantity, tokens, trimmed
from automatos.entrypoints.cli.follow import Event

LINE_WIDTH = 160
CUT_OFF = "warning: cut off by its limit, not whole"


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
        elif what in {"waiting", "paused"}:
            self.status = _said(event) or what
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
    elif event.type in {"step.retrying", "model.retrying", "model.failed"}:
        step.note, step.text = SENTENCES[event.type](data), ""
        step.tokens += data.get("input_tokens", 0) + data.get("output_tokens", 0)
    elif event.type == "step.restarted":
        step.text = ""
    else:
        step.status = event.type.removeprefix("step.")
        step.duration_ms = data.get("duration_ms")
        step.note = _message(data) if data.get("error") else CUT_OFF if data.get("is_cut_off") else ""


def line_of(event: Event) -> str | None:
    """Return an event as one line of plain text; pieces of streamed text have none."""
    said = _said(event)
    return f"{event.at[11:19]}  {said}" if said else None


def _said(event: Event) -> str | None:
    if event.is_final:
        return ending_of(event.type.removeprefix("execution."), event.data)
    subject, _, what = event.type.partition(".")
    write = SENTENCES.get(event.type)
    text = write(event.data) if write else f"{what}: {_message(event.data)}"
    if subject == "execution" or not text:
        return text or None
    return trimmed(f"step {event.data.get('order')} {text}", LINE_WIDTH)


SENTENCES: dict[str, Callable[[dict[str, Any]], str]] = {
    "execution.queued": lambda data: f"queued {data.get('recipe_name')}, {quantity(data['total_steps'], 'step')}",
    "execution.started": lambda _: "started",
    "execution.recovered": lambda _: "goes on in another worker",
    "execution.waiting": lambda data: f"waits for a free place of {data.get('agent_name')}",
    "execution.paused": lambda data: f"waits: {data.get('agent_name')} is paused",
    "execution.resumed": lambda _: "goes on",
    "step.delta": lambda _: "",
    "step.started": lambda data: f"{data.get('step_id')} started by {data.get('agent_name')}{_again(data)}",
    "model.answered": lambda data: f"{data.get('provider')}/{data.get('model')} "
                                   f"{_wanted(data) or 'answered: ' + data.get('text', '')}",
    "tool.finished": lambda data: f"{_used(data)}: {data.get('output', '')}",
    "step.retrying": lambda data: f"tries again in {data.get('delay_s')} s: {_message(data)}",
    "model.retrying": lambda data: f"attempt {data.get('attempt')} of {data.get('of')} failed, {_next(data)}: "
                                   f"{data.get('reason')}",
    "model.failed": lambda data: f"attempt {data.get('attempt')} of {data.get('of')} failed: {data.get('reason')}",
    "step.restarted": lambda _: "begins its answer again",
    "step.completed": lambda data: f"completed in {duration(data.get('duration_ms'))}"
                                   f"{'; ' + CUT_OFF if data.get('is_cut_off') else ''}",
}
"""What each event says, without its time and its step; nothing for pieces of streamed text."""


def _next(data: dict[str, Any]) -> str:
    if data.get("then") == "fallback":
        return "the fallback model is asked"
    return f"tries again in {data.get('wait_s') or 0:.1f} s"


def _again(data: dict[str, Any]) -> str:
    return f", attempt {data['attempt']}" if data.get("attempt", 1) > 1 else ""


def ending_of(status: str, end: dict[str, Any]) -> str:
    """Write how a run ended, with what it took."""
    how = status.replace("_", " ")
    used = tokens(end.get("total_tokens", 0), is_estimated=bool(end.get("is_estimated")))
    took = f"{how} in {duration(end.get('duration_ms'))}, {used} tokens, {costs(end)}"
    took += f"; {CUT_OFF}" if end.get("is_cut_off") else ""
    return f"{took}: {_message(end)}" if end.get("error") else took


def _message(data: dict[str, Any]) -> str:
    error = data.get("error") or {}
    return str(error.get("message", error)) if isinstance(error, dict) else str(error)


def _wanted(data: dict[str, Any]) -> str:
    names = [call["name"] for call in data.get("tool_calls") or []]
    return f"calls {', '.join(names)}" if names else ""


def _used(data: dict[str, Any]) -> str:
    return f"{data.get('name')} {'answered' if data.get('ok') else 'failed'}"
