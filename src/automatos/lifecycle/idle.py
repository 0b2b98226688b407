"""Idle: an active agent with nothing to do is idle; the next work makes it active again, in the database itself."""

from datetime import timedelta

from automatos.agents.service import list_restful, rest_agents
from automatos.agents.types import HINT_TOPIC, topic_of
from automatos.durable.types import EventBus
from automatos.kernel.db import Database, Scope


async def rest_idle_agents(database: Database, bus: EventBus, after: timedelta) -> int:
    """Make every agent idle that is active and had nothing to do for so long; return how many there were."""
    rested = 0
    async with database.recording(None, Scope.ENGINE) as connection:
        found = await list_restful(connection, after)
    for workspace_id, agent_ids in found:
        idle = await rest_agents(database, workspace_id, agent_ids, after)
        rested += len(idle)
        for topic in (HINT_TOPIC, *map(topic_of, idle)) if idle else ():
            bus.hint(workspace_id, topic)
    return rested
