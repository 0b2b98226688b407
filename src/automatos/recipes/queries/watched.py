"""SQL that tells whether recipes changed and what ended; every function takes the workspace it works in."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import String, cast, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.recipes.models import Recipe, RecipeExecution
from automatos.recipes.types import ExecutionStatus

HEARTBEAT = "heartbeat"


async def recipes_fingerprint(session: AsyncSession, workspace_id: UUID) -> str | None:
    """Return one text for the versions of all recipes; None when there is none."""
    each = func.concat(cast(Recipe.id, String), ":", cast(Recipe.version, String))
    return await session.scalar(
        select(func.md5(func.aggregate_strings(each, " ").aggregate_order_by(Recipe.id)))
        .where(Recipe.workspace_id == workspace_id, Recipe.deleted_at.is_(None)))


async def recipes_changed_since(
    session: AsyncSession, workspace_id: UUID, since: datetime, limit: int
) -> Sequence[Recipe]:
    """Return the recipes that were saved or deleted after a moment; the latest first."""
    return (await session.scalars(
        select(Recipe)
        .where(Recipe.workspace_id == workspace_id, func.greatest(Recipe.updated_at, Recipe.deleted_at) > since)
        .order_by(func.greatest(Recipe.updated_at, Recipe.deleted_at).desc(), Recipe.id).limit(limit))).all()


async def last_finished(session: AsyncSession, workspace_id: UUID) -> UUID | None:
    """Return the run that ended last, heartbeats left out."""
    return await session.scalar(
        select(RecipeExecution.id)
        .where(RecipeExecution.workspace_id == workspace_id, RecipeExecution.kind != HEARTBEAT,
               RecipeExecution.finished_at.is_not(None))
        .order_by(RecipeExecution.finished_at.desc(), RecipeExecution.id.desc()).limit(1))


async def finished_since(
    session: AsyncSession, workspace_id: UUID, since: datetime, limit: int
) -> list[tuple[RecipeExecution, str | None]]:
    """Return the runs that ended after a moment with the names of their recipes, failed ones first; no heartbeats."""
    has_failed = RecipeExecution.status == ExecutionStatus.FAILED
    rows = await session.execute(
        select(RecipeExecution, Recipe.name).outerjoin(Recipe, Recipe.id == RecipeExecution.recipe_id)
        .where(RecipeExecution.workspace_id == workspace_id, RecipeExecution.kind != HEARTBEAT,
               RecipeExecution.finished_at > since)
        .order_by(has_failed.desc(), RecipeExecution.finished_at.desc()).limit(limit))
    return [(execution, name) for execution, name in rows]


async def is_over(session: AsyncSession, workspace_id: UUID, execution_id: UUID) -> bool | None:
    """Say whether a run has ended; None when there is no such run."""
    return await session.scalar(
        select(RecipeExecution.finished_at.is_not(None))
        .where(RecipeExecution.workspace_id == workspace_id, RecipeExecution.id == execution_id))


async def started_by(session: AsyncSession, workspace_id: UUID, idempotency_key: str) -> UUID | None:
    """Return the run that an idempotency key started."""
    return await session.scalar(
        select(RecipeExecution.id).where(
            RecipeExecution.workspace_id == workspace_id, RecipeExecution.idempotency_key == idempotency_key))
