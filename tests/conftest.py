"""Fixtures every test may use: a migrated PostgreSQL, the database as the application sees it, and a workspace to work in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from automatos.entrypoints.migrate import Ground, prepare_embedded
from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.embedded import EmbeddedPostgres
from automatos.kernel.ids import new_id

FAST_AND_FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    """A migrated embedded PostgreSQL of this test process; not crash-safe, because nothing here must outlive a test."""
    directory = tmp_path_factory.mktemp("database")
    open_to_server_user(directory)
    embedded = EmbeddedPostgres(directory / "postgres", extra_settings=FAST_AND_FORGETFUL)
    yield asyncio.run(prepare_embedded(embedded))
    embedded.stop()


def open_to_server_user(directory: Path) -> None:
    """Let the unprivileged database user pass through pytest's private folders when the tests run as root."""
    for folder in [directory, *directory.parents][:3]:
        folder.chmod(folder.stat().st_mode | 0o011)


@pytest.fixture(scope="session")
def settings(ground: Ground, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of a development server with its own home; nothing of the machine's environment reaches it."""
    return Settings(home=tmp_path_factory.mktemp("home"), demo_delay_ms=0, rate_limit="100000/minute")


@pytest.fixture(scope="session")
async def database(ground: Ground) -> AsyncIterator[Database]:
    """The application's database: the limited role, row-level security on."""
    opened = Database(ground.url, role=ground.role)
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put whole-machine tests last, so that a broken unit is reported first."""
    weight: Callable[[pytest.Item], int] = lambda item: any(item.get_closest_marker(m) for m in ("browser", "chaos"))
    items.sort(key=weight)
