"""What those who watch a workspace's agents ask: are they as they were, and which are not."""

from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.queries import watched as queries

LINES = 20


async def fingerprint(session: AsyncSession, workspace_id: UUID) -> str:
    """Return a text that stays the same as long as every agent's definition and status do."""
    return await queries.fingerprint(session, workspace_id) or ""


async def changed_since(session: AsyncSession, workspace_id: UUID, since: datetime) -> list[str]:
    """Return a line for each agent that was saved or changed its status after `since`, at most 20."""
    rows = await queries.changed_since(session, workspace_id, since, LINES)
    return [f"Agent {row.name!r} is {row.status}, version {row.version}" for row in rows]
