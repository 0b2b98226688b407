"""SQL of all workspaces at once, for system admins: whose each is, how many are in it, what its plan allows."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.workspaces.models import User, Workspace, WorkspaceMember
from automatos.workspaces.types import Tenant

MEMBERS = (select(func.count()).where(WorkspaceMember.workspace_id == Workspace.id).correlate(Workspace)
           .scalar_subquery().label("members"))
TENANTS = select(
    Workspace.id, Workspace.name, Workspace.slug, Workspace.is_personal, Workspace.plan_limits, Workspace.created_at,
    User.email, User.name.label("owner_name"), MEMBERS,
).outerjoin(User, User.id == Workspace.owner_id)


async def across_list_tenants(
    session: AsyncSession, *, search: str | None, after: UUID | None, limit: int
) -> list[Tenant]:
    """Return workspaces by their ids, those whose name, short name or owner has a text if one is given."""
    statement = TENANTS.order_by(Workspace.id).limit(limit)
    if after:
        statement = statement.where(Workspace.id > after)
    if search:
        looked_at = (Workspace.name, Workspace.slug, User.email, User.name)
        statement = statement.where(or_(*(column.icontains(search, autoescape=True) for column in looked_at)))
    return [_tenant(row) for row in await session.execute(statement)]


async def across_find_tenant(session: AsyncSession, who: str) -> Tenant | None:
    """Return the workspace of this id or short name."""
    try:
        chosen = Workspace.id == UUID(who)
    except ValueError:
        chosen = Workspace.slug == who
    row = (await session.execute(TENANTS.where(chosen))).one_or_none()
    return _tenant(row) if row else None


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(row.id, row.name, row.slug, row.is_personal, row.email or row.owner_name, row.members,
                  row.plan_limits, row.created_at)
