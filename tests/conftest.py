"""Fixtures every test may use: a migrated PostgreSQL, a running server with its worker, a scripted model, a caller."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import UUID

import aiohttp
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from automatos.entrypoints.api import create_app
from automatos.entrypoints.migrate import Migrated, prepare_embedded
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.embedded import EmbeddedPostgres
from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer
from tests.recorded_events import faults
from tests.surface import Client, Make, new_client, serving


def pytest_configure() -> None:
    """End at SIGTERM as at Ctrl-C: what the session started (databases, servers) is stopped before the process goes.

    Servers that tests start are told to end by signals, also where `nohup` or a job in the background ignores them.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Migrated]:
    """A migrated embedded PostgreSQL of this test process; not crash-safe, because nothing here must outlive a test."""
    directory = tmp_path_factory.mktemp("database")
    open_to_server_user(directory)
    embedded = EmbeddedPostgres(directory / "postgres", extra_settings=FAST_AND_FORGETFUL)
    try:
        yield asyncio.run(prepare_embedded(embedded))
    finally:
        embedded.stop()


def open_to_server_user(directory: Path) -> None:
    """Let the unprivileged database user pass through pytest's private folders when the tests run as root."""
    for folder in [directory, *directory.parents]:
        if folder == Path(tempfile.gettempdir()):
            return
        folder.chmod(folder.stat().st_mode | 0o011)


@pytest.fixture(scope="session")
def settings(migrated: Migrated, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a development server with its own home; nothing of the machine's environment reaches it.

    The scripted model servers live on this machine, so its operator lists it.
    """
    return Settings(home=tmp_path_factory.mktemp("home"), demo_delay_ms=0, rate_limit="100000/minute",
                    private_providers=("http://127.0.0.1:*", "http://localhost:*"))


@pytest.fixture(scope="session")
async def database(migrated: Migrated) -> AsyncIterator[Database]:
    """The application's database: the limited role, row-level security on."""
    opened = Database(migrated.url, role=migrated.role)
    await opened.open()
    yield opened
    await opened.close()


@pytest.fixture
async def workspace_id(database: Database) -> UUID:
    """A workspace of this test alone."""
    fresh = new_id()
    async with database.recording(None, Scope.AUTH) as connection:
        await connection.execute(
            "INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Test', $2)", fresh, f"test-{fresh.hex}"
        )
    return fresh


@pytest.fixture(scope="session")
async def shared_model_server() -> AsyncIterator[ModelServer]:
    async with ModelServer() as server:
        yield server


@pytest.fixture
def model_server(shared_model_server: ModelServer) -> ModelServer:
    """A scripted model server, with no script and no calls yet."""
    shared_model_server.reset()
    return shared_model_server


@pytest.fixture(scope="session")
async def services(migrated: Migrated, settings: Settings, shared_model_server: ModelServer) -> Services:
    """The parts of the server that tests talk to; models are the scripted one, on both wires."""
    scripted = settings.model_copy(update={
        "openai_api_key": SecretStr("sk-test"), "openai_base_url": shared_model_server.base_url,
        "anthropic_api_key": SecretStr("sk-ant-test"), "anthropic_base_url": shared_model_server.url,
        "default_llm_provider": "openai", "default_llm_model": "fake-model",
    })
    return Services(scripted, migrated.url, role=migrated.role)


@pytest.fixture(scope="session")
async def app(services: Services) -> FastAPI:
    """The application as production assembles it."""
    return create_app(services)


@pytest.fixture(scope="session")
async def http(app: FastAPI, services: Services) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with the running server, API and worker in one process, over a real socket."""
    async with serving(app, services) as session:
        yield session


@pytest.fixture
async def client(http: aiohttp.ClientSession, database: Database) -> AsyncIterator[Client]:
    """An owner's key in a workspace of this test alone; what its runs recorded must be as the models of events say."""
    fresh = await new_client(http, database)
    yield fresh
    assert faults(await log_of(database, fresh.workspace_id)) == []


@pytest.fixture
async def stranger(http: aiohttp.ClientSession, database: Database) -> AsyncIterator[Client]:
    """An owner's key in another workspace; its log is judged, too."""
    fresh = await new_client(http, database)
    yield fresh
    assert faults(await log_of(database, fresh.workspace_id)) == []


async def log_of(database: Database, workspace_id: UUID) -> list[tuple[str, str]]:
    """Return everything that was recorded in a workspace."""
    async with database.recording(workspace_id) as connection:
        rows = await connection.fetch(
            "SELECT type, data::text AS data FROM events WHERE workspace_id = $1", workspace_id)
    return [(row["type"], row["data"]) for row in rows]


@pytest.fixture
def make(client: Client, model_server: ModelServer) -> Make:
    """Builders in the client's workspace; the model server starts unscripted."""
    return Make(client)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put whole-machine tests last, so that a broken unit is reported first."""

    def weight(item: pytest.Item) -> bool:
        return any(item.get_closest_marker(name) for name in ("browser", "chaos"))

    items.sort(key=weight)
