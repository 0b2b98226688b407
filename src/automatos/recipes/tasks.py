"""Starting a task: one agent, one prompt, run as an execution of one step without a recipe."""

import hashlib
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from automatos.agents.errors import AgentNotFound
from automatos.agents.types import ELIGIBLE, AgentStatus
from automatos.durable.types import EventBus
from automatos.events.service import recorded
from automatos.events.types import ExecutionQueued, QueuedStep
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.kernel.ids import new_id
from automatos.kernel.tracing import current_traceparent
from automatos.recipes.accept import accept_run
from automatos.recipes.errors import AgentNotEligible, IdempotencyKeyReused
from automatos.recipes.queries import executions
from automatos.recipes.types import JsonObject, LocalBeginning, NewRun, TaskOrder, TaskStarted
from automatos.runtime.service import fence

LONGEST = timedelta(days=1)
"""A task may work this long in all, however long its steps may take."""
OUTPUT_KEY = "answer"
STEP_ID = "task"


async def start_task(
    database: Database, bus: EventBus, workspace_id: UUID, actor: str, order: TaskOrder,
    here: LocalBeginning | None = None,
) -> TaskStarted:
    """Queue a task for an agent, or begin it `here`, and return it before anything has run.

    The execution, its job and its first event are one statement: all exist or none. A paused agent takes it and works
    on it when it is resumed. The same `idempotency_key` with the same order gives the task it started before.

    Raises:
        AgentNotFound: the workspace has no such agent.
        AgentNotEligible: it takes no work now; says why.
        IdempotencyKeyReused: the key started something else.
    """
    fingerprint = _fingerprint(order) if order.idempotency_key else None
    async with database.recording(workspace_id) as connection:
        agent = await executions.agent_for_start(connection, order.agent_id)
        if agent is None:
            raise AgentNotFound(order.agent_id)
        if repeat := await _earlier(connection, workspace_id, order, agent, fingerprint):
            return repeat
        _refuse_unless_eligible(agent)
    new = _new_run(workspace_id, actor, order, agent, fingerprint)
    if await accept_run(database, bus, new, here):
        return TaskStarted(new.id, order.agent_id, agent["name"], _waits_for(agent))
    async with database.recording(workspace_id) as connection:
        if repeat := await _earlier(connection, workspace_id, order, agent, fingerprint):
            return repeat
    raise IdempotencyKeyReused


def _new_run(
    workspace_id: UUID, actor: str, order: TaskOrder, agent: JsonObject, fingerprint: str | None
) -> NewRun:
    at = now()
    step = {"step_order": 1, "path": STEP_ID, "step_id": STEP_ID, "agent_id": order.agent_id,
            "agent_name": agent["name"], "output_key": OUTPUT_KEY}
    return NewRun(
        id=new_id(), workspace_id=workspace_id, kind=order.kind, recipe=None, inputs=_inputs(order), total_steps=1,
        triggered_by=actor, at=at, deadline_at=at + LONGEST, queued=recorded(_queued(order, agent["name"])),
        first=[step], definition=_definition(order, agent["name"]), agent_id=order.agent_id, priority=order.priority,
        idempotency_key=order.idempotency_key, request_hash=fingerprint)


async def _earlier(
    connection: asyncpg.Connection, workspace_id: UUID, order: TaskOrder, agent: JsonObject, fingerprint: str | None
) -> TaskStarted | None:
    if order.idempotency_key is None:
        return None
    row = await executions.earlier_request(connection, workspace_id, order.idempotency_key)
    if row is None:
        return None
    if row["request_hash"] != fingerprint:
        raise IdempotencyKeyReused
    return TaskStarted(row["id"], order.agent_id, agent["name"], _waits_for(agent), is_repeat=True)


def _refuse_unless_eligible(agent: JsonObject) -> None:
    if agent["is_stopping"]:
        raise AgentNotEligible(agent["name"], "it is being stopped and takes no new work")
    if agent["status"] not in {*ELIGIBLE, AgentStatus.PAUSED}:
        because = f": {agent['status_reason']}" if agent["status_reason"] else ""
        raise AgentNotEligible(agent["name"], f"it is {agent['status']}{because}")


def _waits_for(agent: JsonObject) -> Any:
    return "resume" if agent["status"] == AgentStatus.PAUSED else None


def _inputs(order: TaskOrder) -> JsonObject:
    written = fence(orjson.dumps(order.data, option=orjson.OPT_INDENT_2).decode()) if order.data else ""
    return {"prompt": order.prompt, "data": written}


def _definition(order: TaskOrder, agent_name: str) -> JsonObject:
    template = "{input.prompt}\n\n# Input\n{input.data}" if order.data else "{input.prompt}"
    step = {"step_id": STEP_ID, "order": 1, "agent_id": order.agent_id, "prompt_template": template,
            "output_key": OUTPUT_KEY, "max_iterations": order.max_iterations, "timeout_s": order.timeout_s,
            "read_only": order.read_only}
    return {"name": agent_name, "steps": [step], "execution_config": {"total_timeout_s": int(LONGEST.total_seconds())}}


def _queued(order: TaskOrder, agent_name: str) -> ExecutionQueued:
    return ExecutionQueued(
        kind=order.kind, recipe_id=None, recipe_name=agent_name, recipe_version=0, total_steps=1,
        steps=[QueuedStep(order=1, step_id=STEP_ID, agent_id=order.agent_id, agent_name=agent_name,
                          output_key=OUTPUT_KEY)], traceparent=current_traceparent(),
    )


def _fingerprint(order: TaskOrder) -> str:
    written = orjson.dumps([order.agent_id, order.prompt, order.kind, order.data, order.priority, order.max_iterations,
                            order.timeout_s], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(written).hexdigest()
