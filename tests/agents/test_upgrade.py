"""An agent of the release before has a version to go back to, and its lane, once the database is upgraded."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import orjson
import pytest
from alembic import command
from alembic.config import Config

from automatos.agents.documents import read_definition
from automatos.entrypoints.migrate import Ground, migrate, migrations_directory
from automatos.kernel.db import sqlalchemy_url
from automatos.kernel.ids import new_id

NAME = "automatos_upgraded"


@pytest.fixture
async def earlier(ground: Ground) -> AsyncIterator[str]:
    """The address of a database as the release before left it."""
    assert ground.embedded
    url = ground.embedded.admin_database_url
    admin = await asyncpg.connect(url)
    await admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {NAME}")
    yield f"{url.rpartition('/')[0]}/{NAME}"
    await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await admin.close()


async def test_agents_of_the_release_before_keep_what_they_were(earlier: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_directory()))
    config.set_main_option("sqlalchemy.url", sqlalchemy_url(earlier))
    await asyncio.to_thread(command.upgrade, config, "0001")
    connection = await asyncpg.connect(earlier)
    workspace_id = new_id()
    await connection.execute("INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Old', 'old')", workspace_id)
    await connection.execute("SELECT set_config('automatos.workspace_id', $1, false)", str(workspace_id))
    await connection.execute(
        "INSERT INTO agents (workspace_id, name, agent_type, status, version, tags, configuration, model_config, "
        "custom_persona_prompt, use_custom_persona) VALUES ($1, 'Ada', 'custom', 'active', 4, '[\"a\"]', "
        "$2, $3, 'You are Ada.', true)", workspace_id, '{"tools": ["calculator"], "max_concurrent_tasks": 3}',
        '{"provider": "demo", "model_id": "demo"}')

    await migrate(earlier)

    kept = await connection.fetchrow("SELECT version, definition::text AS definition FROM agent_versions")
    lane = await connection.fetchrow("SELECT capacity, mode FROM durable.lanes")
    await connection.close()
    assert kept is not None
    assert lane is not None
    file = read_definition(orjson.loads(kept["definition"]))
    assert (kept["version"], file.name, file.tools, file.tags) == (4, "Ada", ["calculator"], ["a"])
    assert file.persona is not None
    assert (file.persona.custom_prompt, file.persona.use_custom) == ("You are Ada.", True)
    assert (lane["capacity"], lane["mode"]) == (3, "open")
