"""The work of agents, as lifecycle asks about it: what needs one, what names one, what one has done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.service import describe
from automatos.agents.types import Dependent, PriorityLevel, group_of
from automatos.kernel.clock import now
from automatos.recipes.queries import agent_work as queries
from automatos.recipes.types import ActiveWork, AgentDependency, WorkHistory

LEVELS = tuple(PriorityLevel)


async def work_of_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[ActiveWork]:
    """Return every unfinished execution that needs an agent: running first, then queued, then later."""
    rows = await queries.active(session, workspace_id, agent_id, group_of(agent_id))
    recipes = sorted({row["recipe_id"] for row in rows if row["recipe_id"] is not None})
    medians = await queries.median_durations(session, workspace_id, agent_id, recipes) if rows else {}
    return [
        ActiveWork(row["id"], row["kind"], row["name"], row["status"], row["place"],
                   _remaining_s(medians.get(row["recipe_id"] or queries.TASKS), row["started_at"]),
                   None if row["priority"] is None else LEVELS[row["priority"]], row["is_needed_later"])
        for row in rows
    ]


async def dependents_of_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[Dependent]:
    """Return the recipes that name an agent, and those that run one of these, however deep."""
    needing = await queries.recipes_needing(session, workspace_id, agent_id)
    return [Dependent("recipe", template_id, name) for template_id, name in needing]


async def agents_after_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[AgentDependency]:
    """Return the agents whose step comes after one of this agent's in a recipe."""
    rows = await queries.dependent_agents(session, workspace_id, agent_id)
    known = await describe(session, workspace_id, [row["id"] for row in rows])
    return [AgentDependency(row["id"], known[row["id"]].name, _why(row)) for row in rows
            if known[row["id"]].status is not None]


async def history_of_agent(session: AsyncSession, workspace_id: UUID, agent_id: int) -> WorkHistory:
    """Return what an agent's latest finished steps, and those of its workspace, say of it."""
    row = await queries.history(session, workspace_id, agent_id)
    median = row["median_step_s"]
    share = float(row["agent_steps"] / row["workspace_steps"]) if row["workspace_steps"] else 0.0
    return WorkHistory(row["steps"], share, row["succeeded"], row["failed"],
                       None if median is None else float(median))


def _why(row: Mapping[str, Any]) -> str:
    more = f" and {row['recipes'] - 1} more" if row["recipes"] > 1 else ""
    return f"uses its output in recipe {row['template_id']}{more}"


def _remaining_s(median_s: float | None, started_at: datetime | None) -> float | None:
    """Return what is left of the usual time; one that takes longer than usual may end at any moment."""
    if median_s is None:
        return None
    passed_s = (now() - started_at).total_seconds() if started_at else 0.0
    return round(max(median_s - passed_s, 0.0), 1)
