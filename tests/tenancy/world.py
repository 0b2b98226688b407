"""Two workspaces: one that has one of everything, and one whose owner tries to reach it."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp

from automatos.entrypoints.seed import seed
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.workspaces import queries
from automatos.workspaces.provision import make_personal_workspace
from automatos.workspaces.sessions import open_session
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Answer, Client, Make

Ids = dict[str, Any]

EVERYBODYS = {"entry_id"}
"""Ids of what everybody reads."""

COMMIT = "a" * 40
NOWHERE = "https://127.0.0.1/skills"
"""The address of a repository that this server refuses to ask."""


@dataclass
class Person:
    """Somebody with an account and a personal workspace; every request comes from a fresh sign-in."""

    http: aiohttp.ClientSession
    database: Database
    id: int
    email: str
    home: UUID

    async def at(self, workspace_id: UUID | str | None) -> Client:
        """Sign in, and work in the workspace given."""
        async with self.database.session(None, Scope.AUTH) as session:
            opened = await open_session(session, self.id, timedelta(hours=1), "")
        headers = {"Cookie": f"automatos_session={opened.token.reveal()}", "X-Requested-With": "automatos"}
        if workspace_id:
            headers["X-Workspace-ID"] = str(workspace_id)
        return Client(self.http, self.home, headers)


async def new_person(
    http: aiohttp.ClientSession, database: Database, name: str, *, system_role: str = "user"
) -> Person:
    """Make a person without the cost of a password."""
    email, home = f"{name}-{new_id().hex[-10:]}@example.org", new_id()
    async with database.session(home, Scope.AUTH) as session:
        user = await queries.insert_user(session, email=email, name=name, system_role=system_role)
        assert user
        await make_personal_workspace(session, home, user.id, name)
    return Person(http, database, user.id, email, home)


@dataclass
class World:
    """Ada's workspace with everything in it, Vic who may look, and Bob with a workspace of his own."""

    ada: Person
    vic: Person
    bob: Person
    root: Person
    secret: str
    gate: asyncio.Event
    hers: Ids = field(default_factory=dict)
    his: Ids = field(default_factory=dict)

    @property
    def absent(self) -> Ids:
        """An id of the same shape for each of hers that belongs to nobody."""
        return {name: value if name in EVERYBODYS else unused(name, value) for name, value in self.hers.items()}

    def reveals(self, answer: Answer) -> list[str]:
        """What an answer shows of Ada's workspace."""
        text = answer.body.decode(errors="replace")
        words = [self.secret, *(str(value) for value in self.hers.values() if isinstance(value, UUID))]
        return [word for word in words if word in text]


def unused(name: str, value: Any) -> Any:
    if isinstance(value, UUID):
        return new_id()
    return 2**31 - 2 if isinstance(value, int) else f"absent-{name.replace('_', '-')}-{secrets.token_hex(4)}"


async def build_world(http: aiohttp.ClientSession, database: Database, models: ModelServer) -> World:
    """Make both workspaces through the API; one run of Ada's has finished and one is held in the middle."""
    ada, vic, bob = [await new_person(http, database, name) for name in ("ada", "vic", "bob")]
    root = await new_person(http, database, "root", system_role="admin")
    world = World(ada, vic, bob, root, f"zebra{secrets.token_hex(6)}", asyncio.Event())
    await seed(database)
    async with database.recording(None) as connection:
        world.hers["entry_id"] = await connection.fetchval("SELECT min(id) FROM llm_models")
    await fill_his(world)
    await fill_hers(world, models)
    return world


async def fill_his(world: World) -> None:
    client = await world.bob.at(world.bob.home)
    recipe = await Make(client).recipe("Say hello")
    world.his = {
        "workspace_id": world.bob.home, "user_id": world.bob.id, "template_id": recipe["template_id"],
        "agent_id": recipe["steps"][0]["agent_id"], "entry_id": world.hers["entry_id"],
    }


async def fill_hers(world: World, models: ModelServer) -> None:
    secret, hers = world.secret, world.hers
    ada = await world.ada.at(world.ada.home)
    hers["session_id"] = UUID((await ada.get("/api/auth/sessions")).json()["items"][0]["id"])
    shared = await made(ada, "/api/workspaces", name=f"{secret} kitchen")
    hers |= {"workspace_id": UUID(shared["id"]), "tenant_id": UUID(shared["id"]), "user_id": world.ada.id}
    ada = await world.ada.at(shared["id"])
    await fill_library(world, ada)

    agent = await Make(ada).agent(
        f"{secret} cook", tools=["calculator"], description=f"makes {secret}-soup",
        skill_ids=[hers["skill_id"]], persona_id=str(hers["persona_id"]))
    recipe = await Make(ada).recipe(
        {"prompt_template": f"{secret} prompt", "agent_id": agent["id"]},
        name=f"{secret} soup", template_id=f"{secret}-soup",
    )
    hers |= {"agent_id": agent["id"], "template_id": recipe["template_id"]}
    await invite(world, ada)
    key = await made(ada, "/api/api-keys", name=f"{secret} key", role="viewer")
    credential = await made(ada, "/api/credentials", name=f"{secret} key", provider="anthropic", value=f"sk-{secret}")
    await made(ada, "/api/credentials", name=f"{secret} database", credential_type="postgres_credentials", data={
        "host": "127.0.0.1", "database": "soups", "username": secret, "password": secret})
    hers |= {"key_id": UUID(key["id"]), "credential_id": UUID(credential["id"])}
    saved = await ada.put("/api/settings/notes/greeting", json={"value": secret})
    assert saved.status == 200, saved.body
    await work_once_and_hold_once(world, ada, models)


