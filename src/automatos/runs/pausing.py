"""A person pauses a run: what is at work is finished, nothing begins, and the run waits until it is resumed."""

from dataclasses import replace
from uuid import UUID

import asyncpg

from automatos.events.types import ExecutionPausing, ExecutionResumed
from automatos.runs import queries
from automatos.runs.driver import Change, change_of
from automatos.runs.errors import RunNotPaused
from automatos.runs.graph import Planner
from automatos.runs.types import Followed, RunRow, StepPath, step_key


async def pause_run(connection: asyncpg.Connection, planner: Planner, run: RunRow, by: str) -> Followed | None:
    """Let nothing of a locked run begin any more, nor of those under it; None when it is paused already."""
    if run.paused_by:
        return None
    await queries.set_paused(connection, run, by)
    change = await change_of(connection, planner, replace(run, paused_by=by))
    change.note(ExecutionPausing(by=by))
    followed = await change.follow()
    for child in await _open_children(connection, change):
        if paused := await pause_run(connection, planner, child, by):
            followed.also.append(paused)
    return followed


async def resume_run(connection: asyncpg.Connection, planner: Planner, run: RunRow, by: str) -> Followed:
    """Let a locked run that somebody paused go on, with those paused with it; raises RunNotPaused."""
    if not run.paused_by:
        raise RunNotPaused(run.status)
    await queries.set_paused(connection, run, None)
    change = await change_of(connection, planner, replace(run, paused_by=None))
    change.note(ExecutionResumed(by=by))
    change.queue_again()
    children = [child for child in await _open_children(connection, change) if child.paused_by == run.paused_by]
    followed = await change.follow()
    followed.also += [await resume_run(connection, planner, child, by) for child in children]
    return followed


async def _open_children(connection: asyncpg.Connection, change: Change) -> list[RunRow]:
    """Lock the runs that steps of a run have started, and that have not ended."""
    found = [await queries.lock(connection, change.run.workspace_id, child) for child in change.children.values()]
    return [child for child in found if child and child.finished_at is None]


async def let_go(
    connection: asyncpg.Connection, planner: Planner, workspace_id: UUID, run_id: UUID, path: StepPath
) -> Followed | None:
    """Give up the job of a step that must not be worked on, as its run is paused; None when that is no longer so."""
    run = await queries.lock(connection, workspace_id, run_id)
    if run is None or run.finished_at or not run.paused_by:
        return None
    await queries.finish_jobs(connection, run.job, [step_key(run_id, path)])
    return await (await change_of(connection, planner, run)).follow()
