"""An execution as its driver holds it in memory, read from its rows; they say the same after every record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from automatos.kernel.db import Database
from automatos.recipes.definition import definition_of, task_definition
from automatos.recipes.graph import Flow
from automatos.recipes.queries import definitions
from automatos.recipes.types import Definition, ExecutionKind, ExecutionStatus, JsonObject, Step, StepStatus
from automatos.runs.types import RunRow
from automatos.runtime import service as runtime
from automatos.runtime.types import Run, Turn

KEPT_DEFINITIONS = 512
Stored = Mapping[str, Any] | asyncpg.Record
_definitions: dict[tuple[UUID, int, int], Definition] = {}
_flows: dict[tuple[UUID, int | None, int], Flow] = {}


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
    cost_micro_usd: int = 0
    unpriced_calls: int = 0
    is_estimated: bool = False
    is_cut_off: bool = False
    attempts: list[JsonObject] = field(default_factory=list[JsonObject])
    started_at: datetime | None = None
    finished_at: datetime | None = None
    path: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to this step."""
        return self.status not in {StepStatus.PENDING, StepStatus.RUNNING, StepStatus.WAITING}

    @property
    def duration_ms(self) -> int:
        """Wall-clock time from the first attempt's start to the end, in milliseconds."""
        if self.started_at is None or self.finished_at is None:
            return 0
        return round((self.finished_at - self.started_at).total_seconds() * 1000)

    @property
    def tokens_of_failures(self) -> int:
        """What the failed attempts of the run at work used."""
        return sum(each["input_tokens"] + each["output_tokens"] for each in self.attempts
                   if each["run_id"] == str(self.run_id))

    def row(self) -> JsonObject:
        """Return the step's row as RECORD takes it."""
        return {
            "step_order": self.step.order, "step_id": self.step.step_id, "agent_id": self.step.agent_id or None,
            "agent_name": self.agent_name, "status": self.status, "attempt": self.attempt, "run_id": self.run_id,
            "prompt": self.prompt, "output_key": self.step.output_key, "output": self.output, "error": self.error,
            "input_tokens": self.input_tokens, "output_tokens": self.output_tokens,
            "cost_micro_usd": self.cost_micro_usd, "unpriced_calls": self.unpriced_calls,
            "is_estimated": self.is_estimated, "is_cut_off": self.is_cut_off, "attempts": self.attempts,
            "started_at": self.started_at, "finished_at": self.finished_at,
        }


@dataclass
class ExecutionState:
    """What has become of one execution so far; `epoch` is that of the step at work."""

    id: UUID
    workspace_id: UUID
    kind: ExecutionKind
    definition: Definition
    last_seq: int
    status: ExecutionStatus
    input_data: JsonObject
    created_at: datetime
    deadline_at: datetime
    epoch: int = 0
    current_step: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_micro_usd: int = 0
    unpriced_calls: int = 0
    is_estimated: bool = False
    is_cut_off: bool = False
    started_at: datetime | None = None
    finished_at: datetime | None = None
    output_data: JsonObject | None = None
    error: JsonObject | None = None
    steps: dict[int, StepState] = field(default_factory=dict)
    parent: JsonObject | None = None

    @property
    def material(self) -> frozenset[str]:
        """The inputs that hold what models wrote in the run that has started this one."""
        return frozenset((self.parent or {}).get("material", ()))

    @property
    def topic(self) -> str:
        """The stream of this execution's events."""
        return f"run:{self.id}"

    def count(self, step: StepState, turn: Turn) -> None:
        """Add what a model turn used to its step and to the whole."""
        if turn.kind == "model":
            self.add(step, turn.input_tokens, turn.output_tokens, turn.cost_micro_usd,
                     is_estimated=bool(turn.body.get("is_estimated")))

    def add(self, step: StepState, input_tokens: int, output_tokens: int, cost_micro_usd: int | None, *,
            is_estimated: bool) -> None:
        """Add what one request to a model used, answered or not; a cost that is unknown is counted as one."""
        for part in (step, self):
            part.input_tokens += input_tokens
            part.output_tokens += output_tokens
            part.cost_micro_usd += cost_micro_usd or 0
            part.unpriced_calls += cost_micro_usd is None
            part.is_estimated = part.is_estimated or is_estimated


