"""Impact: what a change of an agent's status, or its deletion, would touch; counted, never guessed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

import orjson
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents.service import Agent, has_peer
from automatos.agents.types import ELIGIBLE, STOPS, WORKING, AgentStatus, Dependent, ShutdownType
from automatos.heartbeats import service as heartbeats
from automatos.lifecycle.types import Confirmation
from automatos.recipes import service as recipes
from automatos.recipes.types import ActiveWork, AgentDependency, WorkHistory

Proposal = AgentStatus | Literal["deleted"]
MUCH_PERCENT = 10
"""From which share of the workspace's steps on a loss is worth a warning."""
DEPENDENTS = (recipes.dependents_of_agent, heartbeats.dependents_of_agent)
"""Who says what depends on an agent: one line for each package that names agents."""


@dataclass(frozen=True, slots=True)
class Touched:
    """The unfinished work of an agent that becomes something else, and what becomes of each piece.

    `shutdown_type` is None where nothing is shut down.
    """

    agent: Agent
    proposed: Proposal
    shutdown_type: ShutdownType | None
    work: Sequence[ActiveWork]

    @property
    def loses_agent(self) -> bool:
        """Whether the workspace has one agent less to work with afterwards; a paused one only lets it wait."""
        if self.proposed == "deleted":
            return True
        return self.agent.status in WORKING and self.proposed in STOPS

    @property
    def interrupted(self) -> list[ActiveWork]:
        """The work that is cut off in the middle."""
        return self.at("running") if self.loses_agent and cuts_off(self.agent.status, self.shutdown_type) else []

    @property
    def cancelled(self) -> list[ActiveWork]:
        """The work that ends before its turn comes."""
        is_refused = self.loses_agent and self.shutdown_type is not ShutdownType.SCHEDULED
        return self.at("queued") if is_refused else []

    @property
    def awaited(self) -> list[ActiveWork]:
        """The work that the stop waits for."""
        if not self.loses_agent or cuts_off(self.agent.status, self.shutdown_type):
            return []
        return awaited_by(self.shutdown_type, self.work)

    @property
    def failing(self) -> list[ActiveWork]:
        """The work that goes on for now and comes to a step later that nobody does."""
        if not self.loses_agent or self.shutdown_type is ShutdownType.SCHEDULED:
            return []
        gone = {one.id for one in (*self.interrupted, *self.cancelled)}
        return [one for one in self.work if one.is_needed_later and one.id not in gone]

    @property
    def ids(self) -> set[UUID]:
        """All work that the change interrupts, cancels, waits for or lets fail later."""
        return {one.id for one in (*self.interrupted, *self.cancelled, *self.awaited, *self.failing)}

    def at(self, place: str) -> list[ActiveWork]:
        """Return the work in which the agent comes in there: running, queued or later."""
        return [one for one in self.work if one.place == place]


@dataclass(frozen=True, slots=True)
class Effects(Touched):
    """All that is touched when one agent becomes something else, read once, in the transaction that decides.

    `has_peer` says whether another agent of the same type takes work.
    """

    dependents: Sequence[Dependent]
    dependent_agents: Sequence[AgentDependency]
    history: WorkHistory
    has_peer: bool

    @property
    def performance_degradation(self) -> float:
        """The share of the workspace's latest steps that the agent did and would not do any more, in percent."""
        return round(100 * self.history.share, 1) if self.loses_agent else 0.0

    @property
    def is_grave(self) -> bool:
        """Whether work is lost, or recipes stand without any agent of that type."""
        is_needed = any(one.kind == "recipe" for one in self.dependents)
        is_alone = self.loses_agent and is_needed and not self.has_peer
        return bool(self.interrupted or self.cancelled or self.failing or is_alone)

    def required(self) -> dict[Confirmation, int]:
        """Return what must be confirmed, with how many are touched; empty when no work is.

        What the agent did in the past, and what merely names it, is advice and never stands in the way.
        """
        if not self.ids:
            return {}
        found = {
            Confirmation.WORKFLOWS: len(self.ids),
            Confirmation.QUEUE: len(self.cancelled),
            Confirmation.DEPENDENCIES: len(self.dependents) + len(self.dependent_agents),
        }
        effects = {name: count for name, count in found.items() if count}
        if effects and self.proposed in {AgentStatus.INACTIVE, AgentStatus.ARCHIVED, "deleted"}:
            effects[Confirmation.SHUTDOWN] = 1
        return effects

    def token(self) -> str:
        """Return what stands for exactly these effects: the same facts give the same, estimates do not count."""
        facts = [
            self.agent.id, self.proposed, self.shutdown_type, self.loses_agent,
            sorted((str(one.id), one.place) for one in self.work),
            sorted((one.kind, one.id) for one in self.dependents),
            sorted(one.id for one in self.dependent_agents),
        ]
        return hashlib.sha256(orjson.dumps(facts)).hexdigest()[:40]


async def find_touched(
    session: AsyncSession, agent: Agent, proposed: Proposal, shutdown_type: ShutdownType | None
) -> Touched:
    """Return the unfinished work that needs an agent, as the change finds it: one statement when there is none."""
    return Touched(agent, proposed, shutdown_type, await recipes.work_of_agent(session, agent.workspace_id, agent.id))


async def find_effects(session: AsyncSession, found: Touched) -> Effects:
    """Return what else would be touched by the same change; a handful of statements, however much there is."""
    agent, workspace_id = found.agent, found.agent.workspace_id
    return Effects(
        agent, found.proposed, found.shutdown_type, found.work,
        dependents=await find_dependents(session, workspace_id, agent.id),
        dependent_agents=await recipes.agents_after_agent(session, workspace_id, agent.id),
        history=await recipes.history_of_agent(session, workspace_id, agent.id),
        has_peer=await has_peer(session, workspace_id, agent.id, agent.agent_type, sorted(ELIGIBLE)),
    )


async def find_dependents(session: AsyncSession, workspace_id: UUID, agent_id: int) -> list[Dependent]:
    """Return everything that names the agent, each once; unfinished executions are work, not dependents."""
    found = [one for ask in DEPENDENTS for one in await ask(session, workspace_id, agent_id)]
    return list(dict.fromkeys(found))


def cuts_off(status: str, shutdown_type: ShutdownType | None) -> bool:
    """Say whether running work is interrupted; the frozen work of a paused agent would never finish by itself."""
    if shutdown_type is ShutdownType.GRACEFUL:
        return status == AgentStatus.PAUSED
    return shutdown_type is not ShutdownType.SCHEDULED


def awaited_by(shutdown_type: ShutdownType | None, work: Iterable[ActiveWork]) -> list[ActiveWork]:
    """Return the part of an agent's work that a stop of that type waits for: what runs, or all that needs it."""
    return [one for one in work if shutdown_type is ShutdownType.SCHEDULED or one.place == "running"]
