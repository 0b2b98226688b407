"""SQL of the credentials of a workspace."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.models import Credential


async def list_credentials(session: AsyncSession, workspace_id: UUID) -> Sequence[Credential]:
    """Return every credential of the workspace, by name."""
    found = await session.scalars(
        select(Credential).where(Credential.workspace_id == workspace_id).order_by(func.lower(Credential.name))
    )
    return found.all()


async def find_credential(session: AsyncSession, workspace_id: UUID, credential_id: UUID) -> Credential | None:
    """Return one credential of the workspace, or None."""
    return await session.scalar(
        select(Credential).where(Credential.workspace_id == workspace_id, Credential.id == credential_id)
    )


async def has_name(session: AsyncSession, workspace_id: UUID, name: str) -> bool:
    """Say whether the workspace has a credential of this name."""
    found = await session.scalar(
        select(Credential.id).where(Credential.workspace_id == workspace_id, Credential.name == name)
    )
    return found is not None


async def delete_credential(session: AsyncSession, workspace_id: UUID, credential_id: UUID) -> str | None:
    """Delete one credential of the workspace and return its name; None when there was none."""
    return await session.scalar(
        delete(Credential)
        .where(Credential.workspace_id == workspace_id, Credential.id == credential_id)
        .returning(Credential.name)
    )


async def find_active(connection: asyncpg.Connection, workspace_id: UUID) -> list[asyncpg.Record]:
    """Return the newest active credential of each provider of the workspace."""
    return await connection.fetch(
        "SELECT DISTINCT ON (provider) id, name, provider, base_url, sealed FROM credentials "
        "WHERE workspace_id = $1 AND is_active ORDER BY provider, id DESC",
        workspace_id,
    )