async def fill_library(world: World, ada: Client) -> None:
    """A persona, a skill with a file, and a source of skills that nobody ever asks."""
    secret, hers = world.secret, world.hers
    persona = await made(ada, f"/api/workspaces/{hers['workspace_id']}/personas", name=f"{secret} voice",
                         system_prompt=f"Speak like a {secret}.")
    pattern = await made(ada, "/api/patterns", name=f"{secret} round", pattern_type="decision",
                         description=f"Ask {secret} first.", pattern_data={"roles": {"taster": secret}})
    hers["pattern_slug"] = pattern["slug"]
    skill = await made(ada, "/api/skills", name=f"{secret}-skill", description=f"How to cook {secret}-soup.",
                       content=f"Stir the {secret}.", files=[{"path": "notes.md", "content": secret}])
    source_id = new_id()
    async with world.ada.database.recording(hers["workspace_id"]) as connection:
        await connection.execute(
            "INSERT INTO skill_sources (id, workspace_id, source_name, source_type, git_url, git_branch,"
            " git_commit_sha, history) VALUES ($1, $2, $3, 'git', $4, 'main', $5, $6)",
            source_id, hers["workspace_id"], f"{secret} source", NOWHERE, COMMIT,
            f'[{{"commit_sha": "{COMMIT}", "synced_at": "2026-01-01T00:00:00Z", "skills": 0, "versions": {{}}}}]')
    hers |= {"persona_id": UUID(persona["id"]), "persona_slug": persona["slug"], "skill_id": skill["id"],
             "skill_name": skill["name"], "source_id": source_id}


async def invite(world: World, ada: Client) -> None:
    """Vic comes to look; somebody else has not answered yet."""
    for person, role in ((world.vic, "viewer"), (None, "editor")):
        path = f"/api/workspaces/{world.hers['workspace_id']}/members/invite"
        email = person.email if person else f"{world.secret}@example.org"
        invitation = await made(ada, path, email=email, role=role)
        if person:
            invited = await person.at(None)
            accepted = await invited.post("/api/invitations/accept", json={"token": invitation["token"]})
            assert accepted.status == 200, accepted.body
        world.hers |= {"invitation_id": UUID(invitation["id"]), "invitation_token": invitation["token"]}


async def work_once_and_hold_once(world: World, ada: Client, models: ModelServer) -> None:
    """Let a recipe, a task and a heartbeat finish, and stop another run at the gate, where a foreign cancel is seen."""
    template_id, agent_id = world.hers["template_id"], world.hers["agent_id"]
    models.script(Reply(tool_calls=[("calculator", {"expression": "1+1"})]), Reply(text=f"{world.secret} answer"),
                  match=world.secret)
    finished = await ada.cooked(template_id)
    assert finished["status"] == "completed", finished
    task = await ada.post(f"/api/agents/{agent_id}/execute", json={"prompt": f"{world.secret} task"})
    assert task.status == 202, task.body
    await ada.follow(task.json()["execution_id"])
    beat = await check_in(ada, agent_id)
    world.hers |= {"finished_run_id": UUID(finished["id"]), "task_id": UUID(task.json()["execution_id"]),
                   "beat_id": UUID(beat["id"])}
    await settled(ada, agent_id)
    async with world.ada.database.recording(world.hers["workspace_id"]) as connection:  # counted a minute later
        await connection.execute(
            "INSERT INTO recipe_run_counts (recipe_id, workspace_id, runs, up_to) "
            "SELECT id, workspace_id, 0, $2 FROM workflow_recipes WHERE template_id = $1", template_id, UUID(int=0))

    models.script(Reply(text="late", gate=world.gate), match=world.secret)
    called = len(models.calls)
    held = await ada.cook(template_id)
    async with asyncio.timeout(60):
        while len(models.calls) == called:
            await asyncio.sleep(0.02)
    world.hers |= {"run_id": UUID(held)}


async def check_in(ada: Client, agent_id: int) -> dict[str, Any]:
    """Configure a heartbeat that is not due for days, and have one beat now."""
    path = f"/api/heartbeat/agents/{agent_id}"
    saved = await ada.put(f"{path}/config", json={"enabled": True, "interval_minutes": 43200, "prompt": "Look around."})
    assert saved.status == 200, saved.body
    started = await ada.post(f"{path}/run")
    assert started.status == 202, started.body
    async with asyncio.timeout(60):
        while (last := (await ada.get(f"{path}/last")).json())["status"] == "running":
            await asyncio.sleep(0.05)
    return last


async def settled(ada: Client, agent_id: int) -> None:
    """Wait until what the agent did is added up, which happens a moment later."""
    async with asyncio.timeout(60):
        while True:
            agent = (await ada.get(f"/api/agents/{agent_id}")).json()
            done, asked = agent["performance_metrics"], agent["model_usage_stats"]
            if (done["total_tasks_executed"], asked["total_requests"]) == (3, 4):
                return
            await asyncio.sleep(0.05)


async def made(client: Client, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status == 201, answer.body
    return answer.json()
