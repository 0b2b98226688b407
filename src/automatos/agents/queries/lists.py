"""SQL of lists of agents: filters, orders, pages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, Float, Numeric, Select, cast, func, literal, or_, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from automatos.agents.models import Agent
from automatos.agents.types import AgentOrder, AgentStatus, AgentType, Category, PriorityLevel
from automatos.kernel.db import in_reach


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment


Statement = TypeVar("Statement", bound=Select[*tuple[Any, ...]])
NEVER = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


@dataclass(frozen=True, slots=True)
class AgentFilter:
    """Which agents to list; None means any."""

    status: AgentStatus | None = None
    agent_type: AgentType | None = None
    priority_level: PriorityLevel | None = None
    category: Category | None = None
    tag: str | None = None
    search: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """What a list is sorted by, never null, and how its value is read from a cursor."""

    value: ColumnElement[Any] | InstrumentedAttribute[Any]
    read: Callable[[str], Any]


# Agents that were never active, cost nothing or did nothing come first, and last in the opposite direction.
KEYS: Mapping[AgentOrder | None, Key] = MappingProxyType({
    None: Key(literal(0), int),
    AgentOrder.NAME: Key(func.lower(Agent.name), str),
    AgentOrder.STATUS: Key(Agent.status, str),
    AgentOrder.CREATED_AT: Key(Agent.created_at, _moment),
    AgentOrder.UPDATED_AT: Key(Agent.updated_at, _moment),
    AgentOrder.LAST_ACTIVE_AT: Key(func.coalesce(Agent.last_active_at, NEVER), _moment),
    AgentOrder.TOTAL_COST: Key(
        func.coalesce(cast(func.coalesce(Agent.model_usage_stats["known_cost"].astext,
                                         Agent.model_usage_stats["total_cost"].astext), Numeric), 0), Decimal),
    AgentOrder.SUCCESS_RATE: Key(
        func.coalesce(cast(Agent.performance_metrics["success_rate"].astext, Float), -1.0), float),
})


@dataclass(frozen=True, slots=True)
class Window:
    """Which part of a sorted list to read; `after` is the sort value and id of the last agent already seen."""

    sort: AgentOrder | None
    descending: bool
    skip: int
    limit: int
    after: tuple[Any, int] | None = None


async def read_page(
    session: AsyncSession, workspace_id: UUID | None, wanted: AgentFilter, window: Window
) -> tuple[Sequence[tuple[Agent, Any]], int]:
    """Return up to `limit` + 1 agents, each with its sort value, and how many fit the filter in all.

    Without a workspace they are those of every workspace that the session may see.
    """
    # The filter is read once: of what fits only ids and sort values are kept, and whole rows are fetched for the page.
    fitting = _chosen(select(Agent.id, KEYS[window.sort].value.label("value")), workspace_id, wanted).cte("fitting")
    order = [fitting.c.id] if window.sort is None else [fitting.c.value, fitting.c.id]
    order = [each.desc() if window.descending else each.asc() for each in order]
    page = select(fitting).order_by(*order).offset(window.skip).limit(window.limit + 1)
    if window.after is not None:
        page = page.where(_beyond(fitting, window))
    shown = page.subquery("page")
    total = select(func.count()).select_from(fitting).scalar_subquery()
    whole = (
        select(total, shown.c.value, Agent).select_from(select(1).subquery("always")).outerjoin(shown, true())
        .outerjoin(Agent, (Agent.id == shown.c.id) & in_reach(Agent.workspace_id, workspace_id))
    )
    place = [shown.c.id] if window.sort is None else [shown.c.value, shown.c.id]
    rows: Sequence[Any] = (await session.execute(
        whole.order_by(*(each.desc() if window.descending else each.asc() for each in place)))).all()
    return [(agent, value) for _, value, agent in rows if agent is not None], rows[0][0]


def _beyond(fitting: CTE, window: Window) -> ColumnElement[bool]:
    seen, agent_id = window.after or (None, 0)
    if window.sort is None:
        return fitting.c.id < agent_id if window.descending else fitting.c.id > agent_id
    place, mark = tuple_(fitting.c.value, fitting.c.id), tuple_(literal(seen, fitting.c.value.type), literal(agent_id))
    return place < mark if window.descending else place > mark


def _chosen(statement: Statement, workspace_id: UUID | None, wanted: AgentFilter) -> Statement:
    statement = statement.where(in_reach(Agent.workspace_id, workspace_id))
    if wanted.status is None:
        statement = statement.where(Agent.status != AgentStatus.ARCHIVED)
    equal: Sequence[tuple[ColumnElement[Any], str | None]] = (
        (Agent.status.expression, wanted.status), (Agent.agent_type.expression, wanted.agent_type),
        (Agent.marketplace_category.expression, wanted.category),
        (func.coalesce(Agent.configuration["priority_level"].astext, PriorityLevel.MEDIUM), wanted.priority_level),
    )
    statement = statement.where(*(column == value for column, value in equal if value is not None))
    if wanted.tag:
        statement = statement.where(Agent.tags.contains([wanted.tag]))
    if wanted.search:
        pattern = f"%{_escaped(wanted.search)}%"
        statement = statement.where(
            or_(Agent.name.ilike(pattern, escape="\\"), Agent.description.ilike(pattern, escape="\\")))
    return statement


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


async def list_by_ids(
    session: AsyncSession, workspace_id: UUID | None, agent_ids: Sequence[int], *, lock: bool = False
) -> Sequence[Agent]:
    """Return those of the named agents that the workspace has; `lock` keeps them from being deleted meanwhile.

    Without a workspace they are those that the session may see.
    """
    statement = select(Agent).where(in_reach(Agent.workspace_id, workspace_id), Agent.id.in_(agent_ids))
    if lock:
        statement = statement.order_by(Agent.id).with_for_update(read=True, key_share=True)
    return (await session.scalars(statement)).all()
