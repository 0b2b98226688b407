"""SQL of the credentials of a workspace."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import asyncpg
from sqlalchemy import delete, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.models import Credential, CredentialType


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


async def lock_credential(session: AsyncSession, workspace_id: UUID, credential_id: UUID) -> Credential | None:
    """Return one credential of the workspace, locked until the transaction ends, or None."""
    return await session.scalar(
        select(Credential).where(Credential.workspace_id == workspace_id, Credential.id == credential_id)
        .with_for_update()
    )


async def list_workspaces_with_credentials(session: AsyncSession) -> Sequence[UUID]:
    """Return every workspace that has a credential; the session must see all of them."""
    return (await session.scalars(select(Credential.workspace_id).distinct())).all()


async def lock_credentials(session: AsyncSession, workspace_id: UUID) -> Sequence[Credential]:
    """Return every credential of the workspace, locked until the transaction ends."""
    found = await session.scalars(
        select(Credential).where(Credential.workspace_id == workspace_id).order_by(Credential.id).with_for_update()
    )
    return found.all()


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


async def read_for_providers(connection: asyncpg.Connection, workspace_id: UUID) -> list[asyncpg.Record]:
    """Return the workspace's credentials that open providers, the newest first."""
    return await connection.fetch(
        "SELECT id, name, provider, environment, base_url, sealed, is_active, expires_at FROM credentials "
        "WHERE workspace_id = $1 AND provider IS NOT NULL ORDER BY id DESC",
        workspace_id,
    )


async def count_credentials(session: AsyncSession, workspace_id: UUID) -> int:
    """Return how many credentials the workspace has."""
    found = await session.scalar(select(func.count()).where(Credential.workspace_id == workspace_id))
    return found or 0


async def list_types(session: AsyncSession) -> Sequence[CredentialType]:
    """Return every type of credentials that may be chosen, by category and name."""
    found = await session.scalars(
        select(CredentialType).where(CredentialType.is_active)
        .order_by(CredentialType.category, func.lower(CredentialType.display_name))
    )
    return found.all()


async def read_schemas(session: AsyncSession) -> dict[str, dict[str, object]]:
    """Return the schema of every type there is, by name."""
    rows = await session.execute(select(CredentialType.name, CredentialType.schema))
    return {row.name: row.schema for row in rows}


async def find_type(session: AsyncSession, name: str) -> CredentialType | None:
    """Return one type of credentials, or None."""
    return await session.get(CredentialType, name)


async def save_types(session: AsyncSession, rows: Sequence[dict[str, Any]]) -> None:
    """Write the types that the product brings; rows that are as they should be are not touched.

    Whether a type may be chosen (`is_active`) is the operator's to say and stays as it is.
    """
    statement = insert(CredentialType).values(rows)
    fresh = {name: statement.excluded[name] for name in rows[0] if name != "name"}
    differs = or_(*(getattr(CredentialType, name).is_distinct_from(value) for name, value in fresh.items()))
    await session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=fresh, where=differs))
