"""The database: made by migrations alone, just as the tables say, seeded as often as one likes, clean after deletes."""

import ast
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import orjson
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Integer, Uuid

from automatos.agents.documents import read_definition
from automatos.entrypoints.migrate import Migrated, migrate, migrations_directory, newest_revision
from automatos.entrypoints.seed import seed
from automatos.entrypoints.tables import is_ours, metadata
from automatos.kernel.address import read_address
from automatos.kernel.db import Database, make_engine
from automatos.kernel.ids import new_id
from tests.surface import Client, Make

NAME = "automatos_migrated"


@pytest.fixture(scope="module")
async def empty_url(migrated: Migrated) -> AsyncIterator[str]:
    """The address of a database that nobody has migrated yet."""
    async with new_database(migrated, NAME) as url:
        yield url


@asynccontextmanager
async def new_database(migrated: Migrated, name: str) -> AsyncIterator[str]:
    assert migrated.embedded
    url = migrated.embedded.admin_database_url
    admin = await asyncpg.connect(url)
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    yield f"{url.rpartition('/')[0]}/{name}"
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
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
    engine = make_engine(read_address(empty_url))
    async with engine.connect() as connection:
        differences = await connection.run_sync(differences_of)
    await engine.dispose()

    assert differences == []


def differences_of(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={
        "compare_type": True, "include_schemas": True,
        "include_object": lambda _, name, kind, *__: is_ours(name, kind),
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
    await change_what_people_may(empty_url)
    changed = await rows(empty_url)
    await seed(database)
    await database.close()

    assert {table for table, found in before.items() if found} == SEEDED | MADE_WITH_THE_TABLES
    assert changed != before
    assert await rows(empty_url) == changed


@pytest.mark.capability("S166", partly="There are no plugin categories to seed yet.")
async def test_seeding_fills_the_rooms_in_the_order_in_which_they_need_each_other(migrated: Migrated) -> None:
    """Each room is filled in transactions of its own, and PostgreSQL numbers those that write."""
    async with new_database(migrated, f"{NAME}_seeded") as url:
        await migrate(url)
        database = Database(url, role="automatos_app")
        await database.open()
        await seed(database)
        await database.close()
        connection = await asyncpg.connect(url)
        first = {table: await connection.fetchval(f"SELECT min(xmin::text::bigint) FROM {table}") for table in SEEDED}
        await connection.close()

    order = ["credential_types", "system_settings", "llm_models", "skills", "patterns", "personas"]
    assert sorted(order, key=lambda table: first[table]) == order
    assert len({first[table] for table in order}) == len(order)


async def change_what_people_may(url: str) -> None:
    connection = await asyncpg.connect(url)
    for change in (
        "UPDATE llm_models SET status = 'inactive' WHERE id = (SELECT min(id) FROM llm_models)",
        "UPDATE system_settings SET value = '\"changed\"' WHERE id = (SELECT min(id) FROM system_settings)",
        "UPDATE credential_types SET is_active = false WHERE name = 'openai_api'",
    ):
        assert await connection.execute(change) == "UPDATE 1"
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


SEEDED = {
    "credential_types", "llm_models", "patterns", "personas", "skill_files", "skill_versions", "skills",
    "system_settings",
}
MADE_WITH_THE_TABLES = {"durable.dispatcher"}


async def test_a_database_of_the_release_before_keeps_everything_it_had(migrated: Migrated) -> None:
    async with new_database(migrated, f"{NAME}_before") as url:
        config = Config(attributes={"address": read_address(url)})
        config.set_main_option("script_location", str(migrations_directory()))
        await asyncio.to_thread(command.upgrade, config, "0001")
        connection = await asyncpg.connect(url)
        workspace_id = new_id()
        await connection.execute("INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Old', 'old')", workspace_id)
        await connection.executemany(
            "INSERT INTO agents (workspace_id, name, agent_type, status, version, configuration, "
            "custom_persona_prompt, use_custom_persona) VALUES ($1, $2, 'custom', $2, $3, $4, 'You are Ada.', true)",
            [(workspace_id, *agent) for agent in OLD_AGENTS])
        await connection.executemany(
            "INSERT INTO credentials (id, workspace_id, name, provider, sealed) VALUES ($1, $2, $3, $3, 'sealed')",
            [(new_id(), workspace_id, provider) for provider in ("openai", "azure", "custom")])
        execution_id = await insert_execution(connection, workspace_id)
        await connection.execute(
            "INSERT INTO llm_usage (workspace_id, request_type, provider, model_id, status, total_tokens) "
            "SELECT $1, 'recipe', 'openai', 'gpt', 'success', n FROM generate_series(1, 4) n", workspace_id)
        had = {name: await connection.fetchval(KEPT.format(name)) for name in OLD_TABLES}

        await migrate(url)

        assert {name: await connection.fetchval(KEPT.format(name)) for name in OLD_TABLES} == had
        used = await connection.fetch("SELECT workspace_id, agent_id, requests, total_tokens FROM llm_usage_days")
        assert [tuple(row) for row in used] == [(workspace_id, 0, 4, 10)]
        lanes = await connection.fetch(
            "SELECT a.status, l.mode, l.capacity FROM agents a JOIN durable.lanes l ON l.name = 'agent:' || a.id")
        assert {tuple(row) for row in lanes} == {
            ("active", "open", 5), ("idle", "open", 1), ("paused", "held", 5), ("maintenance", "closed", 5),
            ("inactive", "closed", 5)}
        types = await connection.fetch("SELECT provider, credential_type, environment FROM credentials")
        assert {tuple(row) for row in types} == {
            ("openai", "openai_api", "production"), ("azure", "azure_openai", "production"),
            ("custom", "custom_api", "production")}
        versions = await connection.fetch(
            "SELECT a.name, v.version, v.definition::text AS definition FROM agent_versions v "
            "JOIN agents a ON a.id = v.agent_id WHERE v.version = a.version AND v.definition->>'name' = a.name")
        assert {(row["name"], row["version"]) for row in versions} == {(name, at) for name, at, _ in OLD_AGENTS}
        kept_agents = {row["name"]: read_definition(orjson.loads(row["definition"])) for row in versions}
        assert kept_agents["active"].tools == ["calculator"]
        assert kept_agents["active"].persona is not None
        assert (kept_agents["active"].persona.custom_prompt, kept_agents["active"].persona.use_custom) == (
            "You are Ada.", True)
        kept = await connection.fetchrow("SELECT id, kind, agent_id FROM recipe_executions")
        assert kept is not None
        assert tuple(kept) == (execution_id, "recipe", None)
        claimed = await connection.fetch("SELECT key, mode FROM durable.claim($1, 5, ARRAY['recipes.run'])", new_id())
        assert [tuple(row) for row in claimed] == [(str(execution_id), "open")]
        await connection.close()


OLD_AGENTS = [
    ("active", 4, '{"tools": ["calculator"]}'), ("idle", 1, '{"max_concurrent_tasks": 1}'), ("paused", 1, "{}"),
    ("maintenance", 2, "{}"), ("inactive", 1, "{}"),
]
OLD_TABLES = (
    "agents", "credentials", "workflow_recipes", "recipe_versions", "recipe_executions", "recipe_execution_steps",
)
KEPT = "SELECT count(*) FROM {}"


async def insert_execution(connection: asyncpg.Connection, workspace_id: UUID) -> UUID:
    """A recipe with one version, started in the release before and still waiting for a worker."""
    execution_id, agent_id = new_id(), await connection.fetchval("SELECT id FROM agents WHERE name = 'active'")
    recipe_id = await connection.fetchval(
        "INSERT INTO workflow_recipes (workspace_id, template_id, name) VALUES ($1, 'soup', 'Soup') RETURNING id",
        workspace_id)
    await connection.execute(
        "INSERT INTO recipe_versions (recipe_id, version, workspace_id, definition) VALUES ($1, 1, $2, '{}')",
        recipe_id, workspace_id)
    await connection.execute(
        "INSERT INTO recipe_executions (id, workspace_id, recipe_id, recipe_version, total_steps) "
        "VALUES ($1, $2, $3, 1, 1)", execution_id, workspace_id, recipe_id)
    await connection.execute(
        "INSERT INTO recipe_execution_steps (execution_id, step_order, workspace_id, step_id, agent_id, status, "
        "output_key) VALUES ($1, 1, $2, 's1', $3, 'pending', 'step_1')", execution_id, workspace_id, agent_id)
    await connection.execute(
        "INSERT INTO durable.jobs (name, key, workspace_id) VALUES ('recipes.run', $1, $2)",
        str(execution_id), workspace_id)
    return execution_id


@pytest.mark.capability("S167")
def test_agents_skills_and_recipes_have_integer_keys_and_workspaces_have_uuids() -> None:
    integer = {"agents", "patterns", "skills", "users", "workflow_recipes"}
    uuid = {"workspaces", "api_keys", "credentials", "heartbeat_results", "personas", "recipe_executions",
            "agent_run_records", "skill_sources", "workspace_invitations"}
    assert {name for name in integer if isinstance(metadata.tables[name].c.id.type, Integer)} == integer
    assert {name for name in uuid if isinstance(metadata.tables[name].c.id.type, Uuid)} == uuid


@pytest.mark.capability("S168")
def test_links_and_parts_go_with_what_they_belong_to() -> None:
    """A column that is part of a row's identity, or names its workspace, cascades; any other reference is let go."""
    keys = [(key.parent, key.ondelete) for table in metadata.sorted_tables for key in table.foreign_keys]
    assert keys
    assert [str(column) for column, effect in keys if effect not in ALLOWED[column.nullable]] == []


ALLOWED = {False: {"CASCADE"}, True: {"CASCADE", "SET NULL"}}


@pytest.mark.capability("S169", partly="The index of plugins comes with their table.")
async def test_lists_by_workspace_and_status_have_an_index(migrated: Migrated) -> None:
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
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
    "skill_sources",  # by name; a workspace has a few
}


async def test_every_reference_between_rows_can_be_followed_back_fast(migrated: Migrated) -> None:
    """A foreign key that deletes or clears rows needs an index, or every delete reads the whole table."""
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
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


async def test_deletes_leave_no_orphans(client: Client, make: Make, model_server: object, migrated: Migrated) -> None:
    del model_server
    skill = await client.post("/api/skills", json={"name": "tidy-up", "description": "Tidies.", "content": "Tidy up."})
    agent = await make.agent(skill_ids=[skill.json()["id"]])
    recipe = await make.recipe({"prompt_template": "Hello", "agent_id": agent["id"]})
    await client.cooked(recipe["template_id"])
    beating = await client.put(f"/api/heartbeat/agents/{agent['id']}/config", json={"enabled": False})
    assert beating.status == 200, beating.body
    assert (await client.delete(f"/api/workflow-recipes/{recipe['template_id']}")).status == 204
    assert (await client.delete(f"/api/agents/{agent['id']}")).status == 204
    assert (await client.delete(f"/api/skills/{skill.json()['id']}")).status == 204

    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
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
    "execution_id": ("recipe_executions", "id"), "run_id": ("agent_run_records", "id"), "user_id": ("users", "id"),
    "persona_id": ("personas", "id"), "skill_id": ("skills", "id"), "source_id": ("skill_sources", "id"),
}
