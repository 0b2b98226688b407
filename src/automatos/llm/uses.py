"""What happened with a credential: its uses from the ledger and its changes from the audit log, as one list."""

import base64
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from heapq import merge
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.errors import CredentialNotFound
from automatos.credentials.service import has_credential
from automatos.kernel.errors import InvalidRequest
from automatos.llm import queries
from automatos.llm.answers import CredentialAudit, CredentialEvent
from automatos.llm.models import LlmUsage
from automatos.workspaces.service import list_audit_of
from automatos.workspaces.types import AuditRecord

USE, CHANGE = "use", "change"
USED = "credential.used"
"""The audit log's note of use, once a minute at most: here every single use is listed instead."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends: the last use and the last change that were shown, None while none of the kind was."""

    use: tuple[datetime, int] | None = None
    change: int | None = None

    def write(self) -> str:
        """Return the place as a cursor."""
        at, number = self.use or ("", "")
        text = f"{at.isoformat() if isinstance(at, datetime) else ''}|{number}|{self.change or ''}"
        return base64.urlsafe_b64encode(text.encode()).decode()

    def after(self, event: CredentialEvent) -> "Place":
        """Return the place behind one more event."""
        return replace(self, use=(event.at, event.id)) if event.kind == USE else replace(self, change=event.id)


def read_place(cursor: str) -> Place:
    """Read a cursor.

    Raises:
        InvalidRequest: it is none of ours.
    """
    try:
        at, use_id, change_id = base64.urlsafe_b64decode(cursor.encode()).decode("ascii").split("|")
        use = (datetime.fromisoformat(at).astimezone(UTC), _id(use_id)) if at else None
        return Place(use, _id(change_id) if change_id else None)
    except (ValueError, OverflowError) as error:
        raise InvalidRequest("cursor: is not one that this list gave.", field="cursor") from error


def _id(text: str) -> int:
    number = int(text)
    if not 0 < number < 2**63:
        raise ValueError("no id")
    return number


async def list_events(session: AsyncSession, workspace_id: UUID, credential_id: UUID, *, limit: int,
                      cursor: str | None) -> CredentialAudit:
    """Return a page of a credential's events, the newest first.

    Raises:
        CredentialNotFound: the workspace has no such credential.
        InvalidRequest: the cursor is none of this list.
    """
    if not await has_credential(session, workspace_id, credential_id):
        raise CredentialNotFound
    place = read_place(cursor) if cursor else Place()
    uses = await queries.list_uses(session, workspace_id, credential_id, before=place.use, limit=limit + 1)
    changes = await list_audit_of(session, workspace_id, "credential", credential_id, before=place.change,
                                  limit=limit + 1, without=USED)
    events = list(merge(map(_use, uses), map(_change, changes), key=lambda event: event.at, reverse=True))
    page = events[:limit]
    for event in page:
        place = place.after(event)
    return CredentialAudit(items=page, next_cursor=place.write() if len(events) > limit else None)


def _use(row: LlmUsage) -> CredentialEvent:
    return CredentialEvent(
        kind=USE, id=row.id, at=row.created_at, action=USED, actor=None,
        succeeded=row.status in {"success", "fallback"}, message=row.error_message, agent_id=row.agent_id,
        run_id=row.execution_id, request_type=row.request_type, provider=row.provider, model_id=row.model_id,
        total_tokens=row.total_tokens, cost_usd=row.cost_micro_usd,
    )


def _change(entry: AuditRecord) -> CredentialEvent:
    failed = entry.action.endswith("_failed") or entry.detail.get("status") == "failed"
    return CredentialEvent(kind=CHANGE, id=entry.id, at=entry.created_at, action=entry.action, actor=entry.actor,
                           succeeded=not failed, message=None, detail=dict(entry.detail))
