"""A workspace's agents in numbers, counted from what is stored."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.queries import stats as queries
from automatos.agents.schemas import AgentStats
from automatos.agents.types import ELIGIBLE, AgentStatus, lane_of
from automatos.durable.service import lane_counts
from automatos.kernel.clock import now
from automatos.workspaces.types import Caller


async def count_agents(session: AsyncSession, caller: Caller) -> AgentStats:
    """Return how many agents there are of which kind, what they did and used, and what they have to do now.

    Those of the caller's workspace, or of all when the caller reads across them.
    `average_success_rate` is the mean over the agents that have finished anything.
    """
    found = await queries.read_stats(session, caller.reach)
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
    found = await lane_counts(session, [lane_of(agent_id) for agent_id in agent_ids])
    return {agent_id: found.get(lane_of(agent_id), (0, 0)) for agent_id in agent_ids}
