"""Reading an execution back from its rows, for whoever drives it next."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from automatos.kernel.db import Database
from automatos.recipes.definition import definition_of
from automatos.recipes.queries import definitions
from automatos.recipes.state import ExecutionState, StepState
from automatos.recipes.types import Definition, ExecutionStatus, Step, StepStatus
from automatos.runtime import service as runtime
from automatos.runtime.types import Run

KEPT_DEFINITIONS = 512
Stored = Mapping[str, Any] | asyncpg.Record
_definitions: dict[tuple[UUID, int, int], Definition] = {}


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
        steps={step.order: step_state(step, stored) for step, stored in steps},
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
    agent_id, opening, turns = await runtime.read_run(database, state.workspace_id, run_id)
    order = next(step.step.order for step in state.steps.values() if step.run_id == run_id)
    return Run(run_id, state.workspace_id, agent_id, state.id, order, opening, state.epoch, turns)
