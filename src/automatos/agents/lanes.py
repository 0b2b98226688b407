"""An agent's lane of the queue: as wide as it may do tasks at once, and open, held or closed as its status says."""

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.models import Agent
from automatos.agents.types import ELIGIBLE, AgentStatus, ShutdownType, lane_of
from automatos.durable.service import set_lane
from automatos.durable.types import LaneMode


def mode_of(agent: Agent) -> LaneMode:
    """Return what becomes of the agent's queued work: it is done, it waits, or it ends."""
    if agent.stopping is not None:
        return LaneMode.OPEN if agent.stopping["shutdown_type"] == ShutdownType.SCHEDULED else LaneMode.CLOSED
    if agent.status in ELIGIBLE:
        return LaneMode.OPEN
    return LaneMode.HELD if agent.status == AgentStatus.PAUSED else LaneMode.CLOSED


async def keep_lane(session: AsyncSession, agent: Agent, mode: LaneMode | None = None) -> None:
    """Make the lane fit the agent, in the transaction that made or changed it."""
    capacity = int(str(agent.configuration.get("max_concurrent_tasks", 5)))
    await set_lane(session, lane_of(agent.id), capacity, mode or mode_of(agent))
