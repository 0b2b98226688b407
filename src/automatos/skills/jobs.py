"""What some worker does for skills every now and then: keep sources in step that ask for it."""

from uuid import UUID

import structlog

from automatos.durable.service import PeriodicTask
from automatos.durable.types import EventBus
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.kernel.errors import Problem
from automatos.kernel.http import Http
from automatos.skills import syncing
from automatos.skills.git.fetch import GitReader
from automatos.skills.queries import sources as queries
from automatos.skills.remote import Remote
from automatos.skills.types import HINT_TOPIC

log = structlog.get_logger("automatos.skills")
EVERY_S = 300.0
ACTOR = "automatic update"


def periodic_tasks(
    database: Database, bus: EventBus, http: Http, *, allow_private: bool, vault: Vault | None = None
) -> tuple[PeriodicTask, ...]:
    """Return the task that syncs the sources whose time has come, one after the other."""
    remote = Remote(GitReader(http, allow_private=allow_private), vault)

    async def sync_due() -> None:
        async with database.recording(None, Scope.ENGINE) as connection:
            due = await queries.due_sources(connection)
        for source in due:
            await sync_quietly(database, bus, remote, source["workspace_id"], source["id"])

    return (PeriodicTask("skills.sync_due", EVERY_S, sync_due),)


async def sync_quietly(
    database: Database, bus: EventBus, remote: Remote, workspace_id: UUID, source_id: UUID
) -> None:
    """Sync one source; one that fails says so in its row and stands in no other's way."""
    try:
        await syncing.sync(database, remote, workspace_id, ACTOR, source_id)
    except Problem as problem:
        log.warning("skills.sync_failed", source_id=str(source_id), code=problem.code, detail=problem.detail)
    except Exception:
        log.exception("skills.sync_broke", source_id=str(source_id))
    bus.hint(workspace_id, HINT_TOPIC)
