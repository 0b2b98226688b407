"""A model client wired to a scripted model server and the test database."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest
from pydantic import SecretStr

from automatos.credentials.service import Keyring
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.llm.seed import seed_models
from automatos.llm.service import ModelClient
from automatos.llm.types import CallContext, Completion, Message, ModelChoice
from tests.fakes.model_server import ModelServer

CHOICE = ModelChoice("openai", "gpt-4o-mini", temperature=0.2, max_tokens=500)


@pytest.fixture
async def model_server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
async def outgoing() -> AsyncIterator[Http]:
    opened = Http.open()
    yield opened
    await opened.close()


@pytest.fixture
def wired(tmp_path: Path, model_server: ModelServer) -> Settings:
    """Settings whose platform keys lead to the scripted server."""
    return Settings(
        home=tmp_path, demo_delay_ms=0, openai_api_key=SecretStr("sk-platform-openai-0001"),
        openai_base_url=model_server.base_url, anthropic_api_key=SecretStr("sk-ant-platform-0001"),
        anthropic_base_url=model_server.url,
    )


@pytest.fixture
async def keyring(database: Database, wired: Settings) -> AsyncIterator[Keyring]:
    opened = Keyring(database, Vault(wired), wired)
    yield opened
    await opened.close()


@dataclass
class Asker:
    """Asks the client under test with short words."""

    client: ModelClient
    context: CallContext

    async def __call__(self, prompt: str = "Hello", *, choice: ModelChoice = CHOICE, tools=(), on_delta=None,
                       deadline_s: float = 10.0, retries: int = 2, on_restart=None,
                       context: CallContext | None = None, **more) -> Completion:
        return await self.client.complete(
            choice, [Message("system", "Be brief."), Message("user", prompt)], list(tools), context or self.context,
            on_delta=on_delta, deadline_s=deadline_s, retries=retries, on_restart=on_restart, **more)


@pytest.fixture
async def models(database: Database, wired: Settings, outgoing: Http, keyring: Keyring) -> AsyncIterator[ModelClient]:
    await seed_models(database)
    opened = ModelClient.open(database, wired, outgoing, keyring)
    yield opened
    await opened.close()


@pytest.fixture
def ask(models: ModelClient, workspace_id: UUID) -> Asker:
    return Asker(models, CallContext(workspace_id, run_id=new_id(), turn=1))


@pytest.fixture
async def agent_id(database: Database, workspace_id: UUID) -> int:
    async with database.recording(workspace_id) as connection:
        return await connection.fetchval(
            "INSERT INTO agents (workspace_id, name, agent_type) VALUES ($1, 'Ada', 'custom') RETURNING id",
            workspace_id)


@pytest.fixture
def ledger(database: Database, workspace_id: UUID, models: ModelClient):
    """Read the workspace's usage rows, oldest first."""
    async def read() -> list[dict]:
        await models.flush_usage()
        async with database.recording(workspace_id, Scope.ADMIN) as connection:
            rows = await connection.fetch("SELECT * FROM llm_usage WHERE workspace_id = $1 ORDER BY id", workspace_id)
        return [dict(row) for row in rows]

    return read
