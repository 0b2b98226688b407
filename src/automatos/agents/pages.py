"""Pages of the list of agents, by place or by a cursor that neither skips nor repeats what others change meanwhile."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.errors import CursorUnreadable
from automatos.agents.models import Agent
from automatos.agents.queries.lists import KEYS, AgentFilter, Window, read_page
from automatos.agents.types import AgentOrder


@dataclass(frozen=True, slots=True)
class Page:
    """Which page of a list: sorted how (by age unless said otherwise), from where, how many."""

    sort: AgentOrder | None = None
    descending: bool = False
    skip: int = 0
    limit: int = 100
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One page of agents, how many fit in all, and where the next page starts; None after the last one."""

    items: Sequence[Agent]
    total: int
    next_cursor: str | None


async def list_agents(session: AsyncSession, workspace_id: UUID | None, wanted: AgentFilter, page: Page) -> Found:
    """Return one page of a workspace's agents, or of all that the session may see: one statement.

    Raises:
        CursorUnreadable: the cursor is not one of this list in this order.
    """
    after = _read_cursor(page) if page.cursor else None
    window = Window(page.sort, page.descending, page.skip, page.limit, after)
    rows, total = await read_page(session, workspace_id, wanted, window)
    shown = rows[:page.limit]
    more = len(rows) > page.limit
    return Found([agent for agent, _ in shown], total, _write_cursor(page, *shown[-1]) if more else None)


def _write_cursor(page: Page, agent: Agent, value: Any) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return urlsafe_b64encode(orjson.dumps([page.sort, page.descending, text, agent.id])).decode().rstrip("=")


def _read_cursor(page: Page) -> tuple[Any, int]:
    """Return the sort value and id that a cursor holds; whatever else it is gets refused before it reaches SQL."""
    cursor = page.cursor or ""
    try:
        sort, descending, text, agent_id = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        value = KEYS[page.sort].read(text)
        is_ours = (sort, descending) == (page.sort, page.descending) and "\x00" not in text and 0 < agent_id < 2**31
    except (ValueError, TypeError, ArithmeticError) as error:
        raise CursorUnreadable from error
    if not is_ours:
        raise CursorUnreadable
    return value, int(agent_id)
