"""The two workspaces, the API's operations, and a look at the rows behind row-level security."""

from collections.abc import AsyncIterator

import aiohttp
import asyncpg
import pytest

from automatos.entrypoints.migrate import Ground
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
async def superuser(ground: Ground) -> AsyncIterator[asyncpg.Connection]:
    """A connection that row-level security does not bind."""
    assert ground.embedded
    connection = await asyncpg.connect(ground.embedded.admin_database_url)
    yield connection
    await connection.close()
