"""A server that may read repositories of this machine, a git server beside it, and skills to put there."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import aiohttp
import pytest

from automatos.entrypoints.api import create_app
from automatos.entrypoints.migrate import Migrated
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from tests.fakes.git_server import Content, GitServer, Repository
from tests.surface import Answer, Client, new_client, serving


def skill_md(name: str, description: str = "Does one thing well.", body: str = "Do it well.", **extra: str) -> str:
    """A SKILL.md with these fields in its head."""
    more = "".join(f"{field}: {value}\n" for field, value in extra.items())
    return f"---\nname: {name}\ndescription: {description}\n{more}---\n\n{body}\n"


def folder(name: str, files: Mapping[str, Content] | None = None, **fields: str) -> dict[str, Content]:
    """The files of one skill below skills/, by path."""
    beside: dict[str, Content] = {f"skills/{name}/{path}": content for path, content in (files or {}).items()}
    return {f"skills/{name}/SKILL.md": skill_md(name, **fields)} | beside


@pytest.fixture(scope="session")
async def git_server() -> AsyncIterator[GitServer]:
    async with GitServer() as server:
        yield server


@pytest.fixture
def repository(git_server: GitServer) -> Repository:
    """An empty repository, `acme/skills`, of this test alone."""
    git_server.repositories.clear()
    git_server.asked.clear()
    git_server.headers.clear()
    return git_server.repository("acme/skills")


@pytest.fixture
def git_url(git_server: GitServer, repository: Repository) -> str:
    """Where the repository is."""
    return git_server.url_of("acme/skills")


@pytest.fixture(scope="session")
async def reaching(migrated: Migrated, settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """A session with a second server, whose operator allows private addresses; it takes no jobs."""
    services = Services(
        settings.model_copy(update={"allow_private_urls": True}), migrated.url, role=migrated.role, works=False)
    async with serving(create_app(services), services) as session:
        yield session


@pytest.fixture
async def admin(reaching: aiohttp.ClientSession, database: Database) -> Client:
    """An owner's key in a workspace of this test alone, at the server that reaches this machine."""
    return await new_client(reaching, database)


async def add_source(admin: Client, git_url: str, **fields: Any) -> Answer:
    return await admin.post("/api/skills/sources/git", json={"git_url": git_url} | fields)


async def stored(database: Database, client: Client) -> dict[str, int]:
    """How many rows the skills room holds for a workspace."""
    async with database.recording(client.workspace_id) as connection:
        return {
            table: await connection.fetchval(f"SELECT count(*) FROM {table} WHERE workspace_id = $1",
                                             client.workspace_id)
            for table in ("skill_sources", "skills", "skill_versions", "skill_files")
        }


NOTHING = {"skill_sources": 0, "skills": 0, "skill_versions": 0, "skill_files": 0}
