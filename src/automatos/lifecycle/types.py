"""Words of lifecycle: what is confirmed, how a change of status is asked for, and the jobs that stops wait in."""

from dataclasses import dataclass
from enum import StrEnum

from automatos.agents.types import AgentStatus, ShutdownType
from automatos.durable.types import Job

STOP_AGENT = Job("agents.stop")
INTERRUPT_AGENT = Job("agents.interrupt")


class Confirmation(StrEnum):
    """An effect of a change of status that somebody has to confirm."""

    WORKFLOWS = "acknowledge_workflow_impact"
    QUEUE = "acknowledge_queue_impact"
    DEPENDENCIES = "acknowledge_dependency_impact"
    PERFORMANCE = "acknowledge_performance_impact"  # still taken from clients; nothing asks for it
    SHUTDOWN = "confirm_shutdown"


@dataclass(frozen=True, slots=True)
class StatusOrder:
    """A change of status as somebody asks for it, with what they confirm; graceful where a stop names no type."""

    status: AgentStatus
    shutdown_type: ShutdownType | None = None
    confirmations: frozenset[Confirmation] = frozenset()
    impact_token: str | None = None
