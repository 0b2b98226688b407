"""The two workspaces, the API's operations, and a look at the rows behind row-level security."""

from collections.abc import AsyncIterator
from uuid import UUID

import aiohttp
import asyncpg
import pytest

from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.tables import metadata
from automatos.kernel.db import Database
from tests.fakes.model_server import ModelServer
from tests.tenancy.attempts import Operation, operations
from tests.tenancy.world import World, build_world


@pytest.fixture(scope="module")
async def world(
    http: aiohttp.ClientSession, database: Database, shared_model_server: ModelServer
) -> AsyncIterator[World]:
    shared_model_server.reset()
    built = await build_world(http, database, shared_model_server)
    yield built
    built.gate.set()


@pytest.fixture(scope="module")
async def described(http: aiohttp.ClientSession) -> list[Operation]:
    """Every operation of the running server's own description."""
    async with http.get("/api/openapi.json") as response:
        return operations(await response.json())


@pytest.fixture(scope="module")
async def superuser(migrated: Migrated) -> AsyncIterator[asyncpg.Connection]:
    """A connection that row-level security does not bind."""
    assert migrated.embedded
    connection = await asyncpg.connect(migrated.embedded.admin_database_url)
    yield connection
    await connection.close()


async def fingerprint(connection: asyncpg.Connection, workspace_id: UUID) -> dict[str, str | None]:
    """Return a sum over a workspace's rows, table by table; none where it has no row.

    When a key was used last is left out, and what the server counts by itself every now and then.
    """
    tables = {table.name: "workspace_id" for table in metadata.sorted_tables
              if table.schema is None and "workspace_id" in table.c and table.name != "recipe_run_counts"}
    tables["workspaces"] = "id"
    rows = "SELECT md5(string_agg({0}, chr(10) ORDER BY {0})) FROM {1} t WHERE {2} = $1"
    texts = dict.fromkeys(tables, "t::text") | {"api_keys": "(to_jsonb(t) - 'last_used_at')::text"}
    return {name: await connection.fetchval(rows.format(texts[name], name, column), workspace_id)
            for name, column in tables.items()}
