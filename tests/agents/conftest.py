"""A small app around the package's router, over the real database; who calls is said by a token of the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.deps import Readiness
from automatos.agents.router import router
from automatos.agents.types import Dependent
from automatos.credentials.service import Keyring
from automatos.entrypoints.problems import add_problem_handlers
from automatos.heartbeats.agent_config_router import router as config_router
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.kernel.http import Http
from automatos.kernel.ids import new_id
from automatos.lifecycle import impact
from automatos.lifecycle.router import router as lifecycle_router
from automatos.llm.service import ModelClient
from automatos.tools.router import router as tools_router
from automatos.tools.service import Toolbox
from automatos.workspaces.types import AuthMethod, Caller, Presented, Role


class Door:
    """Believes a token of the form `<role>:<workspace id>`."""

    async def authenticate(self, presented: Presented) -> Caller:
        role, _, workspace = presented.secret.partition(":")
        return Caller(None, UUID(workspace), Role(role), AuthMethod.NONE)


class Bell:
    """Remembers hints instead of sending them."""

    def __init__(self) -> None:
        self.rung: list[tuple[UUID, str]] = []

    def hint(self, workspace_id: UUID, topic: str) -> None:
        self.rung.append((workspace_id, topic))

    def send_word(self, word: str, rest: str) -> None:
        """Nobody works here."""

    def tell_dispatcher(self, word: str, rest: str = "") -> None:
        """Nobody works here."""


@dataclass
class AgentDeps:
    """The agents of one workspace over HTTP."""

    client: httpx2.AsyncClient
    app: FastAPI
    database: Database
    workspace_id: UUID
    readiness: Readiness
    role: Role = Role.EDITOR
    used_by: list[Dependent] = field(default_factory=list)
    everybodys: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def caller(self) -> Caller:
        return Caller(None, self.workspace_id, self.role, AuthMethod.NONE)

    def elsewhere(self, workspace_id: UUID) -> "AgentDeps":
        return replace(self, workspace_id=workspace_id)

    def as_role(self, role: Role) -> "AgentDeps":
        return replace(self, role=role)

    async def ask(self, method: str, path: str = "", **options: Any) -> httpx2.Response:
        headers = {"Authorization": f"Bearer {self.role}:{self.workspace_id}"} | options.pop("headers", {})
        return await self.client.request(method, f"/api/agents{path}", headers=headers, **options)

    async def create(self, name: str = "Ada", **body: Any) -> dict[str, Any]:
        made = await self.ask("POST", json={"name": name} | body)
        assert made.status_code == 201, made.text
        return made.json()

    async def skill(self, name: str, *, is_active: bool = True, is_global: bool = False) -> int:
        """Add a skill to the workspace, or to those that came with the product."""
        owner = None if is_global else self.workspace_id
        async with self.database.recording(owner, Scope.ENGINE if is_global else None) as connection:
            skill_id = await connection.fetchval(
                "INSERT INTO skills (workspace_id, source, name, description, core_tokens, is_active) "
                "VALUES ($1, 'manual', $2, $3, 40, $4) RETURNING id", owner, name, f"Does {name}", is_active)
        self.everybodys += [("skills", skill_id)] if is_global else []
        return skill_id

    async def persona(self, slug: str, *, is_active: bool = True, is_global: bool = False) -> str:
        """Add a persona to the workspace, or to those that came with the product."""
        owner, persona_id = None if is_global else self.workspace_id, new_id()
        async with self.database.recording(owner, Scope.ENGINE if is_global else None) as connection:
            await connection.execute(
                "INSERT INTO personas (id, workspace_id, scope, slug, name, system_prompt, is_active, "
                "voice_description, category) VALUES ($1, $2, $3, $4, $5, $6, $7, 'Calm', 'Support')",
                persona_id, owner, "global" if is_global else "workspace", slug, slug.title(), f"You are {slug}.",
                is_active)
        self.everybodys += [("personas", persona_id)] if is_global else []
        return str(persona_id)

    async def read_users(self, session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[Dependent]:
        """Answer as a package would in which something depends on every agent of the desk."""
        del session, workspace_id, agent_id
        return self.used_by

    async def clear(self) -> None:
        """Take away what would show in every workspace."""
        async with self.database.recording(None, Scope.ENGINE) as connection:
            for table, added in self.everybodys:
                await connection.execute(f"DELETE FROM {table} WHERE id = $1", added)

    async def neighbour(self) -> "AgentDeps":
        """Return the desk of another workspace, which is as fresh."""
        workspace_id = new_id()
        async with self.database.recording(None, Scope.AUTH) as connection:
            await connection.execute("INSERT INTO workspaces (id, name, slug) VALUES ($1, 'Other', $2)",
                                     workspace_id, f"other-{workspace_id.hex}")
        return self.elsewhere(workspace_id)

    async def audit(self) -> list[tuple[str, dict[str, Any]]]:
        async with self.database.recording(self.workspace_id) as connection:
            rows = await connection.fetch("SELECT action, detail FROM audit_log ORDER BY id")
        return [(row["action"], row["detail"]) for row in rows]


@pytest.fixture
async def desk(
    database: Database, settings: Settings, workspace_id: UUID, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[AgentDeps]:
    """A desk of a fresh workspace, where no provider but the demo is configured."""
    chosen, http = settings.model_copy(update={"home": tmp_path}), Http.open()
    models = ModelClient.open(database, chosen, http, Keyring(database, Vault(chosen), chosen))
    toolbox, app = Toolbox(chosen, http), FastAPI()
    app.state.services = SimpleNamespace(database=database, settings=chosen, authenticator=Door(), bus=Bell(),
                                         models=models, toolbox=toolbox)
    app.include_router(router)
    app.include_router(lifecycle_router)
    app.include_router(tools_router)
    app.include_router(config_router)
    add_problem_handlers(app)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
        desk = AgentDeps(client, app, database, workspace_id, Readiness(models, toolbox))
        monkeypatch.setattr(impact, "DEPENDENTS", (*impact.DEPENDENTS, desk.read_users))
        yield desk
        await desk.clear()
    await models.close()
    await http.close()
