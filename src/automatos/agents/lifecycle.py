"""What a change of an agent's status asks and tells: handed down by the assembly, the same for every verb."""

from collections.abc import Sequence
from dataclasses import dataclass

from automatos.agents.readiness import Readiness
from automatos.agents.types import AgentWork, Cleaner, Dependents
from automatos.durable.types import EventBus


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The checks before work, the work itself, who depends on agents, who cleans up after them, and the bus."""

    readiness: Readiness
    work: AgentWork
    dependents: Sequence[Dependents]
    cleaners: Sequence[Cleaner]
    bus: EventBus
