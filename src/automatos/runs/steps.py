"""One step of a run in the hands of a process: taken, recorded by its writer alone, decided by a person."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import asyncpg

from automatos.durable.service import tell_cancel, wake
from automatos.durable.types import EventBus
from automatos.events.types import StepDecided
from automatos.runs import queries
from automatos.runs.driver import Change, change_of, go_on
from automatos.runs.errors import StepAlreadyDecided, StepNotFound, StepNotWaiting
from automatos.runs.graph import Planner
from automatos.runs.nested import GONE
from automatos.runs.notes import note_end
from automatos.runs.pausing import let_go
from automatos.runs.types import Followed, RunRow, StepKind, StepPath, TakenStep

REFUSED = {"code": "approval_refused", "next_step": "Change what was refused, and start the run again."}
TOO_LATE = {"code": "approval_timeout", "message": "Nobody decided in time.",
            "next_step": "Raise timeout_s of the step, and start the run again."}

NOT_SENT = {"code": "signal_timeout", "message": "The signal was not sent in time.",
            "next_step": "Raise timeout_s of the step, or see to it that the signal is sent, and start the run again."}


async def begin_run(connection: asyncpg.Connection, planner: Planner, workspace_id: UUID, run_id: UUID) -> Followed:
    """Begin the first steps of a run that was stored in this transaction."""
    run = await queries.lock(connection, workspace_id, run_id)
    if run is None:
        raise LookupError(f"run {run_id} was not stored")
    return await go_on(connection, planner, run)


async def follow_untaken(
    connection: asyncpg.Connection, planner: Planner, step: TakenStep, key: str
) -> TakenStep | Followed | None:
    """Do what has to be done where a job's step could not be taken; None when there is nothing to do for it any more.

    One that waited for a time, and whose time has come, ends at once, and one of a paused run has no job any more; what
    follows from that is returned.
    """
    workspace_id, run_id = step.run.workspace_id, step.run.id
    async with connection.transaction():
        locked = await queries.lock(connection, workspace_id, run_id)
        ended = await _end_of_time(connection, planner, locked, step.path) if locked else None
        if followed := ended or await let_go(connection, planner, workspace_id, run_id, step.path):
            return followed
        again = await queries.take_step(connection, workspace_id, key)
    # Where it can be taken now, somebody let the run go on meanwhile, and left this job to who has it.
    return again if again and again.row["path"] is not None else None


async def _end_of_time(
    connection: asyncpg.Connection, planner: Planner, run: RunRow, path: StepPath
) -> Followed | None:
    row = None if run.finished_at else await queries.find_waiting(connection, run.id, path)
    if row is None:
        return None
    change = await change_of(connection, planner, run)
    if row["kind"] == StepKind.RUN:
        return await change.follow() if await _end_of_child(connection, change, row) else None
    if row["kind"] == StepKind.APPROVAL:
        change.end_waiting(path, None, TOO_LATE)
    elif (row["detail"] or {}).get("signal"):
        change.end_waiting(path, None, NOT_SENT)
    else:
        change.end_waiting(path, None, None)
    return await change.follow()


async def _end_of_child(connection: asyncpg.Connection, change: Change, row: asyncpg.Record) -> bool:
    """End a step whose run has ended, and count what that has used; says whether it has."""
    path, child_id = StepPath(row["path"]), UUID(row["detail"]["run_id"])
    child = await queries.find_child(connection, change.run.workspace_id, child_id)
    if child is None:
        change.end_waiting(path, None, GONE)
        return True
    if child["finished_at"] is None:
        return False
    await queries.count_child(connection, change.run, row["step_order"], child_id)
    change.end_child(path, child)
    return True


async def decide_step(
    connection: asyncpg.Connection, planner: Planner, workspace_id: UUID, run_id: UUID, order: int, *, by: str,
    may: Any, is_approved: bool, comment: str,
) -> Followed:
    """Let a person decide what a step waits for, in this transaction; `may(role)` refuses those who may not.

    Raises:
        StepNotFound: there is no such run or step.
        StepNotWaiting: it waits for nobody.
        StepAlreadyDecided: somebody was first.
    """
    run = await queries.lock(connection, workspace_id, run_id)
    row = await queries.find_step(connection, run_id, order) if run else None
    if run is None or row is None:
        raise StepNotFound(run_id, order)
    if row["kind"] != StepKind.APPROVAL:
        raise StepNotWaiting(row["step_id"], row["status"])
    detail = row["detail"] or {}
    may(detail.get("role") or "editor")
    if "decided_by" in detail:
        raise StepAlreadyDecided(row["step_id"], detail["decided_by"], is_approved=detail["is_approved"])
    if row["status"] != "waiting" or run.finished_at is not None:
        raise StepNotWaiting(row["step_id"], row["status"])
    change = await change_of(connection, planner, run)
    change.note(StepDecided(order=order, is_approved=is_approved, by=by, comment=comment))
    said = f": {comment}" if comment else "."
    error = None if is_approved else REFUSED | {"message": f"{by} refused it{said}"}
    change.end_waiting(StepPath(row["path"]), (comment or "approved") if is_approved else None, error,
                       {"decided_by": by, "is_approved": is_approved, "comment": comment})
    return await change.follow()


async def cancel_run(
    connection: asyncpg.Connection, planner: Planner, workspace_id: UUID, run_id: UUID, by: str
) -> Followed | None:
    """End a run as cancelled, in this transaction; its running steps end a moment later. None when there is none."""
    run = await queries.lock(connection, workspace_id, run_id)
    if run is None:
        return None
    await queries.request_cancel(connection, run, by)
    return await go_on(connection, planner, replace(run, cancel_requested_by=run.cancel_requested_by or by))


async def fail_run(
    connection: asyncpg.Connection, planner: Planner, workspace_id: UUID, run_id: UUID, error: dict[str, Any]
) -> Followed | None:
    """End a run as failed, in this transaction; its running steps are interrupted."""
    run = await queries.lock(connection, workspace_id, run_id)
    if run is None or run.finished_at is not None:
        return None
    await queries.fail_run(connection, run, error)
    return await go_on(connection, planner, replace(run, error=run.error or error))


def tell_followed(bus: EventBus, followed: Followed) -> None:
    """Pass on what followed from a change, after its commit."""
    for each in followed.also:
        tell_followed(bus, each)
    if followed.events:
        bus.publish(followed.workspace_id, followed.events)
    if followed.has_jobs:
        wake(bus)
    if followed.interrupted:
        tell_cancel(bus, followed.job, followed.interrupted)
    if followed.is_over:
        bus.hint(followed.workspace_id, "runs")
        for event in followed.events[-1:]:
            note_end(followed.run_id, followed.recipe_id, event)
