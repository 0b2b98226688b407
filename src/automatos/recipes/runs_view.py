"""Executions as people see them, and their end by hand."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.durable.types import EventBus
from automatos.kernel.db import Database
from automatos.kernel.schemas import costs
from automatos.recipes.earlier_runs import adopt
from automatos.recipes.errors import ExecutionNotFound, ExecutionOver
from automatos.recipes.models import ExecutionStep, RecipeExecution
from automatos.recipes.planning import plan_recipe
from automatos.recipes.queries import definitions, pages
from automatos.recipes.queries.nested import recipes_of, statuses_of
from automatos.recipes.run_schemas import RunOut, RunStep, RunSummary, TurnOut
from automatos.recipes.types import ExecutionStatus, JsonObject, Total
from automatos.runs.errors import ApprovalNotAllowed
from automatos.runs.service import (
    cancel_run,
    decide_step,
    lock,
    pause_run,
    resume_run,
    signal_run,
    tell_followed,
)
from automatos.runs.types import RunRow, StepKind
from automatos.runtime.service import read_turns
from automatos.runtime.types import Turn
from automatos.workspaces.types import Caller, Role

CUT_OFF = "The answer was cut off by its limit and is not whole. Raise max_tokens of the agent, or ask for less."

MADE_OF_OTHERS = {
    "turns", "cost_usd", "known_cost_usd", "duration_ms", "warning", "waits_for", "taken_over_from", "child"}
"""Fields of a step that its row has not under their names."""


async def page(
    session: AsyncSession, workspace_id: UUID | None, *, status: ExecutionStatus | None, recipe: str | None = None,
    agent_id: int | None = None, kind: str | None = None, top_level: bool = False, before: UUID | None = None,
    skip: int = 0, limit: int,
) -> tuple[list[RunSummary], Total]:
    """Return executions of the workspace, or of all that the session may see, newest first, and how many match.

    With `top_level` those that no step of another one has started.
    """
    rows, total = await pages.page_runs(
        session, workspace_id, status=status, recipe=recipe, agent_id=agent_id, kind=kind, top_level=top_level,
        before=before, skip=skip, limit=limit)
    parents = await _parents(session, workspace_id, [row[0] for row in rows])
    return [RunSummary.model_validate({**_summary(*row), "parent": parents.get(row[0].id)}) for row in rows], total


async def _parents(
    session: AsyncSession, workspace_id: UUID | None, executions: Sequence[RecipeExecution]
) -> dict[UUID, JsonObject]:
    """Return the steps that have started executions, each with the recipe of its run, by the executions' ids."""
    above = {each.id: each.parent for each in executions if each.parent}
    if not above:
        return {}
    recipes = await recipes_of(session, workspace_id, {UUID(str(parent["run_id"])) for parent in above.values()})
    return {run_id: {"run_id": parent["run_id"], "path": parent["path"], "recipe_id": recipe_id, "recipe_name": name}
            for run_id, parent in above.items()
            for recipe_id, name in [recipes.get(UUID(str(parent["run_id"])), (None, None))]}


async def show(session: AsyncSession, database: Database, workspace_id: UUID, execution_id: UUID) -> RunOut:
    """Return one execution with its steps and their turns; raises ExecutionNotFound."""
    found = await definitions.find_execution(session, workspace_id, execution_id)
    if found is None:
        raise ExecutionNotFound(execution_id)
    steps = await definitions.list_steps(session, workspace_id, execution_id)
    turns = await read_turns(database, workspace_id, [step.run_id for step in steps if step.run_id])
    execution = found[0]
    children = [child for step in steps if (child := _child_of(step))]
    statuses = await statuses_of(session, workspace_id, children) if children else {}
    return RunOut.model_validate({
        **_summary(*found), "input_data": execution.input_data, "output_data": execution.output_data,
        "last_seq": execution.last_seq, "forked_from": execution.forked_from,
        "paused_by": execution.paused_by,
        "parent": (await _parents(session, workspace_id, [execution])).get(execution_id),
        "step_outputs": {step.output_key: step.output for step in steps if step.output is not None},
        "steps": [_step(step, turns.get(step.run_id, []) if step.run_id else [], statuses) for step in steps],
    })


async def cancel_execution(database: Database, bus: EventBus, caller: Caller, execution_id: UUID) -> None:
    """End an unfinished execution; whoever works on it stops within two seconds, a second call changes nothing.

    Raises:
        ExecutionNotFound: the caller's workspace has no such execution.
        ExecutionOver: it ended otherwise before.
    """
    async with database.recording(caller.workspace_id) as connection, connection.transaction():
        run = await lock(connection, caller.workspace_id, execution_id)
        if run is None:
            raise ExecutionNotFound(execution_id)
        if run.finished_at:
            if run.status != ExecutionStatus.CANCELLED:
                raise ExecutionOver(run.status)
            return
        await adopt(connection, run)
        followed = await cancel_run(connection, plan_recipe, caller.workspace_id, execution_id, caller.actor)
    if followed:
        tell_followed(bus, followed)


async def pause_execution(database: Database, bus: EventBus, caller: Caller, execution_id: UUID) -> None:
    """Let nothing of an execution begin until it is resumed; what is at work is finished; a second call adds nothing.

    Raises:
        ExecutionNotFound: the caller's workspace has no such execution.
        ExecutionOver: it has ended.
    """
    async with database.recording(caller.workspace_id) as connection, connection.transaction():
        run = await _unfinished(connection, caller.workspace_id, execution_id)
        await adopt(connection, run)
        followed = await pause_run(connection, plan_recipe, run, caller.actor)
    if followed:
        tell_followed(bus, followed)


