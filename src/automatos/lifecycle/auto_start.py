"""Auto-start: agents that are to run whenever the server does become active when it starts."""

from uuid import UUID

import structlog

from automatos.agents import service as agents
from automatos.agents.service import Readiness
from automatos.agents.types import AgentStatus
from automatos.durable.types import EventBus
from automatos.kernel.db import Database, Scope
from automatos.lifecycle import queries

ACTOR = "server"
LOCK = 7_246_302

log = structlog.get_logger("automatos.lifecycle")


async def start_agents(database: Database, readiness: Readiness, bus: EventBus) -> tuple[int, int]:
    """Make every inactive agent with auto_start active; return how many were, and how many could not be.

    Call it once at the start of a process. Of several processes that start together one does it. An agent that is not
    ready stays inactive and says why; one that fails otherwise is logged and stands in no other's way.
    """
    started = refused = 0
    async with database.recording(None, Scope.ENGINE) as connection, connection.transaction():
        if not await queries.try_to_lead(connection, LOCK):
            return 0, 0
        for workspace_id, agent_id in await agents.list_to_start(connection):
            try:
                is_active = await _start(database, readiness, bus, workspace_id, agent_id)
            except Exception:
                log.exception("agents.not_started", agent_id=agent_id)
                is_active = False
            started, refused = started + is_active, refused + (not is_active)
    if started or refused:
        log.info("agents.started", started=started, refused=refused)
    return started, refused


async def _start(database: Database, readiness: Readiness, bus: EventBus, workspace_id: UUID, agent_id: int) -> bool:
    """Make one agent active if it is ready and nobody changed it meanwhile; say whether it is active."""
    async with database.session(workspace_id) as session:
        agent = await agents.find_agent(session, workspace_id, agent_id, lock=True)
        if agent is None or agent.status != AgentStatus.INACTIVE:
            return agent is not None and agent.status == AgentStatus.ACTIVE
        faults = await agents.find_faults(session, agent, readiness)
        if not faults:
            agent = await agents.set_status(session, ACTOR, agent, AgentStatus.ACTIVE)
        else:
            reason = f"It could not start with the server: {' '.join(faults)}"[:2000]
            log.warning("agents.start_refused", agent_id=agent_id, faults=faults)
            agent = await agents.set_reason(session, agent, reason)
            await agents.note(session, ACTOR, agent, "agent.start_refused", name=agent.name, faults=faults)
        agents.announce(session, agent, bus)
    return not faults
