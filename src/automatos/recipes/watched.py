"""What those who watch a workspace's work ask: are recipes and runs as they were, what ended, and how did one end."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import Database
from automatos.recipes.queries import watched as queries
from automatos.recipes.run_schemas import RunOut
from automatos.recipes.runs_view import show
from automatos.recipes.types import ExecutionStatus

LINES = 20


@dataclass(frozen=True, slots=True)
class Ending:
    """How and when a run ended: its last output, what it used, the tools it called with their arguments, in order."""

    status: ExecutionStatus
    output: str
    problem: str | None
    total_tokens: int
    cost_micro_usd: int | None
    tool_calls: tuple[tuple[str, Any], ...]
    finished_at: datetime


async def recipes_fingerprint(session: AsyncSession, workspace_id: UUID) -> str:
    """Return a text that stays the same as long as no recipe is made, saved or deleted."""
    return await queries.recipes_fingerprint(session, workspace_id) or ""


async def recipes_changed_since(session: AsyncSession, workspace_id: UUID, since: datetime) -> list[str]:
    """Return a line for each recipe that was saved or deleted after `since`, at most 20."""
    rows = await queries.recipes_changed_since(session, workspace_id, since, LINES)
    return [f"Recipe {row.name!r} " + ("was deleted" if row.deleted_at else f"is at version {row.version}")
            for row in rows]


async def runs_fingerprint(session: AsyncSession, workspace_id: UUID) -> str:
    """Return a text that stays the same as long as no run ends; heartbeats do not count."""
    return str(await queries.last_finished(session, workspace_id) or "")


async def runs_ended_since(session: AsyncSession, workspace_id: UUID, since: datetime) -> list[str]:
    """Return a line for each run that ended after `since`, failed ones first, at most 20; heartbeats do not count."""
    rows = await queries.finished_since(session, workspace_id, since, LINES)
    return [_line(execution.status, execution.kind, _name(execution.definition, name), execution.error)
            for execution, name in rows]


async def started_by(session: AsyncSession, workspace_id: UUID, idempotency_key: str) -> UUID | None:
    """Return the run that an idempotency key started, if it started one."""
    return await queries.started_by(session, workspace_id, idempotency_key)


async def ending_of(
    session: AsyncSession, database: Database, workspace_id: UUID, execution_id: UUID
) -> Ending | None:
    """Return how a run ended, None while it has not; raises ExecutionNotFound."""
    if await queries.is_over(session, workspace_id, execution_id) is False:
        return None
    run = await show(session, database, workspace_id, execution_id)
    return _ending(run, run.finished_at) if run.finished_at else None


def _ending(run: RunOut, finished_at: datetime) -> Ending:
    calls = tuple((str(turn.body["name"]), turn.body["arguments"])
                  for step in run.steps for turn in step.turns if turn.kind == "tool")
    output = next((step.output for step in reversed(run.steps) if step.output is not None), "")
    return Ending(run.status, output, run.error.message if run.error else None, run.total_tokens,
                  run.cost_usd, calls, finished_at)


def _name(definition: dict[str, Any] | None, recipe_name: str | None) -> str:
    return str(definition["name"]) if definition else recipe_name or "a deleted recipe"


def _line(status: str, kind: str, name: str, error: dict[str, Any] | None) -> str:
    because = f": {str(error.get('message'))[:300]}" if error else ""
    return f"{kind.capitalize()} {name!r} {status.replace('_', ' ')}{because}"
