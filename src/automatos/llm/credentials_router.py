"""HTTP of what credentials were used for: the ledger knows the uses, the audit log the changes."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from automatos.credentials.errors import CredentialNotFound
from automatos.kernel.errors import InvalidRequest
from automatos.kernel.openapi import problems
from automatos.llm import answers, uses
from automatos.workspaces.deps import Admin, Session

router = APIRouter(prefix="/api/credentials", tags=["credentials"])


@router.get("/{credential_id}/audit", responses=problems(CredentialNotFound, InvalidRequest))
async def list_credential_events(
    credential_id: UUID, caller: Admin, session: Session,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    cursor: Annotated[str | None, Query(max_length=100)] = None,
) -> answers.CredentialAudit:
    """Read what happened with a credential, the newest first: each call that used it, each change, each test."""
    return await uses.list_events(session, caller.workspace_id, credential_id, limit=limit, cursor=cursor)
