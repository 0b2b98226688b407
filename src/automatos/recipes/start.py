"""Starting an execution: checked, stored with its job in one statement, answered before any step has run."""

import hashlib
from contextlib import nullcontext
from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

import asyncpg
import orjson

from automatos.durable.service import wake
from automatos.durable.types import EventBus, StoredEvent
from automatos.events.service import recorded
from automatos.events.types import ExecutionQueued, QueuedStep
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.service import ModelClient
from automatos.recipes.definition import accept_inputs
from automatos.recipes.errors import IdempotencyKeyReused, InputsInvalid, RecipeNotFound, RecipeNotReady
from automatos.recipes.loading import definition
from automatos.recipes.planning import first_steps, flow_of, plan_recipe
from automatos.recipes.preflight import require_models, require_patterns
from automatos.recipes.queries import definitions, executions, graph_runs
from automatos.recipes.types import Accepted, Definition, JsonObject, Step
from automatos.runs.service import begin_run, tell_followed
from automatos.workspaces.types import Caller


async def start_execution(
    database: Database, bus: EventBus, models: ModelClient, caller: Caller, template_id: str, inputs: JsonObject,
    idempotency_key: str | None,
) -> Accepted:
    """Queue one execution of a recipe and return it before any step has run.

    The execution, its job and its first event are one statement: all exist or none. The same `idempotency_key` with
    the same request gives the execution it started before.

    Raises:
        RecipeNotFound: the caller's workspace has no such recipe.
        RecipeNotReady: the agent of at least one step is not active, its model cannot be asked or its pattern is gone;
            names each.
        InputsInvalid: inputs are unknown, missing or of another type.
        IdempotencyKeyReused: the key started something else.
    """
    key = idempotency_key
    fingerprint = _fingerprint(template_id, inputs) if key else None
    async with database.recording(caller.workspace_id) as connection:
        found = await definitions.startable(connection, template_id)
        if found is None:
            raise RecipeNotFound(template_id)
        if key and (repeat := await earlier_start(connection, caller.workspace_id, key, fingerprint)):
            return repeat
    if found["idle"]:
        raise RecipeNotReady(found["idle"])
    await require_models(database, models, caller.workspace_id, map(int, found["names"] or {}))
    await require_patterns(database, caller.workspace_id, found["patterns"] or ())
    async with database.recording(caller.workspace_id) as connection:
        return await _accept(connection, bus, caller, found, inputs, key, fingerprint)


async def _accept(
    connection: asyncpg.Connection, bus: EventBus, caller: Caller, found: asyncpg.Record, inputs: JsonObject,
    key: str | None, fingerprint: str | None,
) -> Accepted:
    recipe = await definition(connection, caller.workspace_id, found["id"], found["version"])
    accepted, faults = accept_inputs(recipe.inputs, inputs)
    if faults:
        raise InputsInvalid(faults)
    execution_id, at, event = new_id(), now(), recorded(queued_event(recipe, found["names"] or {}))
    values: dict[str, Any] = {
        "execution_id": execution_id, "workspace_id": caller.workspace_id, "recipe_id": recipe.recipe_id,
        "version": recipe.version, "input_data": accepted, "total_steps": len(recipe.own_steps),
        "triggered_by": caller.actor, "idempotency_key": key, "request_hash": fingerprint, "at": at, "event": event,
        "deadline_at": at + timedelta(seconds=recipe.config.total_timeout_s),
    }
    first = first_steps(flow_of(caller.workspace_id, recipe), accepted, found["names"] or {})
    async with connection.transaction() if not first else nullcontext():
        is_new = await graph_runs.accept(connection, **values, first=first)
        followed = None
        if is_new and not first:
            followed = await begin_run(connection, plan_recipe, caller.workspace_id, execution_id)
    if not is_new and key and (repeat := await earlier_start(connection, caller.workspace_id, key, fingerprint)):
        return repeat
    bus.publish(caller.workspace_id, [StoredEvent(f"run:{execution_id}", 1, event.type, at.isoformat(), event.data)])
    if followed:
        tell_followed(bus, followed)
    else:
        wake(bus)
    bus.hint(caller.workspace_id, "runs")
    return Accepted(execution_id, recipe)


async def find_started(database: Database, workspace_id: UUID, idempotency_key: str) -> UUID | None:
    """Return the execution that this key started in the workspace, if any."""
    async with database.recording(workspace_id) as connection:
        row = await executions.earlier_request(connection, workspace_id, idempotency_key)
    return row["id"] if row else None


async def earlier_start(
    connection: asyncpg.Connection, workspace_id: UUID, key: str, fingerprint: str | None
) -> Accepted | None:
    """Return the execution that a key started before; raises IdempotencyKeyReused when that was something else."""
    row = await executions.earlier_request(connection, workspace_id, key)
    if row is None:
        return None
    if row["request_hash"] != fingerprint:
        raise IdempotencyKeyReused
    recipe = await definition(connection, workspace_id, row["recipe_id"], row["recipe_version"])
    return Accepted(row["id"], recipe, is_repeat=True)


def queued_event(recipe: Definition, names: dict[str, str]) -> ExecutionQueued:
    """Return the first event of a recipe's execution; `names` are its agents' by id."""
    return ExecutionQueued(
        kind="recipe", recipe_id=recipe.template_id, recipe_name=recipe.name, recipe_version=recipe.version,
        total_steps=len(recipe.own_steps),
        steps=[QueuedStep(order=s.order, step_id=s.step_id, agent_id=s.agent_id or None,
                          agent_name=names.get(str(s.agent_id), ""), output_key=s.output_key,
                          kind=_kind(s))
               for s in recipe.own_steps],
    )


def _kind(step: Step) -> Literal["for_each", "approval", "wait"] | None:
    if step.for_each:
        return "for_each"
    if step.approval:
        return "approval"
    return "wait" if step.wait else None


def _fingerprint(template_id: str, inputs: JsonObject) -> str:
    written = orjson.dumps([template_id, inputs], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()


def run_topic(execution_id: UUID) -> str:
    """Return the stream of an execution's events."""
    return f"run:{execution_id}"
