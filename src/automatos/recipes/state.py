"""An execution as its driver holds it in memory; the rows say the same after every record."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from automatos.recipes.types import Definition, ExecutionKind, ExecutionStatus, JsonObject, Step, StepStatus
from automatos.runs.types import Turn


@dataclass
class StepState:
    """What has become of one step so far."""

    step: Step
    agent_name: str
    status: StepStatus = StepStatus.PENDING
    attempt: int = 1
    run_id: UUID | None = None
    prompt: str = ""
    output: str | None = None
    error: JsonObject | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int | None = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to this step."""
        return self.status not in {StepStatus.PENDING, StepStatus.RUNNING}

    @property
    def duration_ms(self) -> int:
        """Wall-clock time from the first attempt's start to the end, in milliseconds."""
        if self.started_at is None or self.finished_at is None:
            return 0
        return round((self.finished_at - self.started_at).total_seconds() * 1000)

    def row(self) -> JsonObject:
        """Return the step's row as RECORD takes it."""
        return {
            "step_order": self.step.order, "step_id": self.step.step_id, "agent_id": self.step.agent_id,
            "agent_name": self.agent_name, "status": self.status, "attempt": self.attempt, "run_id": self.run_id,
            "prompt": self.prompt, "output_key": self.step.output_key, "output": self.output, "error": self.error,
            "input_tokens": self.input_tokens, "output_tokens": self.output_tokens,
            "cost_micro_usd": self.cost_micro_usd, "started_at": self.started_at, "finished_at": self.finished_at,
        }


@dataclass
class ExecutionState:
    """What has become of one execution so far."""

    id: UUID
    workspace_id: UUID
    kind: ExecutionKind
    definition: Definition
    epoch: int
    last_seq: int
    status: ExecutionStatus
    input_data: JsonObject
    created_at: datetime
    deadline_at: datetime
    current_step: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    is_cost_known: bool = True
    started_at: datetime | None = None
    finished_at: datetime | None = None
    output_data: JsonObject | None = None
    error: JsonObject | None = None
    steps: dict[int, StepState] = field(default_factory=dict)

    @property
    def topic(self) -> str:
        """The stream of this execution's events."""
        return f"run:{self.id}"

    @property
    def cost(self) -> int | None:
        """Micro-dollars so far; None when any call's price is unknown."""
        return self.cost_micro_usd if self.is_cost_known else None

    def count(self, step: StepState, turn: Turn) -> None:
        """Add what a model turn used to its step and to the whole."""
        if turn.kind != "model":
            return
        step.input_tokens += turn.input_tokens
        step.output_tokens += turn.output_tokens
        self.input_tokens += turn.input_tokens
        self.output_tokens += turn.output_tokens
        if turn.cost_micro_usd is None:
            step.cost_micro_usd = None
            self.is_cost_known = False
        else:
            self.cost_micro_usd += turn.cost_micro_usd
            if step.cost_micro_usd is not None:
                step.cost_micro_usd += turn.cost_micro_usd
