"""SQL of settings."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.settings.models import SystemSetting


async def read_category(connection: asyncpg.Connection, workspace_id: UUID, category: str) -> list[asyncpg.Record]:
    """Return key, value and owner of every setting of a category: the workspace's own and the system's."""
    return await connection.fetch(
        "SELECT key, value, workspace_id FROM system_settings "
        "WHERE category = $2 AND (workspace_id = $1 OR workspace_id IS NULL)",
        workspace_id, category,
    )


async def read_prefix(connection: asyncpg.Connection, workspace_id: UUID, prefix: str) -> list[asyncpg.Record]:
    """Return category, key, value and owner of the settings whose key begins with `prefix`."""
    return await connection.fetch(
        "SELECT category, key, value, workspace_id FROM system_settings "
        "WHERE starts_with(key, $2) AND (workspace_id = $1 OR workspace_id IS NULL)",
        workspace_id, prefix,
    )


async def list_settings(session: AsyncSession, workspace_id: UUID) -> Sequence[SystemSetting]:
    """Return the settings a workspace has or inherits, by category and key, the system's before its own."""
    found = await session.scalars(
        select(SystemSetting)
        .where(or_(SystemSetting.workspace_id == workspace_id, SystemSetting.workspace_id.is_(None)))
        .order_by(SystemSetting.category, SystemSetting.key, SystemSetting.workspace_id.nulls_first())
    )
    return found.all()


async def find_setting(
    session: AsyncSession, workspace_id: UUID | None, category: str, key: str
) -> SystemSetting | None:
    """Return one setting of a workspace, or of the system when `workspace_id` is None."""
    return await session.scalar(
        select(SystemSetting).where(
            SystemSetting.workspace_id.is_not_distinct_from(workspace_id),
            SystemSetting.category == category, SystemSetting.key == key,
        )
    )


async def save_setting(session: AsyncSession, workspace_id: UUID | None, category: str, key: str, *, value: object,
                       value_type: str, updated_by: str) -> SystemSetting:
    """Write one value of a workspace, or of the system when `workspace_id` is None."""
    fresh = {"value": value, "value_type": value_type, "updated_by": updated_by, "updated_at": func.now()}
    found = await session.scalars(
        insert(SystemSetting)
        .values(workspace_id=workspace_id, category=category, key=key, **fresh)
        .on_conflict_do_update(index_elements=["workspace_id", "category", "key"], set_=fresh)
        .returning(SystemSetting),
        execution_options={"populate_existing": True},
    )
    return found.one()


async def add_settings(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Add values that are not there yet; what is there stays as it is."""
    await session.execute(
        insert(SystemSetting).values(rows).on_conflict_do_nothing(index_elements=["workspace_id", "category", "key"]))
