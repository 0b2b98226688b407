"""What the worker does for recipes: drive executions, end those nobody drives."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import structlog

from automatos.agents.service import load_for_run
from automatos.durable.service import PeriodicTask
from automatos.durable.types import Handler, HeldJob, Interruption, LaneMode
from automatos.kernel.db import Database, Scope
from automatos.llm.types import ModelChoice
from automatos.recipes.crew import Crew, Kitchen
from automatos.recipes.definition import patterns_named
from automatos.recipes.errors import Fenced
from automatos.recipes.execution import Cook
from automatos.recipes.journal import ExecutionJournal
from automatos.recipes.loading import load
from automatos.recipes.queries import executions as queries
from automatos.skills.service import words_of_patterns

log = structlog.get_logger("automatos.recipes")
LATE_BY = timedelta(seconds=15)


def handler(kitchen: Kitchen) -> Handler:
    """Return how the worker treats `recipes.run` jobs."""

    async def drive(job: HeldJob) -> None:
        if cook := await _take_over_for(kitchen, job):
            await _stopping_when_fenced(job, cook.work(job))

    async def give_up(job: HeldJob, why: str) -> None:
        if cook := await _take_over_for(kitchen, job):
            ended = cook.cancel() if job.interruption is Interruption.CANCEL else cook.give_up(why)
            await _stopping_when_fenced(job, ended)

    return Handler(drive, give_up)


async def _stopping_when_fenced(job: HeldJob, work: Awaitable[None]) -> None:
    try:
        await work
    except Fenced:
        log.warning("recipes.execution_taken_over", execution_id=job.key)
    except asyncio.CancelledError:
        job.again_in = timedelta()  # its execution has not ended, so the job must not either
        raise
    job.is_finished = job.again_in is None


async def _take_over_for(kitchen: Kitchen, job: HeldJob) -> Cook | None:
    """Become the writer of a job's execution, also when it is to be cancelled: only its writer can end it."""
    while True:
        try:
            return await _take_over(kitchen, UUID(job.key), job.workspace_id)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if job.interruption is Interruption.STOP:
                job.go_on()
                job.lane_mode = LaneMode.CLOSED  # its agent was stopped after the claim, before a step began
            elif job.interruption is Interruption.CANCEL and task is not None:
                task.uncancel()
            else:
                raise


async def _take_over(kitchen: Kitchen, execution_id: UUID, workspace_id: UUID) -> Cook | None:
    """Become the writer of an execution; None when it is over or gone."""
    loaded = await load(kitchen.database, workspace_id, execution_id)
    if loaded is None:
        return None
    state, runs = loaded
    specs = await load_for_run(kitchen.database, workspace_id, state.definition.agent_ids)
    patterns = await _patterns_of(kitchen.database, workspace_id, patterns_named(state.definition.steps))
    agents = {spec.id: spec for spec in specs}
    for step in state.steps.values():
        spec = agents.get(step.step.agent_id)
        step.agent_name = step.agent_name or (spec.name if spec else f"agent {step.step.agent_id}")
    journal = ExecutionJournal(kitchen.database, kitchen.bus, state)
    crew = Crew(kitchen, state, agents, patterns, _default_model(kitchen, workspace_id))
    return Cook(kitchen, state, journal, crew, runs)


async def _patterns_of(database: Database, workspace_id: UUID, slugs: set[str]) -> dict[str, str]:
    if not slugs:
        return {}
    async with database.session(workspace_id) as session:
        return await words_of_patterns(session, workspace_id, slugs)


def _default_model(kitchen: Kitchen, workspace_id: UUID) -> Callable[[], Awaitable[ModelChoice]]:
    """Return a finder of the workspace's default model that asks once: all steps of an execution get the same."""
    found: list[ModelChoice] = []

    async def find() -> ModelChoice:
        if not found:
            found.append((await kitchen.client.resolve_default(workspace_id)).choice)
        return found[0]

    return find


def periodic_tasks(kitchen: Kitchen) -> tuple[PeriodicTask, ...]:
    """Return what some worker does for all recipes every now and then."""

    async def end_overdue() -> None:
        for row in await _overdue(kitchen.database):
            await _end_overdue(kitchen, row["id"], row["workspace_id"])

    return (PeriodicTask("recipes.end_overdue", 10.0, end_overdue),)


async def _end_overdue(kitchen: Kitchen, execution_id: UUID, workspace_id: UUID) -> None:
    """End one execution; one that cannot be ended is logged and stands in no other's way."""
    log.error("recipes.execution_overdue", execution_id=str(execution_id))
    try:
        if cook := await _take_over(kitchen, execution_id, workspace_id):
            await cook.give_up("nobody ended it by its deadline")
    except Fenced:
        log.info("recipes.execution_taken_over", execution_id=str(execution_id))
    except Exception:
        log.exception("recipes.execution_not_ended", execution_id=str(execution_id))


async def _overdue(database: Database) -> list[dict[str, UUID]]:
    async with database.recording(None, Scope.ENGINE) as connection:
        return [dict(row) for row in await queries.overdue(connection, LATE_BY)]
