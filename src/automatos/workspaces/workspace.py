"""Workspaces: making them, naming them, listing those of a person."""

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.workspaces import queries
from automatos.workspaces.audit import write_audit
from automatos.workspaces.errors import PersonRequired, SlugTaken
from automatos.workspaces.models import Workspace
from automatos.workspaces.provision import SHARED_LIMITS, fresh_slug
from automatos.workspaces.types import Caller, Membership, Role


async def list_workspaces(database: Database, caller: Caller) -> list[Membership]:
    """Return the workspaces the caller may work in: a person's memberships, or the one a key belongs to."""
    if caller.user:
        async with database.session(None, Scope.AUTH) as session:
            return await queries.across_list_memberships(session, caller.user.id, caller.organisation)
    async with database.session(caller.workspace_id) as session:
        found = await queries.get_workspace(session, caller.workspace_id)
        return [Membership(found.id, found.name, found.slug, found.is_personal, caller.role)]


async def create_workspace(database: Database, caller: Caller, name: str, slug: str | None) -> Membership:
    """Make a shared workspace that the caller owns.

    Raises:
        PersonRequired: keys own nothing.
        SlugTaken: another workspace has the short name.
    """
    if caller.user is None:
        raise PersonRequired
    workspace_id = new_id()
    slug = slug or fresh_slug(name)
    async with database.session(workspace_id, Scope.AUTH) as session:
        if not await queries.insert_workspace(
            session, id=workspace_id, name=name, slug=slug, owner_id=caller.user.id, plan_limits=SHARED_LIMITS
        ):
            raise SlugTaken(slug)
        await queries.put_member(session, workspace_id, caller.user.id, Role.OWNER)
        await write_audit(session, caller, "workspace.created", workspace_id=workspace_id, target_type="workspace",
                          target_id=workspace_id, detail={"name": name})
    return Membership(workspace_id, name, slug, is_personal=False, role=Role.OWNER)


async def get_workspace(session: AsyncSession, caller: Caller) -> Workspace:
    """Return the caller's workspace."""
    return await queries.get_workspace(session, caller.workspace_id)


async def rename_workspace(session: AsyncSession, caller: Caller, *, name: str | None, slug: str | None) -> Workspace:
    """Change the name or the short name of the caller's workspace; what is None stays.

    Raises:
        SlugTaken: another workspace has the short name.
    """
    values = {key: value for key, value in (("name", name), ("slug", slug)) if value is not None}
    if values:
        try:
            async with session.begin_nested():
                await queries.update_workspace(session, caller.workspace_id, values)
        except IntegrityError as error:
            raise SlugTaken(slug or "") from error
        await write_audit(session, caller, "workspace.renamed", target_type="workspace",
                          target_id=caller.workspace_id, detail=values)
    return await queries.get_workspace(session, caller.workspace_id)
