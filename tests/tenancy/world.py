"""Two workspaces: one that has one of everything, and one whose owner tries to reach it."""

import asyncio
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import aiohttp

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.workspaces import queries
from automatos.workspaces.provision import make_personal_workspace
from automatos.workspaces.sessions import open_session
from tests.fakes.model_server import ModelServer, Reply
from tests.surface import Answer, Client, Make

Ids = dict[str, Any]


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
        headers = {"Cookie": f"automatos_session={opened.token}", "X-Requested-With": "automatos"}
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
        return {name: unused(name, value) for name, value in self.hers.items()}

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
    await fill_his(world)
    await fill_hers(world, models)
    return world


async def fill_his(world: World) -> None:
    client = await world.bob.at(world.bob.home)
    recipe = await Make(client).recipe("Say hello")
    world.his = {
        "workspace_id": world.bob.home, "user_id": world.bob.id, "template_id": recipe["template_id"],
        "agent_id": recipe["steps"][0]["agent_id"],
    }


async def fill_hers(world: World, models: ModelServer) -> None:
    secret, hers = world.secret, world.hers
    ada = await world.ada.at(world.ada.home)
    shared = await made(ada, "/api/workspaces", name=f"{secret} kitchen")
    hers["workspace_id"] = UUID(shared["id"])
    ada = await world.ada.at(shared["id"])

    agent = await Make(ada).agent(f"{secret} cook", tools=["calculator"], description=f"makes {secret}-soup")
    recipe = await Make(ada).recipe(
        {"prompt_template": f"{secret} prompt", "agent_id": agent["id"]},
        name=f"{secret} soup", template_id=f"{secret}-soup",
    )
    hers |= {"agent_id": agent["id"], "template_id": recipe["template_id"], "user_id": world.ada.id}
    await cook_once_and_hold_once(world, ada, models)

    for person, role in ((world.vic, "viewer"), (None, "editor")):
        path = f"/api/workspaces/{shared['id']}/members/invite"
        invitation = await made(ada, path, email=person.email if person else f"{secret}@example.org", role=role)
        if person:
            invited = await person.at(None)
            accepted = await invited.post("/api/invitations/accept", json={"token": invitation["token"]})
            assert accepted.status == 200, accepted.body
        hers |= {"invitation_id": UUID(invitation["id"]), "invitation_token": invitation["token"]}
    key = await made(ada, "/api/api-keys", name=f"{secret} key", role="viewer")
    credential = await made(ada, "/api/credentials", name=f"{secret} key", provider="anthropic", value=f"sk-{secret}")
    hers |= {"key_id": UUID(key["id"]), "credential_id": UUID(credential["id"])}
    saved = await ada.put("/api/settings/notes/greeting", json={"value": secret})
    assert saved.status == 200, saved.body


async def cook_once_and_hold_once(world: World, ada: Client, models: ModelServer) -> None:
    """Let one run finish, and stop another at the gate, where a foreign cancel would be seen."""
    template_id = world.hers["template_id"]
    models.script(Reply(tool_calls=[("calculator", {"expression": "1+1"})]), Reply(text=f"{world.secret} answer"),
                  match=world.secret)
    finished = await ada.cooked(template_id)
    assert finished["status"] == "completed", finished
    models.script(Reply(text="late", gate=world.gate), match=world.secret)
    called = len(models.calls)
    held = await ada.cook(template_id)
    async with asyncio.timeout(10):
        while len(models.calls) == called:
            await asyncio.sleep(0.02)
    world.hers |= {"run_id": UUID(held), "execution_id": UUID(held), "finished_run_id": UUID(finished["id"])}


async def made(client: Client, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.status == 201, answer.body
    return answer.json()
