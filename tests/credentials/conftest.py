"""A caller, a vault and outgoing connections for tests of credentials."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from automatos.credentials.schemas import Credential, CredentialCreate
from automatos.credentials.seed import seed_credential_types
from automatos.credentials.service import CredentialDeps, add_credential
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
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


@pytest.fixture(autouse=True)
async def _types(database: Database) -> None:
    await seed_credential_types(database)


@pytest.fixture
def deps(vault: Vault, own_settings: Settings, outgoing: Http) -> CredentialDeps:
    return CredentialDeps(vault, own_settings, outgoing)


@dataclass
class Store:
    """Stores credentials in the workspace of the test."""

    database: Database
    caller: Caller
    deps: CredentialDeps

    async def __call__(self, *, settings: Settings | None = None, **body: Any) -> Credential:
        deps = replace(self.deps, settings=settings) if settings else self.deps
        async with self.database.session(self.caller.workspace_id) as session:
            return await add_credential(session, self.caller, deps, CredentialCreate(**body))


@pytest.fixture
def store(database: Database, caller: Caller, deps: CredentialDeps) -> Store:
    return Store(database, caller, deps)


@pytest.fixture
async def outgoing() -> AsyncIterator[Http]:
    opened = Http.open()
    yield opened
    await opened.close()


@pytest.fixture
async def model_server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server
