"""What a step's journal has gathered and not recorded yet, and what follows the end of a step in a line."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from automatos.durable.types import LiveText, NewEvent
from automatos.recipes.state import StepState
from automatos.recipes.types import JsonObject, StepStatus
from automatos.runtime.types import MAX_REASONING_CHARS, Turn


@dataclass
class Streamed:
    """The answer that is being written, as readers follow it; `room` is left for reasoning."""

    order: int
    turn: int
    live: LiveText
    room: int = MAX_REASONING_CHARS
    is_void: bool = False

    def is_of(self, order: int, turn: int) -> bool:
        """Say whether it belongs to a turn."""
        return (self.order, self.turn) == (order, turn)


@dataclass
class Pending:
    """What has happened since the last record."""

    events: list[NewEvent] = field(default_factory=list[NewEvent])
    turns: list[Turn] = field(default_factory=list[Turn])
    steps: dict[int, StepState] = field(default_factory=dict[int, StepState])
    runs: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    over: list[Streamed] = field(default_factory=list[Streamed])

    def before(self, later: "Pending") -> "Pending":
        """Return what is pending here, followed by what came later."""
        return Pending(self.events + later.events, self.turns + later.turns, self.steps | later.steps,
                       self.runs + later.runs, self.over + later.over)


class Record(NamedTuple):
    """One record: new events, and what they changed as JSON text."""

    types: list[str]
    bodies: list[str]
    at: datetime
    steps: dict[int, str]
    runs: str | None
    turns: str | None


@dataclass
class Onward:
    """What follows the end of a step in a line: the next step, whose beginning is gathered, or the end of the run."""

    pending: Pending
    next: StepState | None = None
    priority: int = 1
    ending: JsonObject | None = None
    output: JsonObject | None = None
    waits: bool = False
    before: Pending = field(default_factory=Pending)

    def leave(self) -> None:
        """Leave the next step as it was, because it does not follow now."""
        if self.next:
            self.next.status, self.next.run_id, self.next.started_at = StepStatus.PENDING, None, None


class NotOnward(Exception):
    """Nothing was written, because what was to follow does not; `answer` says why."""

    def __init__(self, answer: str) -> None:
        super().__init__(answer)
        self.answer = answer
