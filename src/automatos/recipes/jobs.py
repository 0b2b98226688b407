"""What the worker does for recipes: do their steps, end runs that nobody ends."""

from datetime import timedelta
from uuid import UUID

import structlog

from automatos.durable.service import PeriodicTask
from automatos.durable.types import Handler
from automatos.kernel.db import Database, Scope
from automatos.recipes.earlier_runs import earlier_handler
from automatos.recipes.queries import definitions
from automatos.recipes.queries import executions as queries
from automatos.recipes.retention import forget_old_runs
from automatos.recipes.steps import fail_overdue, step_handler
from automatos.recipes.team import RunDeps
from automatos.recipes.types import RUN_RECIPE
from automatos.runs.types import RUN_STEP, RUN_TASK

log = structlog.get_logger("automatos.recipes")
LATE_BY = timedelta(seconds=15)


def handlers(run_deps: RunDeps) -> dict[str, Handler]:
    """Return how the worker treats steps, and runs that workers of versions before had as one job."""
    by_step = step_handler(run_deps)
    return {RUN_STEP.name: by_step, RUN_TASK.name: by_step, RUN_RECIPE.name: earlier_handler(run_deps)}


def periodic_tasks(run_deps: RunDeps, *, runs_kept_days: int | None) -> tuple[PeriodicTask, ...]:
    """Return what some worker does for all recipes every now and then."""

    async def end_overdue() -> None:
        for row in await _overdue(run_deps.database):
            await _end_overdue(run_deps, row["id"], row["workspace_id"])

    async def count_runs() -> None:
        async with run_deps.database.recording(None, Scope.ENGINE) as connection:
            await definitions.count_runs(connection)

    async def forget() -> None:
        await forget_old_runs(run_deps.database, run_deps.folders, runs_kept_days)

    return (PeriodicTask("recipes.end_overdue", 10.0, end_overdue),
            PeriodicTask("recipes.count_runs", 30.0, count_runs),
            PeriodicTask("recipes.forget_old_runs", 600.0, forget))


async def _end_overdue(run_deps: RunDeps, execution_id: UUID, workspace_id: UUID) -> None:
    """End one execution; one that cannot be ended is logged and stands in no other's way."""
    log.error("recipes.execution_overdue", execution_id=str(execution_id))
    try:
        await fail_overdue(run_deps, workspace_id, execution_id)
    except Exception:
        log.exception("recipes.execution_not_ended", execution_id=str(execution_id))


async def _overdue(database: Database) -> list[dict[str, UUID]]:
    async with database.recording(None, Scope.ENGINE) as connection:
        return [dict(row) for row in await queries.overdue(connection, LATE_BY)]
