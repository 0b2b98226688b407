"""Commands of whoever has the server's machine: its admins, its workspaces and their plans, a key of one's own."""

import asyncio
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automatos.entrypoints.commands.database import with_database
from automatos.kernel.config import Settings, get_settings
from automatos.kernel.db import Database
from automatos.kernel.running import Running
from automatos.workspaces.models import User
from automatos.workspaces.schemas import TenantOut
from automatos.workspaces.service import (
    PlanLimit,
    create_key,
    find_tenant,
    get_or_create_default_workspace,
    grant_admin,
    list_admins,
    list_tenants,
    revoke_admin,
    set_plan,
)
from automatos.workspaces.types import AuthMethod, Caller, KeyType, Role, Tenant

PAGE = 200


def find_admins(*, home: Path | None, everybody: bool) -> list[dict[str, Any]]:
    """Return the system admins of the server, or every account."""

    async def find(database: Database, _: Settings) -> list[dict[str, Any]]:
        return [_described(user) for user in await list_admins(database, everybody=everybody)]

    return with_database(home, find)


def make_admin(*, home: Path | None, who: str) -> dict[str, Any]:
    """Make an account system admin and return it."""

    async def grant(database: Database, settings: Settings) -> dict[str, Any]:
        return _described(await grant_admin(database, settings, who))

    return with_database(home, grant)


def unmake_admin(*, home: Path | None, who: str) -> dict[str, Any]:
    """Make a system admin an ordinary person again and return the account."""

    async def revoke(database: Database, settings: Settings) -> dict[str, Any]:
        return _described(await revoke_admin(database, settings, who))

    return with_database(home, revoke)


def find_workspaces(*, home: Path | None, search: str | None) -> list[dict[str, Any]]:
    """Return every workspace of the server, as the API gives it."""

    async def find(database: Database, _: Settings) -> list[Tenant]:
        page, following = await list_tenants(database, search=search, limit=PAGE)
        found = [*page]
        while following:
            page, following = await list_tenants(database, search=search, after=following, limit=PAGE)
            found += page
        return found

    return [_told(tenant) for tenant in with_database(home, find)]


def change_plan(*, home: Path | None, workspace: str, limits: Mapping[str, int]) -> dict[str, Any]:
    """Set what a workspace may have and return it."""

    async def change(database: Database, _: Settings) -> Tenant:
        found = await find_tenant(database, workspace)
        wanted = {PlanLimit(name): most for name, most in limits.items()}
        return await set_plan(database, "server's terminal", found.id, wanted)

    return _told(with_database(home, change))


def make_owner_key(*, note: Running) -> tuple[str, str]:
    """Make an owner's key for the default workspace of a running server; returns its id and its text.

    Whoever can read the server's data directory has its database's password and could do this by hand.
    """
    return asyncio.run(_make_owner_key(note))


async def _make_owner_key(note: Running) -> tuple[str, str]:
    database = Database(note.database_url, role=note.role, pool_size=2)
    try:
        workspace_id = await get_or_create_default_workspace(database, get_settings())
        caller = Caller(user=None, workspace_id=workspace_id, role=Role.OWNER, auth_method=AuthMethod.NONE)
        async with database.session(workspace_id) as session:
            issued = await create_key(session, caller, name=f"command line on {socket.gethostname()}"[:100],
                                      key_type=KeyType.SERVER, role=Role.OWNER, expires_at=None)
            return str(issued.key.id), issued.text.reveal()
    finally:
        await database.close()


def _told(tenant: Tenant) -> dict[str, Any]:
    return TenantOut.model_validate(tenant).model_dump(mode="json")


def _described(user: User) -> dict[str, Any]:
    return {"id": user.id, "email": user.email, "name": user.name, "system_role": user.system_role,
            "external_id": user.external_id}
