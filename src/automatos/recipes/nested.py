"""Runs that steps of other runs start: a recipe of the same workspace, its inputs filled in, begun with the step."""

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import asyncpg
import orjson

from automatos.durable.types import StoredEvent
from automatos.events.service import recorded
from automatos.kernel.ids import new_id
from automatos.recipes.definition import accept_inputs, queued_event
from automatos.recipes.placeholders import TooLong, find
from automatos.recipes.queries import graph_runs
from automatos.recipes.queries import nested as queries
from automatos.recipes.state import ExecutionState, definition
from automatos.recipes.step_runner import fill
from automatos.recipes.types import Definition, JsonObject, NewRun, Step
from automatos.runs.service import Planner, begin_run
from automatos.runs.types import RunRow, StartedRun, StepPath, StepUnready

MAX_RUNS_DEEP = 5
MAX_INPUT_CHARS = 1_000_000


async def start_child(
    connection: asyncpg.Connection, planner: Planner, run: RunRow, step: Step, path: StepPath, state: ExecutionState,
    values: Mapping[str, str],
) -> StartedRun:
    """Store the run of the recipe that a step names and begin it, all in the transaction in which the step begins.

    Raises StepUnready where there is no such recipe, it would run in itself or too deep, or its inputs do not fit.
    """
    called = step.run or {}
    found = await queries.callable_recipe(connection, called["recipe"])
    above = [*(run.parent or {}).get("above", []), run.recipe_id]
    if found is None:
        raise StepUnready("recipe_not_found", f"This workspace has no recipe {called['recipe']!r}.",
                          "Change `run.recipe` of the step, or make that recipe.")
    _refuse_depth(called["recipe"], found["id"], above)
    version = await definition(connection, run.workspace_id, found["id"], found["version"])
    inputs = filled_inputs(called["inputs"], version, values)
    accepted, faults = accept_inputs(version.inputs, inputs)
    if faults:
        said = "; ".join(f"{fault['where'].removeprefix('input_data.')} {fault['message']}" for fault in faults[:5])
        raise StepUnready("inputs_invalid", f"Recipe {called['recipe']!r} cannot begin with what it is given: {said}.",
                          "Change `run.inputs` of the step, or what the steps before it give.")
    new = NewRun(
        id=new_id(), workspace_id=run.workspace_id, kind="recipe", recipe=version, inputs=accepted,
        total_steps=len(version.own_steps), triggered_by="", at=run.at,
        deadline_at=run.at + timedelta(seconds=version.config.total_timeout_s),
        queued=recorded(queued_event(version, found["names"] or {}, (str(run.id), path))), first=[],
        idempotency_key=child_key(run, path))
    if await graph_runs.accept(connection, new, None) is None:
        raise LookupError(f"the step {path} of run {run.id} has started a run that is not recorded in it")
    is_limited = state.definition.config.max_total_tokens is not None
    parent = {"run_id": str(run.id), "path": path, "above": above, "material": material_in(called["inputs"], state),
              "is_budgeted": is_limited or (run.parent or {}).get("is_budgeted", False)}
    await queries.set_parent(connection, run.workspace_id, new.id, parent)
    followed = await begin_run(connection, planner, run.workspace_id, new.id)
    followed.events.insert(0, StoredEvent(f"run:{new.id}", 1, new.queued.type, run.at.isoformat(), new.queued.data))
    return StartedRun(new.id, called["recipe"], version.version, followed)


def child_key(run: RunRow, path: StepPath) -> str:
    """Return the key under which a step starts a run once; clients' keys have no blank."""
    return f"step {hashlib.sha256(f'{run.id}/{path}'.encode()).hexdigest()}"


def _refuse_depth(name: str, recipe_id: int, above: list[int | None]) -> None:
    if recipe_id in above:
        raise StepUnready("recipe_in_itself", f"Recipe {name!r} would run in a run of itself.",
                          "Take the step that runs it out of what it runs.")
    if len(above) >= MAX_RUNS_DEEP:
        raise StepUnready("runs_too_deep", f"Runs stand in each other at most {MAX_RUNS_DEEP} deep.",
                          "Put the steps of one of the recipes into the one that runs it.")


def filled_inputs(given: JsonObject, recipe: Definition, values: Mapping[str, str]) -> JsonObject:
    """Return inputs with their placeholders replaced; where the recipe wants no text, what a text became is read as
    JSON. Raises StepUnready.
    """
    filled: JsonObject = {}
    for name, value in given.items():
        filled[name] = value
        if not isinstance(value, str):
            continue
        try:
            filled[name] = text = fill(value, values, limit=MAX_INPUT_CHARS)
        except TooLong as error:
            raise StepUnready("inputs_too_long", f"Input {name!r} has {error.size:,} characters; "
                              f"{MAX_INPUT_CHARS:,} are taken.", "Give less of what the steps gave.") from error
        if recipe.inputs.get(name, {}).get("type", "string") != "string":
            filled[name] = _read_json(name, text)
    return filled


def _read_json(name: str, text: str) -> Any:
    try:
        return orjson.loads(text) if text.strip() else None
    except orjson.JSONDecodeError as error:
        raise StepUnready("inputs_invalid", f"Input {name!r} is to be no text, and {text[:80]!r} is no JSON.",
                          "Give it a value in JSON, and no more.") from error


def material_in(given: JsonObject, state: ExecutionState) -> list[str]:
    """Return the inputs that hold what models wrote: whoever reads them gets it between marks, and does not obey it."""
    own = {f"input.{name}" for name in state.definition.inputs} - {f"input.{name}" for name in state.material}
    return [name for name, value in given.items()
            if isinstance(value, str) and any(each.name not in own | {"index"} for each in find(value))]