async def definition(connection: asyncpg.Connection, workspace_id: UUID, recipe_id: int, version: int) -> Definition:
    """Return a version of a recipe; versions never change, so the latest used are kept in memory."""
    key = (workspace_id, recipe_id, version)
    if key not in _definitions:
        row = await definitions.version(connection, recipe_id, version)
        if row is None:
            raise LookupError(f"recipe {recipe_id} has no version {version}")
        while len(_definitions) >= KEPT_DEFINITIONS:
            del _definitions[next(iter(_definitions))]
        _definitions[key] = definition_of({**row["definition"], "recipe_id": recipe_id, "version": version,
                                           "template_id": row["template_id"]})
    return _definitions[key]


def flow_of(workspace_id: UUID, recipe: Definition) -> Flow:
    """Return the flow of a version of a recipe; versions never change, so the latest used are kept."""
    key = (workspace_id, recipe.recipe_id, recipe.version)
    if key not in _flows:
        while len(_flows) >= KEPT_DEFINITIONS:
            del _flows[next(iter(_flows))]
        _flows[key] = Flow(recipe.steps)
    return _flows[key]


async def planned(connection: asyncpg.Connection, run: RunRow) -> tuple[Definition, Flow]:
    """Return what a run does, of its version of a recipe or of a task, and how its steps come after each other."""
    if run.recipe_id is None:
        task = task_definition(run.definition or {})
        return task, Flow(task.steps)
    recipe = await definition(connection, run.workspace_id, run.recipe_id, run.recipe_version)
    return recipe, flow_of(run.workspace_id, recipe)


def known_definition(workspace_id: UUID, recipe_id: int, version: int) -> Definition | None:
    """Return a version of a recipe that is kept in memory."""
    return _definitions.get((workspace_id, recipe_id, version))


def state_of(
    row: Stored, recipe: Definition, steps: Sequence[tuple[Step, Stored | None]]
) -> ExecutionState:
    """Return an execution as its rows say."""
    return ExecutionState(
        id=row["id"], workspace_id=row["workspace_id"], kind=row["kind"], definition=recipe,
        last_seq=row["last_seq"],
        status=ExecutionStatus(row["status"]), input_data=row["input_data"], created_at=row["created_at"],
        deadline_at=row["deadline_at"], current_step=row["current_step"], input_tokens=row["input_tokens"],
        output_tokens=row["output_tokens"], cost_micro_usd=row["cost_micro_usd"], unpriced_calls=row["unpriced_calls"],
        is_estimated=row["is_estimated"], is_cut_off=row["is_cut_off"], started_at=row["started_at"],
        parent=row["parent"], steps={step.order: step_state(step, stored) for step, stored in steps},
    )


def step_state(step: Step, row: Stored | None) -> StepState:
    """Return a step as its row says; without one it has not begun."""
    if row is None:
        return StepState(step, "")
    return StepState(
        step, row["agent_name"], StepStatus(row["status"]), row["attempt"], row["run_id"], row["prompt"], row["output"],
        row["error"], row["input_tokens"], row["output_tokens"], row["cost_micro_usd"], row["unpriced_calls"],
        row["is_estimated"], row["is_cut_off"], row["attempts"], row["started_at"], row["finished_at"],
        row["path"],
    )


async def read_run(database: Database, state: ExecutionState, run_id: UUID) -> Run:
    """Return the run that a step at work is in, as far as it is recorded."""
    agent_id, run_input, turns = await runtime.read_run(database, state.workspace_id, run_id)
    order = next(step.step.order for step in state.steps.values() if step.run_id == run_id)
    return Run(run_id, state.workspace_id, agent_id, state.id, order, run_input, state.epoch, turns)
