"""A database of this package's own, so that "nobody is here yet" can be tested, and the real application over it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from automatos.entrypoints.api import create_app
from automatos.entrypoints.migrate import Migrated, migrate
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.workspaces import deps, queries
from automatos.workspaces.authenticate import RequestAuthenticator
from automatos.workspaces.provision import make_personal_workspace
from automatos.workspaces.sessions import open_session
from automatos.workspaces.types import AuditFilter, Role
from tests.fakes.issuer import Issuer, running_issuer

NAME = "automatos_people"
BROWSER = {"X-Requested-With": "automatos"}

probes = APIRouter(prefix="/probe")


@probes.get("/viewer")
@probes.post("/viewer", name="probe_viewer_by_post")
async def probe_viewer(caller: deps.CurrentCaller) -> dict[str, Any]:
    return {"workspace_id": caller.workspace_id, "role": caller.role, "actor": caller.actor,
            "auth_method": caller.auth_method}


@probes.get("/editor")
async def probe_editor(caller: deps.Editor) -> str:
    return caller.role


@probes.get("/admin")
async def probe_admin(caller: deps.Admin) -> str:
    return caller.role


@probes.get("/owner")
async def probe_owner(caller: deps.Owner) -> str:
    return caller.role


@probes.get("/system")
async def probe_system(caller: deps.SystemAdmin) -> str:
    return caller.role


@probes.get("/key")
async def probe_key(caller: deps.ApiKeyCaller) -> str:
    return caller.auth_method


@probes.get("/across")
@probes.post("/across", name="probe_across_by_post")
async def probe_across(caller: deps.AllWorkspacesReader) -> dict[str, Any]:
    return {"workspace_id": caller.workspace_id, "all": caller.all_workspaces}


@probes.get("/still")
async def probe_still(still_allowed: deps.StillAllowed) -> bool:
    return await still_allowed()


@dataclass
class Person:
    """Somebody with an account, a personal workspace and a signed-in browser."""

    id: int
    email: str
    home: UUID
    token: str = field(repr=False)

    @property
    def cookie(self) -> dict[str, str]:
        return {"Cookie": f"automatos_session={self.token}", **BROWSER}

    def at(self, workspace_id: UUID) -> dict[str, str]:
        """Headers of a request to one of this person's workspaces."""
        return self.cookie | {"X-Workspace-ID": str(workspace_id)}


@dataclass
class House:
    """The application as production assembles it, over the package's own database; nothing runs in the background."""

    database: Database
    settings: Settings
    app: FastAPI
    client: httpx2.AsyncClient

    async def person(self, name: str = "ada", *, system_role: str = "user") -> Person:
        """Make a person without the cost of a password."""
        email, home = f"{name}-{new_id().hex[-8:]}@example.org", new_id()
        async with self.database.session(home, Scope.AUTH) as session:
            user = await queries.insert_user(session, email=email, name=name, system_role=system_role)
            assert user
            await make_personal_workspace(session, home, user.id, name)
            opened = await open_session(session, user.id, timedelta(days=1), "")
        return Person(user.id, email, home, opened.token.reveal())

    async def browser(self, user_id: int) -> dict[str, str]:
        """Sign somebody in once more and return what that browser sends."""
        async with self.database.session(None, Scope.AUTH) as session:
            opened = await open_session(session, user_id, timedelta(days=1), "another browser")
        return {"Cookie": f"automatos_session={opened.token.reveal()}", **BROWSER}

    async def shared(self, owner: Person, **members: tuple[Person, Role]) -> UUID:
        """Make a shared workspace with an owner and members."""
        made = await self.client.post("/api/workspaces", json={"name": "RunDeps"}, headers=owner.cookie)
        assert made.status_code == 201, made.text
        workspace_id = UUID(made.json()["id"])
        for person, role in members.values():
            await self.join(workspace_id, person, role)
        return workspace_id

    async def join(self, workspace_id: UUID, person: Person, role: Role) -> None:
        async with self.database.session(workspace_id) as session:
            await queries.put_member(session, workspace_id, person.id, role)

    async def key(self, owner: Person, workspace_id: UUID, **body: Any) -> dict[str, Any]:
        """Make an API key over HTTP."""
        made = await self.client.post("/api/api-keys", json={"name": "robot", **body}, headers=owner.at(workspace_id))
        assert made.status_code == 201, made.text
        return made.json()

    async def audit(self, workspace_id: UUID) -> list[tuple[str, str]]:
        """Return actor and action of a workspace's audit log, oldest first."""
        async with self.database.session(workspace_id) as session:
            entries = await queries.list_audit(session, workspace_id, before=None, limit=100, wanted=AuditFilter())
        return [(entry.actor, entry.action) for entry in reversed(entries)]


Build = Callable[..., House]


@pytest.fixture(scope="session")
async def own_database(migrated: Migrated) -> AsyncIterator[Database]:
    assert migrated.embedded
    address = migrated.embedded.admin_database_url
    admin = await asyncpg.connect(address)
    await admin.execute(f"CREATE DATABASE {NAME}")
    await admin.close()
    await migrate(elsewhere(address))
    opened = Database(elsewhere(migrated.url), role=migrated.role)
    await opened.open()
    yield opened
    await opened.close()


def elsewhere(url: str) -> str:
    return f"{url.rpartition('/')[0]}/{NAME}"


@pytest.fixture
async def nobody(migrated: Migrated, own_database: Database) -> None:
    """Empty the package's database: no account, no workspace."""
    assert migrated.embedded
    admin = await asyncpg.connect(elsewhere(migrated.embedded.admin_database_url))
    await admin.execute("TRUNCATE users, workspaces CASCADE")
    await admin.close()


@pytest.fixture
async def build(own_database: Database, settings: Settings, tmp_path: Any) -> AsyncIterator[Build]:
    """Build an app with settings of the test's choice."""
    clients: list[httpx2.AsyncClient] = []

    def make(*, peer: str = "127.0.0.1", base_url: str = "http://localhost:8000", **changed: Any) -> House:
        chosen = settings.model_copy(update={"home": tmp_path, **changed})
        services = Services(chosen, "postgresql://nowhere/none", works=False)
        services.database = own_database
        services.authenticator = RequestAuthenticator(own_database, chosen)
        app = create_app(services)
        app.include_router(probes)
        transport = httpx2.ASGITransport(app=app, client=(peer, 4711))
        clients.append(httpx2.AsyncClient(transport=transport, base_url=base_url, cookies=None))
        return House(own_database, chosen, app, clients[-1])

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
async def house(build: Build) -> House:
    """An app with the usual settings."""
    return build()


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with running_issuer() as running:
        yield running


def problem(response: httpx2.Response) -> tuple[int, str | None]:
    """Return status of a request and the code of its refusal."""
    return response.status_code, response.json().get("code") if response.is_error else None
