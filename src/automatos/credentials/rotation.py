"""Rotation of the server's key: what is sealed is sealed again under the newest one, workspace by workspace."""

from dataclasses import dataclass
from uuid import UUID

from automatos.credentials import queries
from automatos.credentials.contents import seal_context
from automatos.kernel.crypto import SealBroken, Vault
from automatos.kernel.db import Database, Scope


@dataclass(frozen=True)
class Resealed:
    """How many values got the newest key, and how many no key of this server opens: those stay as they are."""

    count: int = 0
    unreadable: int = 0


async def reseal_credentials(database: Database, vault: Vault) -> Resealed:
    """Seal every credential again that an older key sealed; may be interrupted and repeated.

    A credential is locked while it is sealed again, so that nobody's change is lost.
    """
    async with database.session(None, Scope.ADMIN) as session:
        workspaces = await queries.list_workspaces_with_credentials(session)
    done = [await _reseal_workspace(database, vault, workspace_id) for workspace_id in workspaces]
    return Resealed(sum(each.count for each in done), sum(each.unreadable for each in done))


async def _reseal_workspace(database: Database, vault: Vault, workspace_id: UUID) -> Resealed:
    count = unreadable = 0
    async with database.session(workspace_id) as session:
        for row in await queries.lock_credentials(session, workspace_id):
            if vault.is_current(row.sealed):
                continue
            context = seal_context(workspace_id, row.id)
            try:
                row.sealed = vault.seal(vault.open(row.sealed, context), context)
                count += 1
            except SealBroken:
                unreadable += 1
    return Resealed(count, unreadable)