async def resume_execution(database: Database, bus: EventBus, caller: Caller, execution_id: UUID) -> None:
    """Let an execution that somebody paused go on.

    Raises:
        ExecutionNotFound: the caller's workspace has no such execution.
        ExecutionOver: it has ended.
        RunNotPaused: nobody has paused it.
    """
    async with database.recording(caller.workspace_id) as connection, connection.transaction():
        run = await _unfinished(connection, caller.workspace_id, execution_id)
        followed = await resume_run(connection, plan_recipe, run, caller.actor)
    tell_followed(bus, followed)


async def signal_execution(
    database: Database, bus: EventBus, caller: Caller, execution_id: UUID, name: str, data: Any
) -> None:
    """Send an execution a signal, once; all that follows from it is one transaction.

    Raises:
        ExecutionNotFound: the caller's workspace has no such execution.
        ExecutionOver: it has ended.
        SignalUnknown, SignalAlreadySent: as their names say.
    """
    async with database.recording(caller.workspace_id) as connection, connection.transaction():
        run = await _unfinished(connection, caller.workspace_id, execution_id)
        followed = await signal_run(connection, plan_recipe, run, name, data, caller.actor)
    tell_followed(bus, followed)


async def _unfinished(connection: asyncpg.Connection, workspace_id: UUID, execution_id: UUID) -> RunRow:
    run = await lock(connection, workspace_id, execution_id)
    if run is None:
        raise ExecutionNotFound(execution_id)
    if run.finished_at:
        raise ExecutionOver(run.status)
    return run


async def decide(
    database: Database, bus: EventBus, caller: Caller, execution_id: UUID, order: int, comment: str, *,
    is_approved: bool,
) -> None:
    """Decide what a step of a run waits for; all that follows from it is one transaction.

    Raises:
        StepNotFound, StepNotWaiting, StepAlreadyDecided: as their names say.
        ApprovalNotAllowed: the caller's role is lower than the step asks for.
    """
    def may(role: str) -> None:
        if caller.role < Role(role):
            raise ApprovalNotAllowed(role)

    async with database.recording(caller.workspace_id) as connection, connection.transaction():
        followed = await decide_step(
            connection, plan_recipe, caller.workspace_id, execution_id, order, by=caller.actor, may=may,
            is_approved=is_approved, comment=comment)
    tell_followed(bus, followed)


def _summary(execution: RecipeExecution, template_id: str | None, name: str | None) -> dict[str, Any]:
    return {
        "id": execution.id, "workspace_id": execution.workspace_id, "kind": execution.kind,
        "agent_id": execution.agent_id, "recipe_id": template_id,
        "recipe_name": (execution.definition or {}).get("name") or name or execution.kind,
        "recipe_version": execution.recipe_version, "status": execution.status,
        # The steps of items are numbered after the recipe's own, which alone are counted.
        "current_step": min(execution.current_step, execution.total_steps), "total_steps": execution.total_steps,
        "total_tokens": execution.input_tokens + execution.output_tokens,
        **_costs_of(execution), "is_estimated": execution.is_estimated, "is_cut_off": execution.is_cut_off,
        "duration_ms": _ms(execution.started_at, execution.finished_at), "created_at": execution.created_at,
        "started_at": execution.started_at, "finished_at": execution.finished_at,
        "triggered_by": execution.triggered_by, "error": execution.error,
    }


def _costs_of(execution: RecipeExecution) -> dict[str, int | None]:
    """Return what a run costs; nothing is known of one that is at work and has counted no call yet."""
    found = costs(execution.cost_micro_usd, execution.unpriced_calls)
    has_counted = execution.finished_at is not None or execution.input_tokens + execution.output_tokens > 0
    return found if has_counted else {**found, "cost_usd": None}


def _step(step: ExecutionStep, turns: list[Turn], statuses: Mapping[UUID, str]) -> RunStep:
    return RunStep.model_validate({
        **{name: getattr(step, name) for name in RunStep.model_fields
           if name not in MADE_OF_OTHERS},
        "waits_for": step.detail if step.detail and "until" in step.detail else None,
        "child": _child(step, statuses), "taken_over_from": (step.detail or {}).get("taken_over_from"),
        "warning": CUT_OFF if step.is_cut_off else None,
        **costs(step.cost_micro_usd, step.unpriced_calls), "duration_ms": _ms(step.started_at, step.finished_at),
        "turns": [_turn(turn) for turn in turns],
    })


def _child(step: ExecutionStep, statuses: Mapping[UUID, str]) -> dict[str, object] | None:
    """Return the run that a step has started, with where that is."""
    run_id, detail = _child_of(step), step.detail or {}
    return {"run_id": run_id, "recipe_id": detail["recipe_id"], "recipe_version": detail["recipe_version"],
            "status": statuses.get(run_id)} if run_id else None


def _child_of(step: ExecutionStep) -> UUID | None:
    detail = step.detail or {}
    return UUID(str(detail["run_id"])) if step.kind == StepKind.RUN and "run_id" in detail else None


def _turn(turn: Turn) -> TurnOut:
    return TurnOut(seq=turn.seq, kind=turn.kind, body=turn.shown_body, input_tokens=turn.input_tokens,
                   output_tokens=turn.output_tokens, cost_usd=turn.cost_micro_usd,
                   is_estimated=bool(turn.body.get("is_estimated")), duration_ms=turn.duration_ms,
                   error=turn.error)


def _ms(began: Any, ended: Any) -> int | None:
    return round((ended - began).total_seconds() * 1000) if began and ended else None
