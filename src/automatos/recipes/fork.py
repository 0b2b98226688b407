"""Forking: a new run of the same version takes over what steps of one that is over gave, and begins at a step."""

import asyncio
import hashlib
import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import orjson

from automatos.durable.types import EventBus, StoredEvent
from automatos.events.service import recorded
from automatos.events.types import StepTakenOver
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.service import ModelClient
from automatos.recipes.calls import needs_below
from automatos.recipes.definition import accept_inputs, patterns_named, queued_event
from automatos.recipes.errors import ExecutionNotFound, InputsInvalid, RecipeNotFound, RecipeNotReady
from automatos.recipes.planning import plan_recipe
from automatos.recipes.preflight import require_models, require_patterns
from automatos.recipes.queries import forks as queries
from automatos.recipes.queries import graph_runs
from automatos.recipes.start import earlier_start
from automatos.recipes.state import definition, flow_of
from automatos.recipes.types import NOBODY, Accepted, Definition, JsonObject, NewRun
from automatos.runs.errors import ForkNotPossible
from automatos.runs.service import carried_over, change_of, lock, tell_followed
from automatos.runs.types import Followed
from automatos.workspaces.types import Caller


@dataclass(frozen=True, slots=True)
class Forking:
    """What forking needs of this process; `folders` hold the files of runs."""

    database: Database
    bus: EventBus
    models: ModelClient
    folders: Path


