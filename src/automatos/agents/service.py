"""The public verbs of agents: what other packages may ask about them, and the verbs they need."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.activation import (
    allowed_from,
    announce,
    capacity_of,
    keep_group,
    note,
    rest_agents,
    set_reason,
    set_status,
    set_stop,
)
from automatos.agents.assemble import present, present_one
from automatos.agents.configuration import AgentDefinition, Tags
from automatos.agents.deps import Readiness
from automatos.agents.documents import write_yaml
from automatos.agents.errors import CursorUnreadable
from automatos.agents.models import Agent
from automatos.agents.outcomes import OutcomeRecorder
from automatos.agents.parts import change_configuration
from automatos.agents.queries import lists, records, stats
from automatos.agents.queries.assigned import count_by_persona, users_of_skills
from automatos.agents.queries.lists import KEYS, AgentFilter, Window, read_page
from automatos.agents.queries.records import find_agent, get_agent, has_peer, list_restful, list_to_start
from automatos.agents.readiness import find_faults, refuse_faults
from automatos.agents.saving import change_tags, create_agent, load_for_update, require_room_for_one, update_agent
from automatos.agents.schemas import Agent as AgentOut
from automatos.agents.schemas import AgentConfigurationOut, AgentCreate, AgentEdit, AgentId, AgentStats
from automatos.agents.specs import draft_spec, load_for_run, read_specs
from automatos.agents.transfer import definition_in_recipe_file, upsert_from_file
from automatos.agents.types import ELIGIBLE, AgentConfiguration, AgentOrder, AgentRef, AgentStatus, group_of
from automatos.durable.service import count_groups
from automatos.kernel.clock import now
from automatos.workspaces.types import Caller

__all__ = [
    "Agent", "AgentConfiguration", "AgentConfigurationOut", "AgentCreate", "AgentDefinition", "AgentEdit",
    "AgentFilter", "AgentId", "AgentOut", "OutcomeRecorder", "Page", "Readiness", "Tags", "allowed_from",
    "announce", "capacity_of", "change_configuration", "change_tags", "changed_since", "count_agents",
    "count_by_persona", "create_agent", "definition_in_recipe_file", "describe", "draft_spec", "find_agent",
    "find_faults", "find_id_by_name", "fingerprint", "forget_agent", "get_agent", "has_peer", "keep_group",
    "list_agents", "list_restful", "list_to_start", "load_for_run", "load_for_update", "note", "present",
    "present_one", "read_specs", "refuse_faults", "require_room_for_one", "rest_agents", "set_reason", "set_status",
    "set_stop", "update_agent", "upsert_from_file", "users_of_skills", "workloads", "write_yaml",
]
CHANGES_SHOWN = 20


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


async def find_id_by_name(session: AsyncSession, workspace_id: UUID, name: str) -> int | None:
    """Return the id of the workspace's agent of that name, whatever its case."""
    agent = await records.find_agent_by_name(session, workspace_id, name)
    return agent.id if agent else None


async def describe(
    session: AsyncSession, workspace_id: UUID | None, agent_ids: Iterable[int], *, lock: bool = False
) -> dict[int, AgentRef]:
    """Return name and status of each named agent, one statement; those that do not exist have status None.

    With `lock` those that exist cannot be deleted before the transaction ends. Without a workspace it answers for
    every agent that the session may see.
    """
    wanted = sorted(set(agent_ids))
    found = {agent.id: AgentRef(agent.id, agent.name, AgentStatus(agent.status))
             for agent in await lists.list_by_ids(session, workspace_id, wanted, lock=lock)} if wanted else {}
    return {one: found.get(one, AgentRef(one, f"agent {one}", None)) for one in wanted}


async def fingerprint(session: AsyncSession, workspace_id: UUID) -> str:
    """Return a text that stays the same as long as every agent's definition and status do."""
    return await records.fingerprint(session, workspace_id) or ""


async def changed_since(session: AsyncSession, workspace_id: UUID, since: datetime) -> list[str]:
    """Return a line for each agent that was saved or changed its status after `since`, at most 20."""
    rows = await records.changed_since(session, workspace_id, since, CHANGES_SHOWN)
    return [f"Agent {row.name!r} is {row.status}, version {row.version}" for row in rows]


async def forget_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> None:
    """Remove an agent with its skills and saved versions; what other packages hold of it is theirs to answer for."""
    await records.delete_agent(session, workspace_id, agent_id)


async def count_agents(session: AsyncSession, caller: Caller) -> AgentStats:
    """Return how many agents there are of which kind, what they did and used, and what they have to do now.

    Those of the caller's workspace, or of all when the caller reads across them.
    `average_success_rate` is the mean over the agents that have finished anything.
    """
    found = await stats.read_stats(session, caller.reach)
    counted = (await workloads(session, found.ids)).values()
    active = sum(found.by_status.get(status, 0) for status in ELIGIBLE)
    return AgentStats(
        total_agents=len(found.ids), active_agents=active,
        inactive_agents=len(found.ids) - active,
        agents_by_status={AgentStatus(name): count for name, count in found.by_status.items()},
        agents_by_type=found.by_type, agents_by_category=found.by_category,
        average_success_rate=found.average_success_rate, total_executions=found.executed,
        successful_executions=found.succeeded, failed_executions=found.failed, total_tokens=found.tokens,
        total_cost_usd=None if found.unpriced else f"{found.cost_usd:.6f}", known_cost_usd=f"{found.cost_usd:.6f}",
        unpriced_requests=found.unpriced, tasks_running=sum(running for running, _ in counted),
        tasks_queued=sum(queued for _, queued in counted), timestamp=now(),
    )


async def workloads(session: AsyncSession, agent_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return how many tasks each agent is working on and how many wait for it; one statement."""
    found = await count_groups(session, [group_of(agent_id) for agent_id in agent_ids])
    return {agent_id: found.get(group_of(agent_id), (0, 0)) for agent_id in agent_ids}


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
