"""A caller, a vault and outgoing connections for tests of credentials."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import pytest

from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.http import Http
from automatos.workspaces.types import AuthMethod, Caller, Role
from tests.fakes.model_server import ModelServer


@pytest.fixture
def own_settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def vault(own_settings: Settings) -> Vault:
    return Vault(own_settings)


@pytest.fixture
def caller(workspace_id: UUID) -> Caller:
    return Caller(user=None, workspace_id=workspace_id, role=Role.OWNER, auth_method=AuthMethod.NONE)


@pytest.fixture
async def outgoing() -> AsyncIterator[Http]:
    opened = Http.open()
    yield opened
    await opened.close()


@pytest.fixture
async def model_server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server
