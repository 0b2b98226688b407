"""The library as a started server has it, and builders of a workspace's own personas."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from automatos.kernel.db import Database
from automatos.personas.seed import seed_personas
from tests.surface import Client, add_key

Write = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture(autouse=True, scope="session")
async def library(database: Database) -> None:
    """The personas that come with the product."""
    await seed_personas(database)


@pytest.fixture
def write(client: Client) -> Write:
    """Adds a persona to the client's workspace."""

    async def add(name: str = "Pirate", **fields: Any) -> dict[str, Any]:
        body = {"name": name, "system_prompt": "You answer like a pirate."} | fields
        answer = await client.post(f"/api/workspaces/{client.workspace_id}/personas", json=body)
        assert answer.status == 201, answer.body
        return answer.json()

    return add


@pytest.fixture
async def viewer(client: Client, database: Database) -> Client:
    """Somebody who may only read in the client's workspace."""
    key = await add_key(database, client.workspace_id, "viewer")
    return Client(client.http, client.workspace_id, {"X-API-Key": key})
