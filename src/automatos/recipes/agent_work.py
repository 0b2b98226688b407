"""The work of agents, as the agents room asks about it and steers it through `agents.types.AgentWork`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.service import describe
from automatos.agents.types import ActiveWork, AgentDependency, Dependent, PriorityLevel, WorkHistory, lane_of
from automatos.durable.service import freeze_lane, stop_lane
from automatos.durable.types import EventBus
from automatos.kernel.clock import now
from automatos.kernel.db import Database
from automatos.recipes.queries import agent_work as queries
from automatos.recipes.queries import definitions

LEVELS = tuple(PriorityLevel)


class Workforce:
    """What executions know of agents: an `AgentWork` over the tables of this room and the lanes of the queue."""

    def __init__(self, database: Database, bus: EventBus) -> None:
        self._database = database
        self._bus = bus

    async def active(self, session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[ActiveWork]:
        """Return every unfinished execution that needs the agent: running first, then queued, then later."""
        rows = await queries.active(session, workspace_id, agent_id, lane_of(agent_id))
        recipes = sorted({row["recipe_id"] for row in rows if row["recipe_id"] is not None})
        medians = await queries.median_durations(session, workspace_id, agent_id, recipes) if rows else {}
        return [
            ActiveWork(row["id"], row["kind"], row["name"], row["status"], row["place"],
                       _remaining_s(medians.get(row["recipe_id"] or queries.TASKS), row["started_at"]),
                       None if row["priority"] is None else LEVELS[row["priority"]], row["is_needed_later"])
            for row in rows
        ]

    async def counts(
        self, session: AsyncSession, workspace_id: UUID, agent_ids: Sequence[int]
    ) -> Mapping[int, tuple[int, int]]:
        """Return how many tasks each agent is working on and how many wait for it; one statement."""
        del workspace_id  # lanes are named by agents, which the caller has read in its workspace
        by_lane = {lane_of(agent_id): agent_id for agent_id in agent_ids}
        found = {by_lane[lane]: (running, waiting)
                 for lane, running, waiting in await queries.counts(session, list(by_lane))}
        return {agent_id: found.get(agent_id, (0, 0)) for agent_id in agent_ids}

    async def dependents(self, session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[Dependent]:
        """Return the recipes that name the agent."""
        rows = await definitions.recipes_with_agent(session, workspace_id, agent_id)
        return [Dependent("recipe", row.template_id, row.name) for row in rows]

    async def dependent_agents(
        self, session: AsyncSession, workspace_id: UUID, agent_id: int
    ) -> list[AgentDependency]:
        """Return the agents whose step comes after one of this agent's in a recipe."""
        rows = await queries.dependent_agents(session, workspace_id, agent_id)
        known = await describe(session, workspace_id, [row["id"] for row in rows])
        return [AgentDependency(row["id"], known[row["id"]].name, _why(row)) for row in rows
                if known[row["id"]].status is not None]

    async def history(self, session: AsyncSession, workspace_id: UUID, agent_id: int) -> WorkHistory:
        """Return what the agent's latest finished steps, and those of its workspace, say of it."""
        row = await queries.history(session, workspace_id, agent_id)
        median = row["median_step_s"]
        share = float(row["agent_steps"] / row["workspace_steps"]) if row["workspace_steps"] else 0.0
        return WorkHistory(row["steps"], share, row["succeeded"], row["failed"],
                           None if median is None else float(median))

    async def interrupt(self, workspace_id: UUID, agent_id: int) -> int:
        """Tell every worker to stop the agent's running steps now; returns how many were told."""
        del workspace_id
        return await stop_lane(self._database, self._bus, lane_of(agent_id))

    async def freeze(self, workspace_id: UUID, agent_id: int) -> int:
        """Ask the agent's running steps to stop at their next turn and wait; returns how many were asked."""
        del workspace_id
        return await freeze_lane(self._database, self._bus, lane_of(agent_id))


def _why(row: Mapping[str, Any]) -> str:
    more = f" and {row['recipes'] - 1} more" if row["recipes"] > 1 else ""
    return f"uses its output in recipe {row['template_id']}{more}"


def _remaining_s(median_s: float | None, started_at: datetime | None) -> float | None:
    """Return what is left of the usual time; one that takes longer than usual may end at any moment."""
    if median_s is None:
        return None
    passed_s = (now() - started_at).total_seconds() if started_at else 0.0
    return round(max(median_s - passed_s, 0.0), 1)
