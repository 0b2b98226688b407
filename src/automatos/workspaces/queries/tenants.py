"""SQL of all workspaces at once, for system admins: whose each is, how many are in it, what its plan allows."""

from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.workspaces.models import User, Workspace, WorkspaceMember
from automatos.workspaces.types import Tenant

MEMBERS = (select(func.count()).where(WorkspaceMember.workspace_id == Workspace.id).correlate(Workspace)
           .scalar_subquery().label("members"))
TENANTS = select(
    Workspace.id, Workspace.name, Workspace.slug, Workspace.is_personal, func.coalesce(User.email, User.name), MEMBERS,
    Workspace.plan_limits, Workspace.created_at,
).outerjoin(User, User.id == Workspace.owner_id)
"""The columns of `Tenant`, in its order."""


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
    return [Tenant(*row) for row in await session.execute(statement)]


async def across_find_tenant(session: AsyncSession, who: str) -> Tenant | None:
    """Return the workspace of this id or short name."""
    try:
        chosen = Workspace.id == UUID(who)
    except ValueError:
        chosen = Workspace.slug == who
    row = (await session.execute(TENANTS.where(chosen))).one_or_none()
    return Tenant(*row) if row else None
