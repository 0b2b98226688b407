"""Resting: an active agent with nothing to do is idle; the next work makes it active again, in the database itself."""

from datetime import timedelta

from automatos.agents.queries import lifecycle as queries
from automatos.agents.stopping import topic_of
from automatos.agents.types import HINT_TOPIC
from automatos.durable.types import EventBus
from automatos.kernel.db import Database, Scope


async def rest_idle_agents(database: Database, bus: EventBus, after: timedelta) -> int:
    """Make every agent idle that is active and had nothing to do for so long; return how many there were.

    Idle agents take work like active ones, so that nobody decided anything and no audit entry is written.
    """
    rested = 0
    async with database.recording(None, Scope.ENGINE) as connection:
        found = await queries.list_restful(connection, after)
    for workspace_id, agent_ids in found:
        async with database.recording(workspace_id) as connection:
            idle = await queries.rest(connection, workspace_id, agent_ids, after)
        rested += len(idle)
        for topic in (HINT_TOPIC, *map(topic_of, idle)) if idle else ():
            bus.hint(workspace_id, topic)
    return rested