@dataclass(frozen=True, slots=True)
class ForkOrder:
    """Which run to take over from, where to begin, and inputs that are to be others; a key starts it once."""

    run_id: UUID
    from_step: str
    inputs: JsonObject
    idempotency_key: str | None = None

    @property
    def fingerprint(self) -> str | None:
        """What the key stands for."""
        if self.idempotency_key is None:
            return None
        written = orjson.dumps([str(self.run_id), self.from_step, self.inputs], option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(written).hexdigest()


async def fork_run(forking: Forking, caller: Caller, order: ForkOrder) -> Accepted:
    """Queue a run of the version that another one ran, with its outputs up to a step, and return it.

    What is taken over costs the new run nothing. It gets a copy of the other's files, as they were at its end.

    Raises:
        ExecutionNotFound: the caller's workspace has no such run.
        ForkNotPossible: it is not over, has no recipe or no such step, or a step before that is not done.
        RecipeNotFound: the recipe was deleted.
        RecipeNotReady: an agent of the steps that are to be done is not active, or cannot be asked.
        InputsInvalid: inputs are unknown or of another type.
        IdempotencyKeyReused: the key started something else.
    """
    workspace_id, key = caller.workspace_id, order.idempotency_key
    async with forking.database.recording(workspace_id) as connection:
        if key and (repeat := await earlier_start(connection, workspace_id, key, order.fingerprint)):
            return repeat
        recipe, inputs, taken = await _plan(connection, workspace_id, order)
        again = [step for step in recipe.steps if (step.inside or step.step_id) not in taken]
        ids = list(dict.fromkeys(step.agent_id for step in again if step.agent_id != NOBODY))
        agents = await queries.agent_states(connection, recipe.agent_ids)
    if unavailable := agents.list_unavailable(ids):
        raise RecipeNotReady(unavailable)
    runs = sorted({step.run["recipe"] for step in again if step.run})
    below = await needs_below(forking.database, workspace_id, runs)
    await require_models(forking.database, forking.models, workspace_id, [*ids, *below.agent_ids])
    await require_patterns(forking.database, workspace_id, sorted({*patterns_named(again), *below.patterns}))
    accepted, faults = accept_inputs(recipe.inputs, inputs)
    if faults:
        raise InputsInvalid(faults)
    return await _start(forking, caller, order, recipe, accepted, taken, agents.names)


async def _plan(
    connection: asyncpg.Connection, workspace_id: UUID, order: ForkOrder
) -> tuple[Definition, JsonObject, list[str]]:
    """Return the version to run, the inputs, and the steps to take over, each behind those it comes after."""
    origin = await queries.find_origin(connection, workspace_id, order.run_id)
    if origin is None:
        raise ExecutionNotFound(order.run_id)
    if origin["recipe_id"] is None:
        raise ForkNotPossible(f"The run is a {origin['kind']}, which is one step. Give the agent its task again.")
    if origin["is_deleted"]:
        raise RecipeNotFound(origin["template_id"])
    if origin["finished_at"] is None:
        raise ForkNotPossible("The run is not over. Wait for its end, or cancel it.")
    recipe = await definition(connection, workspace_id, origin["recipe_id"], origin["recipe_version"])
    step = next((each for each in recipe.steps if each.step_id == order.from_step), None)
    if step and step.inside:
        raise ForkNotPossible(f"Step {step.step_id!r} is done for items. Begin at {step.inside!r}, which repeats it.")
    done = await queries.done_steps(connection, order.run_id)
    taken = carried_over(flow_of(workspace_id, recipe).graph, done, order.from_step)
    return recipe, {**origin["input_data"], **order.inputs}, taken


async def _start(
    forking: Forking, caller: Caller, order: ForkOrder, recipe: Definition, inputs: JsonObject, taken: list[str],
    names: dict[str, str],
) -> Accepted:
    run_id, of_workspace = new_id(), forking.folders / str(caller.workspace_id)
    await asyncio.to_thread(_copy, of_workspace / str(order.run_id), of_workspace / str(run_id))
    at = now()
    new = NewRun(
        id=run_id, workspace_id=caller.workspace_id, kind="recipe", recipe=recipe, inputs=inputs,
        total_steps=len(recipe.own_steps), triggered_by=caller.actor, at=at,
        deadline_at=at + timedelta(seconds=recipe.config.total_timeout_s), queued=recorded(queued_event(recipe, names)),
        first=[], idempotency_key=order.idempotency_key, request_hash=order.fingerprint)
    followed = None
    try:
        async with forking.database.recording(caller.workspace_id) as connection, connection.transaction():
            if await graph_runs.accept(connection, new, None) is not None:
                followed = await _take_over(connection, caller.workspace_id, order, run_id, taken)
    finally:
        if followed is None:
            await asyncio.to_thread(shutil.rmtree, of_workspace / str(run_id), ignore_errors=True)
    if followed is None:
        return await _repeat(forking, caller, order)
    forking.bus.publish(caller.workspace_id, [
        StoredEvent(f"run:{run_id}", 1, new.queued.type, at.isoformat(), new.queued.data)])
    tell_followed(forking.bus, followed)
    forking.bus.hint(caller.workspace_id, "runs")
    return Accepted(run_id, recipe)


async def _take_over(
    connection: asyncpg.Connection, workspace_id: UUID, order: ForkOrder, run_id: UUID, taken: list[str]
) -> Followed:
    """Write what the new run takes over, and begin what follows from it."""
    rows = await queries.take_over(connection, workspace_id, order.run_id, run_id, taken)
    run = await lock(connection, workspace_id, run_id)
    if run is None or len(rows) != len(taken):
        raise ExecutionNotFound(order.run_id)  # it was cleaned away meanwhile
    change = await change_of(connection, plan_recipe, run)
    for row in rows:
        change.note(StepTakenOver(
            order=row["step_order"], path=row["path"], run_id=UUID(row["detail"]["taken_over_from"]),
            output_key=row["output_key"], output=row["output"] or "", is_skipped=row["status"] == "skipped"))
    return await change.follow()


async def _repeat(forking: Forking, caller: Caller, order: ForkOrder) -> Accepted:
    """Return what the key has started while this request was on its way."""
    async with forking.database.recording(caller.workspace_id) as connection:
        found = await earlier_start(connection, caller.workspace_id, order.idempotency_key or "", order.fingerprint)
    if found is None:
        raise ExecutionNotFound(order.run_id)
    return found


def _copy(source: Path, target: Path) -> None:
    """Copy the files of a run, if it has any; links stay links."""
    if source.is_dir():
        shutil.copytree(source, target, symlinks=True)
