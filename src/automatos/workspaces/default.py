"""The default workspace: where single-user mode and the platform key work, and what the first owner takes over."""

from uuid import UUID

from automatos.kernel.config import Settings
from automatos.kernel.db import Database, Scope
from automatos.workspaces import queries
from automatos.workspaces.provision import SHARED_LIMITS, fresh_slug


def default_workspace_id(settings: Settings) -> UUID:
    """Return the id of the default workspace: WORKSPACE_ID, else DEFAULT_TENANT_ID."""
    return settings.workspace_id or settings.default_tenant_id


async def get_or_create_default_workspace(database: Database, settings: Settings) -> UUID:
    """Return the id of the default workspace, which is made if it does not exist yet; safe to call at the same time."""
    workspace_id = default_workspace_id(settings)
    async with database.session(workspace_id, Scope.AUTH) as session:
        await queries.insert_workspace(
            session, id=workspace_id, name="My workspace", slug=fresh_slug("default"), plan_limits=SHARED_LIMITS
        )
    return workspace_id
