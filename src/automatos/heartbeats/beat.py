"""One beat, from its decision to its result. It may be driven any number of times: what is recorded is not repeated.

    noted -> skipped, or unchanged (no model was asked)
          -> decided -> the agent's run started, once -> success or error
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.errors import AgentNotFound
from automatos.agents.types import AgentSpec, AgentStatus
from automatos.durable.types import EventBus
from automatos.heartbeats import watching
from automatos.heartbeats.configuration import settings_of
from automatos.heartbeats.findings import actions_of, read_findings
from automatos.heartbeats.models import HeartbeatResult
from automatos.heartbeats.prompting import beat_prompt
from automatos.heartbeats.queries import beats as queries
from automatos.heartbeats.queries import records
from automatos.heartbeats.service import spec_of
from automatos.heartbeats.types import HINT_TOPIC, MAX_RUNNING, BeatStatus, RunWhen
from automatos.kernel.db import Database
from automatos.recipes.errors import AgentNotEligible, ExecutionNotFound
from automatos.recipes.service import Ending, ending_of, start_task, started_by
from automatos.recipes.types import ExecutionStatus, TaskOrder

SUCCEEDED = frozenset({ExecutionStatus.COMPLETED, ExecutionStatus.COMPLETED_WITH_SKIPS})


class Beat:
    """Drives one beat."""

    def __init__(self, database: Database, bus: EventBus, workspace_id: UUID, result_id: UUID) -> None:
        self._database = database
        self._bus = bus
        self._workspace_id = workspace_id
        self._id = result_id

    async def drive(self, at: datetime) -> bool:
        """Bring the beat as far as it goes now; returns whether it is over."""
        async with self._database.session(self._workspace_id) as session:
            result = await queries.find_open(session, self._workspace_id, self._id)
            if result is not None and result.watched is None:
                result = await self._decide(session, result, at)
        if result is None or result.watched is None:
            return True
        execution_id = result.execution_id or await self._start(result, result.watched, at)
        return execution_id is None or await self._conclude(result, execution_id, at)

    async def give_up(self, why: str, at: datetime) -> None:
        """End the beat as failed, because those who drive it keep dying."""
        async with self._database.session(self._workspace_id) as session:
            await self._end(session, BeatStatus.ERROR, f"The beat was given up: {why}.", at)

    async def _decide(self, session: AsyncSession, result: HeartbeatResult, at: datetime) -> HeartbeatResult | None:
        """Decide whether the agent is asked; None when the beat is over without that."""
        await queries.lock_workspace(session, self._workspace_id)
        agent = await spec_of(self._database, self._workspace_id, result.agent_id)
        if refusal := await self._refusal(session, agent):
            await self._end(session, BeatStatus.SKIPPED, refusal, at)
            if agent.status is AgentStatus.ARCHIVED:
                await queries.set_next(session, self._workspace_id, agent.id, None)
            return None
        row = await records.find_heartbeat(session, self._workspace_id, result.agent_id)
        settings = settings_of(row)
        before = row.watched if row else None
        seen = await watching.look(session, self._workspace_id, agent, settings, at)
        is_asked_anyway = result.due_at is None or settings.run_when is RunWhen.ALWAYS
        if before and not is_asked_anyway and watching.is_same(before, seen):
            await self._end(
                session, BeatStatus.UNCHANGED, f"Nothing it watches has changed since {before['at']}.", at)
            return None
        await queries.save_open(session, self._workspace_id, self._id, {"watched": seen})
        result.watched = seen
        return result

    async def _refusal(self, session: AsyncSession, agent: AgentSpec) -> str | None:
        if not agent.is_eligible:
            return f"The agent is {agent.status} and takes no work."
        others = await queries.asked_agents(session, self._workspace_id, self._id)
        if agent.id in others:
            return "An earlier heartbeat of the agent is still running."
        if len(others) >= MAX_RUNNING:
            return f"{MAX_RUNNING} heartbeats of the workspace are running, which is the most at a time."
        return None

    async def _start(self, result: HeartbeatResult, seen: dict[str, Any], at: datetime) -> UUID | None:
        """Start the agent's run, or find the one that was started before a crash; None when the agent takes none."""
        key = f"heartbeat:{self._id}"
        async with self._database.session(self._workspace_id) as session:
            execution_id = await started_by(session, self._workspace_id, key)
            order = None if execution_id else await self._order(session, result, seen, key)
        if order:
            try:
                started = await start_task(
                    self._database, self._bus, self._workspace_id, result.triggered_by, order)
            except (AgentNotEligible, AgentNotFound) as problem:
                async with self._database.session(self._workspace_id) as session:
                    await self._end(session, BeatStatus.SKIPPED, problem.detail, at)
                return None
            execution_id = started.execution_id
        async with self._database.session(self._workspace_id) as session:
            await queries.save_open(session, self._workspace_id, self._id, {"execution_id": execution_id})
        self._bus.hint(self._workspace_id, HINT_TOPIC)
        return execution_id

    async def _order(
        self, session: AsyncSession, result: HeartbeatResult, seen: dict[str, Any], key: str
    ) -> TaskOrder:
        row = await records.find_heartbeat(session, self._workspace_id, result.agent_id)
        settings = settings_of(row)
        before = row.watched if row else None
        agent = await spec_of(self._database, self._workspace_id, result.agent_id)
        changes = await watching.changes(session, self._workspace_id, agent, before, seen)
        return TaskOrder(
            agent_id=result.agent_id, prompt=beat_prompt(settings, changes, str(before["at"]) if before else None),
            kind="heartbeat", read_only=not settings.auto_act, idempotency_key=key)

    async def _conclude(self, result: HeartbeatResult, execution_id: UUID, at: datetime) -> bool:
        async with self._database.session(self._workspace_id) as session:
            try:
                ending = await ending_of(session, self._database, self._workspace_id, execution_id)
            except ExecutionNotFound:
                await self._end(session, BeatStatus.ERROR, "Its run no longer exists.", at)
                return True
            if ending is None:
                return False
            is_success = ending.status in SUCCEEDED
            status = BeatStatus.SUCCESS if is_success else BeatStatus.ERROR
            reason = None if is_success else ending.problem or f"Its run was {ending.status}."
            await self._end(session, status, reason, ending.finished_at, _report(ending))
            if is_success and result.watched:
                await queries.remember(session, self._workspace_id, result.agent_id, result.watched)
        return True

    async def _end(
        self, session: AsyncSession, status: BeatStatus, reason: str | None, at: datetime,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        values = {"status": status, "reason": reason, "finished_at": at, **(more or {})}
        await queries.save_open(session, self._workspace_id, self._id, values)
        self._bus.hint(self._workspace_id, HINT_TOPIC)


def _report(ending: Ending) -> dict[str, Any]:
    return {
        "findings": [finding.stored() for finding in read_findings(ending.output)],
        "actions_taken": actions_of(ending.tool_calls), "tokens_used": ending.total_tokens,
        "cost_micro_usd": ending.cost_micro_usd,
    }
