"""Everybody who asks for something of Ada's workspace, by each carrier that can bring a credential."""

from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from automatos.kernel.db import Database, Scope
from automatos.workspaces import queries
from automatos.workspaces.sessions import open_session
from automatos.workspaces.tokens import digest
from automatos.workspaces.types import Role
from tests.fakes.issuer import Issuer
from tests.surface import add_key
from tests.tenancy.world import Person, World, new_person

COOKIE, BEARER, KEY, NOTHING = "cookie", "bearer", "x-api-key", "nothing"
CARRIERS = (COOKIE, BEARER, KEY)
PROOF = {"X-Requested-With": "automatos"}
ROLES = {"owner": Role.OWNER, "admin": Role.ADMIN, "editor": Role.EDITOR, "viewer": Role.VIEWER}
GONE = ("expired", "revoked", "left")


@dataclass
class Cast:
    """The headers of everybody, by name and carrier: who they are is the same whichever way they come."""

    world: World
    database: Database
    issuer: Issuer
    headers: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)

    @property
    def place(self) -> UUID:
        return self.world.hers["workspace_id"]

    def of(self, who: str, carrier: str) -> dict[str, str]:
        """Return what somebody's request to Ada's workspace carries."""
        at = {"X-Workspace-ID": str(self.place)}
        return at | PROOF if carrier == NOTHING else at | self.headers[who, carrier]

    async def gather(self) -> "Cast":
        """Give everybody a cookie, a token of the issuer and a key; then end those of some."""
        world = self.world
        for who, role in ROLES.items():
            person = {"owner": world.ada, "viewer": world.vic}.get(who)
            await self._admit(who, person or await new_person(world.ada.http, self.database, who), role)
        await self._admit("stranger", world.bob, Role.OWNER, world.bob.home)
        for who in GONE:
            await self._admit(who, await new_person(world.ada.http, self.database, who), Role.ADMIN)
        await self._end()
        return self

    async def _admit(self, who: str, person: Person, role: Role, place: UUID | None = None) -> None:
        place = place or self.place
        async with self.database.recording(None, Scope.AUTH) as connection:
            await connection.execute("UPDATE users SET issuer = $1, external_id = $2 WHERE id = $3",
                                     self.issuer.url, f"{who}_{person.id}", person.id)
        async with self.database.session(place, Scope.AUTH) as session:
            await queries.put_member(session, place, person.id, role)
            opened = await open_session(session, person.id, timedelta(hours=1), "")
        key = await add_key(self.database, place, role)
        async with self.database.recording(place) as connection:
            await connection.execute("UPDATE api_keys SET created_by = $1 WHERE key_hash = $2", person.id, digest(key))
        expired = {"exp": self.issuer.claims()["iat"] - 3600} if who == "expired" else {}
        token = self.issuer.token(**{"sub": f"{who}_{person.id}", "exp": self.issuer.claims()["iat"] + 3600} | expired)
        self.headers |= {
            (who, COOKIE): {"Cookie": f"automatos_session={opened.token.reveal()}", **PROOF},
            (who, BEARER): {"Authorization": f"Bearer {token}"},
            (who, KEY): {"X-API-Key": key},
        }

    async def _end(self) -> None:
        """End what the names say: the credential's time, the credential or the account, the membership."""
        secrets = {who: (digest(self.headers[who, COOKIE]["Cookie"].partition("=")[2]),
                         digest(self.headers[who, KEY]["X-API-Key"])) for who in GONE}
        async with self.database.recording(self.place, Scope.AUTH) as connection:
            session, key = secrets["expired"]
            await connection.execute("UPDATE user_sessions SET expires_at = now() WHERE token_hash = $1", session)
            await connection.execute("UPDATE api_keys SET expires_at = now() WHERE key_hash = $1", key)
            session, key = secrets["revoked"]
            await connection.execute("UPDATE users SET is_active = false WHERE id = "
                                     "(SELECT user_id FROM user_sessions WHERE token_hash = $1)", session)
            await connection.execute("DELETE FROM user_sessions WHERE token_hash = $1", session)
            await connection.execute("UPDATE api_keys SET is_active = false WHERE key_hash = $1", key)
            await connection.execute(
                "DELETE FROM workspace_members WHERE workspace_id = $1 AND user_id = "
                "(SELECT user_id FROM user_sessions WHERE token_hash = $2)", self.place, secrets["left"][0])
