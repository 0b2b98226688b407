"""HTTP of all workspaces of the server, for its system admins."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from automatos.kernel.openapi import problems
from automatos.workspaces import errors, schemas, tenants
from automatos.workspaces.deps import AppAuthenticator, AppDatabase, SystemAdmin
from automatos.workspaces.plan import PlanLimit

router = APIRouter(prefix="/api/admin/workspaces", tags=["administration"])


@router.get("", responses=problems(errors.SystemAdminRequired))
async def list_all_workspaces(
    caller: SystemAdmin, database: AppDatabase, gate: AppAuthenticator,
    search: Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]*$")] = None,
    cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> schemas.TenantPage:
    """List every workspace of the server with its owner, its number of members and its plan; noted in the audit log."""
    await gate.widen(caller)
    found, following = await tenants.list_tenants(database, search=search, after=cursor, limit=limit)
    return schemas.TenantPage(items=[schemas.TenantOut.model_validate(each) for each in found], next_cursor=following)


@router.get("/{tenant_id}", responses=problems(errors.SystemAdminRequired, tenants.WorkspaceNotFound))
async def read_any_workspace(
    tenant_id: UUID, caller: SystemAdmin, database: AppDatabase, gate: AppAuthenticator
) -> schemas.TenantOut:
    """Read one workspace of the server; noted in the audit log."""
    await gate.widen(caller)
    return schemas.TenantOut.model_validate(await tenants.get_tenant(database, tenant_id))


@router.put("/{tenant_id}", responses=problems(errors.SystemAdminRequired, tenants.WorkspaceNotFound))
async def set_plan(
    tenant_id: UUID, body: schemas.TenantChange, caller: SystemAdmin, database: AppDatabase
) -> schemas.TenantOut:
    """Set how many agents, recipes and members a workspace may have; what is left out stays, and nothing is removed."""
    wanted = {PlanLimit(name): most for name, most in body.plan_limits.model_dump(exclude_none=True).items()}
    return schemas.TenantOut.model_validate(await tenants.set_plan(database, caller, tenant_id, wanted))
