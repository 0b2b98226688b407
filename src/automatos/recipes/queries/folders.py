"""SQL that tells whose files are still needed."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.recipes.models import RecipeExecution


async def unfinished(session: AsyncSession, workspace_id: UUID) -> Sequence[UUID]:
    """Return the executions of a workspace that have not ended."""
    return (await session.scalars(select(RecipeExecution.id).where(
        RecipeExecution.workspace_id == workspace_id, RecipeExecution.finished_at.is_(None)))).all()
