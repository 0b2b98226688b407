"""Outcomes: how steps ended, added up for each agent in batches; one that keeps failing is taken out of work."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.activation import announce, set_status
from automatos.agents.queries import records
from automatos.agents.queries import stats as queries
from automatos.agents.types import WORKING, AgentStatus, Outcome
from automatos.durable.types import EventBus
from automatos.kernel.batches import BatchWriter
from automatos.kernel.db import Database

EVERY_S = 0.5
ACTOR = "server"


class OutcomeRecorder:
    """Writes how agents' steps ended, twice a second, in transactions of its own; see `BatchWriter`."""

    def __init__(self, database: Database, bus: EventBus, *, error_after: int) -> None:
        self._database = database
        self._bus = bus
        self._error_after = error_after
        self._outcomes: BatchWriter[Outcome] = BatchWriter("outcomes of agents", self._write, every_s=EVERY_S)
        self.flush = self._outcomes.flush
        self.close = self._outcomes.close

    def record(self, outcome: Outcome) -> None:
        """Take one outcome; returns at once and never raises."""
        self._outcomes.add(outcome.workspace_id, outcome)

    async def _write(self, workspace_id: UUID, outcomes: Sequence[Outcome]) -> None:
        async with self._database.session(workspace_id) as session:
            for agent_id, in_a_row in await queries.add_outcomes(session, workspace_id, _added_up(outcomes)):
                if in_a_row >= self._error_after:
                    why = next((o.error for o in reversed(outcomes) if o.agent_id == agent_id and not o.ok), None)
                    await self._give_up_on(session, workspace_id, agent_id, in_a_row, why)

    async def _give_up_on(
        self, session: AsyncSession, workspace_id: UUID, agent_id: int, in_a_row: int, why: str | None
    ) -> None:
        """Put an agent that fails again and again in error, where it takes nothing until somebody clears it."""
        agent = await records.find_agent(session, workspace_id, agent_id, lock=True)
        if agent is None or agent.status not in WORKING:
            return
        reason = f"{in_a_row} tasks in a row failed, the last one with: {why or 'no message'}"[:2000]
        agent = await set_status(session, ACTOR, agent, AgentStatus.ERROR, reason=reason)
        announce(session, agent, self._bus)


def _added_up(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    """Return one entry for each agent, in order of id, so that two processes never wait for each other."""
    by_agent: defaultdict[int, list[Outcome]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda one: one.finished_at):
        by_agent[outcome.agent_id].append(outcome)
    return [
        {"agent_id": agent_id, "succeeded": sum(one.ok for one in ended), "failed": sum(not one.ok for one in ended),
         "failed_last": _trailing_failures(ended), "last_ok": ended[-1].ok, "ended_at": _text(ended[-1].finished_at)}
        for agent_id, ended in sorted(by_agent.items())
    ]


def _trailing_failures(ended: Sequence[Outcome]) -> int:
    count = 0
    for one in reversed(ended):
        if one.ok:
            break
        count += 1
    return count


def _text(at: datetime) -> str:
    return at.isoformat()
