"""The database: made by migrations alone, just as the tables say, seeded as often as one likes, clean after deletes."""

import ast
from collections.abc import AsyncIterator
from uuid import UUID

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Integer, Uuid
from sqlalchemy.ext.asyncio import create_async_engine

from automatos.entrypoints.migrate import Ground, migrate, migrations_directory, newest_revision
from automatos.entrypoints.seed import seed
from automatos.entrypoints.tables import metadata
from automatos.kernel.db import Database, sqlalchemy_url
from tests.surface import Client, Make

NAME = "automatos_migrated"


@pytest.fixture(scope="module")
async def empty_url(ground: Ground) -> AsyncIterator[str]:
    """The address of a database that nobody has migrated yet."""
    assert ground.embedded
    url = ground.embedded.admin_database_url
    admin = await asyncpg.connect(url)
    await admin.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {NAME}")
    yield f"{url.rpartition('/')[0]}/{NAME}"
    await admin.execute(f"DROP DATABASE {NAME} WITH (FORCE)")
    await admin.close()


@pytest.mark.capability("S165")
async def test_first_start_makes_every_table_and_the_second_changes_nothing(empty_url: str) -> None:
    await migrate(empty_url)
    made = await catalogue(empty_url)
    await migrate(empty_url)

    assert {table.fullname for table in metadata.sorted_tables} <= {row.rpartition("/")[0] for row in made}
    assert await catalogue(empty_url) == made


async def catalogue(url: str) -> set[str]:
    """Return every table with its file on disk: a table made anew has another one."""
    connection = await asyncpg.connect(url)
    rows = await connection.fetch(
        "SELECT CASE nspname WHEN 'public' THEN '' ELSE nspname || '.' END || relname || '/' || relfilenode AS name "
        "FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace "
        "WHERE relkind = 'r' AND nspname IN ('public', 'durable')")
    await connection.close()
    return {row["name"] for row in rows}


async def test_migrations_and_tables_agree(empty_url: str) -> None:
    await migrate(empty_url)
    engine = create_async_engine(sqlalchemy_url(empty_url))
    async with engine.connect() as connection:
        differences = await connection.run_sync(differences_of)
    await engine.dispose()

    assert differences == []


def differences_of(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={
        "compare_type": True, "include_schemas": True,
        "include_object": lambda _, name, kind, *__: not (kind == "table" and name == "alembic_version"),
    })
    return compare_metadata(context, metadata)


def test_history_is_one_line_in_the_order_of_the_file_names() -> None:
    files = sorted(migrations_directory().glob("versions/[0-9]*.py"))
    steps = [constants(path.read_text("utf-8")) for path in files]

    assert [step["revision"] for step in steps] == [path.name[:4] for path in files]
    assert [step["down_revision"] for step in steps] == [None, *(step["revision"] for step in steps[:-1])]
    assert newest_revision() == steps[-1]["revision"]


def constants(source: str) -> dict[str, object]:
    return {
        target.id: node.value.value
        for node in ast.parse(source).body if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets if isinstance(target, ast.Name)
    }


@pytest.mark.capability("S165")
@pytest.mark.capability("S171")
async def test_seeding_again_adds_nothing_and_keeps_what_people_changed(empty_url: str) -> None:
    await migrate(empty_url)
    database = Database(empty_url, role="automatos_app")
    await database.open()
    await seed(database)
    before = await rows(empty_url)
    await change_a_model(empty_url)
    changed = await rows(empty_url)
    await seed(database)
    await database.close()

    assert sum(len(each) for each in before.values()) > 0
    assert changed != before
    assert await rows(empty_url) == changed


