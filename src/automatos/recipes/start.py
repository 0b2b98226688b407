"""Starting an execution: checked, stored with its job in one statement, answered before any step has run."""

import hashlib
from datetime import timedelta
from uuid import UUID

import asyncpg
import orjson

from automatos.agents.service import read_specs
from automatos.agents.types import AgentStates
from automatos.durable.types import EventBus
from automatos.events.service import recorded
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.llm.service import ModelClient
from automatos.recipes.accept import accept_run
from automatos.recipes.calls import needs_below
from automatos.recipes.definition import accept_inputs, queued_event
from automatos.recipes.errors import IdempotencyKeyReused, InputsInvalid, RecipeNotFound, RecipeNotReady
from automatos.recipes.planning import first_steps
from automatos.recipes.preflight import require_models, require_patterns
from automatos.recipes.queries import definitions, executions
from automatos.recipes.state import definition, flow_of, known_definition
from automatos.recipes.types import Accepted, Definition, JsonObject, LocalBeginning, NewRun
from automatos.workspaces.types import Caller


async def start_execution(
    database: Database, bus: EventBus, models: ModelClient, caller: Caller, template_id: str, inputs: JsonObject,
    idempotency_key: str | None, here: LocalBeginning | None = None,
) -> Accepted:
    """Queue one execution of a recipe, or begin it `here`, and return it before any step has run.

    The execution, its job and its first event are one statement: all exist or none. The same `idempotency_key` with
    the same request gives the execution it started before.

    Raises:
        RecipeNotFound: the caller's workspace has no such recipe.
        RecipeNotReady: the agent of at least one step is not active, its model cannot be asked or its pattern is gone,
            or such a step is in a recipe that it runs; names each.
        InputsInvalid: inputs are unknown, missing or of another type.
        IdempotencyKeyReused: the key started something else.
    """
    key = idempotency_key
    fingerprint = _fingerprint(template_id, inputs) if key else None
    async with database.recording(caller.workspace_id) as connection:
        found = await definitions.startable(connection, template_id, with_agents=here is not None)
        if found is None:
            raise RecipeNotFound(template_id)
        if key and (repeat := await earlier_start(connection, caller.workspace_id, key, fingerprint)):
            return repeat
    agents = AgentStates(found["states"] or {})
    if unavailable := agents.list_unavailable(found["ids"] or ()):
        raise RecipeNotReady(unavailable)
    below = await needs_below(database, caller.workspace_id, found["runs"])
    await require_models(database, models, caller.workspace_id, [*map(int, agents.told), *below.agent_ids])
    await require_patterns(database, caller.workspace_id, [*(found["patterns"] or ()), *below.patterns])
    recipe = await _definition(database, caller.workspace_id, found["id"], found["version"])
    new = _new_run(caller, recipe, found, agents.names, inputs, key, fingerprint)
    if not await accept_run(database, bus, new, here) and key:
        async with database.recording(caller.workspace_id) as connection:
            if repeat := await earlier_start(connection, caller.workspace_id, key, fingerprint):
                return repeat
        raise IdempotencyKeyReused
    return Accepted(new.id, recipe)


def _new_run(
    caller: Caller, recipe: Definition, found: asyncpg.Record, names: dict[str, str], inputs: JsonObject,
    key: str | None, fingerprint: str | None,
) -> NewRun:
    accepted, faults = accept_inputs(recipe.inputs, inputs)
    if faults:
        raise InputsInvalid(faults)
    at = now()
    return NewRun(
        id=new_id(), workspace_id=caller.workspace_id, kind="recipe", recipe=recipe, inputs=accepted,
        total_steps=len(recipe.own_steps), triggered_by=caller.actor, at=at,
        deadline_at=at + timedelta(seconds=recipe.config.total_timeout_s), queued=recorded(queued_event(recipe, names)),
        first=first_steps(flow_of(caller.workspace_id, recipe), accepted, names), idempotency_key=key,
        request_hash=fingerprint, agents=read_specs(found["agents"]) if found["agents"] else None)


async def _definition(database: Database, workspace_id: UUID, recipe_id: int, version: int) -> Definition:
    if known := known_definition(workspace_id, recipe_id, version):
        return known
    async with database.recording(workspace_id) as connection:
        return await definition(connection, workspace_id, recipe_id, version)


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


def _fingerprint(template_id: str, inputs: JsonObject) -> str:
    written = orjson.dumps([template_id, inputs], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()


def run_topic(execution_id: UUID) -> str:
    """Return the stream of an execution's events."""
    return f"run:{execution_id}"
