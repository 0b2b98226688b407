"""Every workspace of the server as its system admins see it: whose it is, how many are in it, what its plan allows."""

from collections.abc import Mapping, Sequence
from typing import ClassVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import Database, Scope
from automatos.kernel.errors import NotFound
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.plan import PlanLimit
from automatos.workspaces.queries import tenants
from automatos.workspaces.types import Caller, Tenant


class WorkspaceNotFound(NotFound):
    """The server has no such workspace; only system admins are told so."""

    code: ClassVar[str] = "workspace_not_found"
    title: ClassVar[str] = "No such workspace"

    def __init__(self, who: str) -> None:
        super().__init__(f"This server has no workspace {who[:100]}. GET /api/admin/workspaces lists all of them.")


async def list_tenants(
    database: Database, *, search: str | None = None, after: UUID | None = None, limit: int = 50
) -> tuple[Sequence[Tenant], UUID | None]:
    """Return a page of the workspaces by their ids, and where the next page starts, None after the last one."""
    async with database.session(None, Scope.AUTH) as session:
        found = await tenants.across_list_tenants(session, search=search, after=after, limit=limit + 1)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def get_tenant(database: Database, workspace_id: UUID) -> Tenant:
    """Return one workspace.

    Raises:
        WorkspaceNotFound: there is none of this id.
    """
    async with database.session(workspace_id, Scope.AUTH) as session:
        return await _get(session, workspace_id)


async def set_plan(
    database: Database, actor: Caller | str, workspace_id: UUID, wanted: Mapping[PlanLimit, int]
) -> Tenant:
    """Change what a workspace's plan allows; limits that are not named stay, and nothing that is there goes.

    Raises:
        WorkspaceNotFound: there is none of this id.
    """
    async with database.session(workspace_id, Scope.AUTH) as session:
        before = await queries.read_plan_limits(session, workspace_id, lock=True)
        changed = {limit.value: most for limit, most in wanted.items() if before.get(limit.value, -1) != most}
        tenant = await _get(session, workspace_id)
        if not changed:
            return tenant
        await queries.update_workspace(session, workspace_id, {"plan_limits": {**before, **changed}})
        await write_audit(
            session, actor, "workspace.plan_changed", workspace_id=workspace_id, target_type="workspace",
            target_id=workspace_id, detail={name: {"from": before.get(name, -1), "to": most}
                                            for name, most in changed.items()})
        return await _get(session, workspace_id)


async def find_tenant(database: Database, who: str) -> Tenant:
    """Return the workspace of this id or short name.

    Raises:
        WorkspaceNotFound: there is none.
    """
    async with database.session(None, Scope.AUTH) as session:
        found = await tenants.across_find_tenant(session, who)
    if found is None:
        raise WorkspaceNotFound(who)
    return found


async def _get(session: AsyncSession, workspace_id: UUID) -> Tenant:
    found = await tenants.across_find_tenant(session, str(workspace_id))
    if found is None:
        raise WorkspaceNotFound(str(workspace_id))
    return found
