"""The database keeps workspaces apart even when a query forgets to."""

from uuid import UUID

import pytest
from sqlalchemy import text

from automatos.kernel.db import Database, Scope


@pytest.mark.capability("S160")
async def test_rows_of_a_workspace_are_invisible_without_it(database: Database, workspace_id: UUID) -> None:
    async with database.recording(workspace_id) as connection:
        await connection.execute(
            "INSERT INTO agents (workspace_id, name, agent_type) VALUES ($1, 'Ada', 'custom')", workspace_id
        )
    async with database.session(workspace_id) as session:
        assert (await session.execute(text("SELECT count(*) FROM agents"))).scalar_one() == 1
    async with database.session(None) as session:
        assert (await session.execute(text("SELECT count(*) FROM agents"))).scalar_one() == 0
    async with database.recording(UUID(int=7)) as connection:
        assert await connection.fetchval("SELECT count(*) FROM agents") == 0


async def test_writing_into_another_workspace_is_refused(database: Database, workspace_id: UUID) -> None:
    async with database.recording(UUID(int=7)) as connection:
        with pytest.raises(Exception, match="row-level security"):
            await connection.execute(
                "INSERT INTO agents (workspace_id, name, agent_type) VALUES ($1, 'Eve', 'custom')", workspace_id
            )


async def test_a_scope_does_not_outlive_its_use(database: Database, workspace_id: UUID) -> None:
    async with database.recording(None, Scope.AUTH) as connection:
        assert await connection.fetchval("SELECT count(*) FROM workspaces WHERE id = $1", workspace_id) == 1
    async with database.recording(None) as connection:
        assert await connection.fetchval("SELECT count(*) FROM workspaces WHERE id = $1", workspace_id) == 0


async def test_the_application_cannot_step_around_row_level_security(database: Database) -> None:
    async with database.session(None) as session:
        row = (await session.execute(
            text("SELECT rolsuper OR rolbypassrls OR rolcreaterole FROM pg_roles WHERE rolname = current_user")
        )).scalar_one()
    assert row is False
