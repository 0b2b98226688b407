"""Outcomes: how steps ended, added up for each agent in batches; one that keeps failing is taken out of work."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import stopping
from automatos.agents.queries import lifecycle as queries
from automatos.agents.queries import records
from automatos.agents.types import WORKING, AgentStatus, Outcome
from automatos.durable.types import EventBus
from automatos.kernel.db import Database

BATCH_S = 0.25
MAX_WAITING = 50_000
MAX_TRIES = 6
FIRST_PAUSE_S = 0.1
CLOSE_S = 10.0
ACTOR = "server"

log = structlog.get_logger("automatos.agents")


class OutcomeRecorder:
    """Writes how agents' steps ended, about four times a second, in transactions of its own.

    A write that fails is tried again for a few seconds, then given up and logged: a step never waits for it.
    """

    def __init__(self, database: Database, bus: EventBus, *, error_after: int) -> None:
        self._database = database
        self._bus = bus
        self._error_after = error_after
        self._waiting: list[Outcome] = []
        self._task: asyncio.Task[None] | None = None

    def record(self, outcome: Outcome) -> None:
        """Take one outcome; returns at once and never raises."""
        if len(self._waiting) >= MAX_WAITING:
            log.error("agents.outcome_lost", reason="too many wait for the database", agent_id=outcome.agent_id)
            return
        self._waiting.append(outcome)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())

    async def flush(self) -> None:
        """Wait until every outcome taken so far is written or given up."""
        if self._task:
            await asyncio.shield(self._task)

    async def close(self) -> None:
        """Write what is left, for at most ten seconds."""
        if self._task is None:
            return
        try:
            await asyncio.wait_for(self._task, CLOSE_S)
        except TimeoutError:
            log.error("agents.outcomes_lost", reason="the server stopped before the database answered")

    async def _write_all(self) -> None:
        await asyncio.sleep(BATCH_S)
        while self._waiting:
            taken, self._waiting = self._waiting, []
            by_workspace: defaultdict[UUID, list[Outcome]] = defaultdict(list)
            for outcome in taken:
                by_workspace[outcome.workspace_id].append(outcome)
            for workspace_id, outcomes in by_workspace.items():
                await self._write_patiently(workspace_id, outcomes)

    async def _write_patiently(self, workspace_id: UUID, outcomes: Sequence[Outcome]) -> None:
        for tries in range(MAX_TRIES):
            try:
                async with self._database.session(workspace_id) as session:
                    await self._write(session, workspace_id, outcomes)
            except Exception as error:  # noqa: BLE001
                details = {"workspace_id": str(workspace_id), "outcomes": len(outcomes),
                           "error": f"{type(error).__name__}: {error}"[:300]}
                log.warning("agents.outcomes_delayed", tries=tries + 1, **details)
                await asyncio.sleep(FIRST_PAUSE_S * 2 ** tries)
            else:
                return
        log.error("agents.outcomes_lost", workspace_id=str(workspace_id), outcomes=len(outcomes))

    async def _write(self, session: AsyncSession, workspace_id: UUID, outcomes: Sequence[Outcome]) -> None:
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
        agent = await stopping.become(session, ACTOR, agent, AgentStatus.ERROR, reason=reason)
        stopping.tell(session, agent, self._bus)


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