async def change_a_model(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE llm_models SET status = 'inactive' WHERE id = (SELECT min(id) FROM llm_models)")
    await connection.close()


async def rows(url: str) -> dict[str, set[str]]:
    """Return the rows of every table as text."""
    connection = await asyncpg.connect(url)
    found = {
        table.fullname: {row["t"] for row in await connection.fetch(f"SELECT t::text AS t FROM {table.fullname} t")}
        for table in metadata.sorted_tables
    }
    await connection.close()
    return found


@pytest.mark.capability("S167")
def test_agents_and_recipes_have_integer_keys_and_workspaces_have_uuids() -> None:
    integer = {"agents", "users", "workflow_recipes"}
    uuid = {"workspaces", "api_keys", "credentials", "recipe_executions", "agent_runs", "workspace_invitations"}
    assert {name for name in integer if isinstance(metadata.tables[name].c.id.type, Integer)} == integer
    assert {name for name in uuid if isinstance(metadata.tables[name].c.id.type, Uuid)} == uuid


@pytest.mark.capability("S168")
def test_links_and_parts_go_with_what_they_belong_to() -> None:
    """A column that is part of a row's identity, or names its workspace, cascades; any other reference is let go."""
    keys = [(key.parent, key.ondelete) for table in metadata.sorted_tables for key in table.foreign_keys]
    assert keys
    assert [str(column) for column, effect in keys if effect not in ALLOWED[column.nullable]] == []


ALLOWED = {False: {"CASCADE"}, True: {"CASCADE", "SET NULL"}}


@pytest.mark.capability("S169")
async def test_lists_by_workspace_and_status_have_an_index(ground: Ground) -> None:
    assert ground.embedded
    connection = await asyncpg.connect(ground.embedded.admin_database_url)
    found = await connection.fetch("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    await connection.close()

    indexed = {row["tablename"] for row in found if "(workspace_id, status" in row["indexdef"]}
    with_status = {
        table.name for table in metadata.sorted_tables
        if table.schema is None and {"workspace_id", "status"} <= set(table.c.keys())
    }
    assert "agents" in indexed
    assert with_status - indexed <= LISTED_OTHERWISE


LISTED_OTHERWISE = {
    "heartbeat_results",  # by agent and by day; those that run have an index of their own
    "llm_usage",  # by time
    "recipe_executions",  # newest first; an index on a column that every step writes would make each record dearer
    "recipe_execution_steps",  # by execution
}


async def test_every_reference_between_rows_can_be_followed_back_fast(ground: Ground) -> None:
    """A foreign key that deletes or clears rows needs an index, or every delete reads the whole table."""
    assert ground.embedded
    connection = await asyncpg.connect(ground.embedded.admin_database_url)
    slow = await connection.fetch(
        """
        SELECT c.conrelid::regclass || '.' || a.attname AS reference
        FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
        WHERE c.contype = 'f' AND NOT EXISTS (
            SELECT FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])
        """)
    await connection.close()
    assert {row["reference"] for row in slow} <= SELDOM_DELETED


SELDOM_DELETED = {
    "workspace_invitations.invited_by", "workspaces.owner_id", "api_keys.created_by",  # people are switched off instead
}


async def test_deletes_leave_no_orphans(client: Client, make: Make, model_server: object, ground: Ground) -> None:
    del model_server
    agent = await make.agent()
    recipe = await make.recipe({"prompt_template": "Hello", "agent_id": agent["id"]})
    await client.cooked(recipe["template_id"])
    assert (await client.delete(f"/api/workflow-recipes/{recipe['template_id']}")).status == 204
    assert (await client.delete(f"/api/agents/{agent['id']}")).status == 204

    assert ground.embedded
    connection = await asyncpg.connect(ground.embedded.admin_database_url)
    found = await orphans(connection, client.workspace_id)
    await connection.close()
    assert found == []


async def orphans(connection: asyncpg.Connection, workspace_id: UUID) -> list[str]:
    """Return the columns of a workspace's rows that name rows which are not there, also those no constraint watches."""
    found = []
    for table in metadata.sorted_tables:
        for name, (target, column) in REFERENCES.items():
            if name in table.c and "workspace_id" in table.c and target != table.name:
                missing = await connection.fetchval(
                    f"SELECT count(*) FROM {table.fullname} t WHERE t.{name} IS NOT NULL "
                    f"AND t.workspace_id = $1 AND NOT EXISTS (SELECT FROM {target} r WHERE r.{column} = t.{name})",
                    workspace_id)
                found += [f"{table.fullname}.{name}"] if missing else []
    return found


# An agent's number in a record of work is history and outlives the agent.
REFERENCES = {
    "workspace_id": ("workspaces", "id"), "recipe_id": ("workflow_recipes", "id"),
    "execution_id": ("recipe_executions", "id"), "run_id": ("agent_runs", "id"), "user_id": ("users", "id"),
}
