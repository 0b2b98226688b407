"""HTTP of API keys and of the audit log, which says what was done with them."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, status

from automatos.kernel.openapi import problems
from automatos.workspaces import audit, errors, keys, schemas
from automatos.workspaces.deps import Admin, AllWorkspacesAdmin, ReadingSession, Session
from automatos.workspaces.types import AuditFilter, KeyState, KeyType, Role

router = APIRouter(prefix="/api")


@router.get("/api-keys", tags=["api keys"])
async def list_api_keys(caller: Admin, session: Session) -> schemas.ApiKeyList:
    """List the API keys of the workspace that nobody revoked, without their texts; `state` says which are taken."""
    found = await keys.list_keys(session, caller)
    items = [schemas.ApiKeyOut.of(each.key, each.made_by, each.state) for each in found]
    return schemas.ApiKeyList(items=items, total=len(items))


@router.post("/api-keys", status_code=status.HTTP_201_CREATED, tags=["api keys"])
async def create_api_key(body: schemas.ApiKeyNew, caller: Admin, session: Session) -> schemas.ApiKeyMade:
    """Make an API key; the answer's `key` is shown once."""
    usual = Role.VIEWER if body.key_type is KeyType.PUBLIC else Role.EDITOR
    issued = await keys.create_key(
        session, caller, name=body.name, key_type=body.key_type, role=body.role or usual, expires_at=body.expires_at,
        belongs_to=body.belongs_to,
    )
    made = schemas.ApiKeyOut.of(issued.key, issued.made_by, KeyState.WORKS)
    return schemas.ApiKeyMade(**made.model_dump(), key=issued.text.reveal())


@router.delete(
    "/api-keys/{key_id}", status_code=status.HTTP_204_NO_CONTENT, tags=["api keys"],
    responses=problems(errors.ApiKeyNotFound),
)
async def revoke_api_key(key_id: UUID, caller: Admin, session: Session) -> None:
    """Revoke an API key, at once and for good."""
    await keys.revoke_key(session, caller, key_id)


@router.get("/audit", tags=["audit"])
async def list_audit_entries(
    caller: AllWorkspacesAdmin, session: ReadingSession,
    cursor: Annotated[int | None, Query(ge=1, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    action: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_.]+$")] = None,
    actor: Annotated[str | None, Query(max_length=320, pattern=r"^[^\x00]*$")] = None,
    target_type: Annotated[str | None, Query(max_length=100, pattern=r"^[a-z_]+$")] = None,
    target_id: Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")] = None,
    user_id: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None, api_key_id: UUID | None = None,
    carrier: Annotated[str | None, Query(max_length=20, pattern=r"^[a-z_]+$")] = None,
    client_address: Annotated[str | None, Query(max_length=64, pattern=r"^[0-9A-Fa-f.:%]+$")] = None,
) -> schemas.AuditPage:
    """Read the audit log, the newest entry first; system admins may name `__all__` as the workspace.

    `action` is one action or all of a noun, `actor` a part of a name; a target is a kind of thing, or one of them.
    Who it was is asked by the account, the key, the way they came (`carrier`) or the address.
    """
    wanted = AuditFilter(action, actor, target_type, target_id, user_id=user_id, api_key_id=api_key_id, carrier=carrier,
                         client_address=client_address)
    entries, following = await audit.list_audit(session, caller, before=cursor, limit=limit, wanted=wanted)
    return schemas.AuditPage(
        items=[schemas.AuditOut.model_validate(each) for each in entries],
        next_cursor=None if following is None else str(following),
    )
