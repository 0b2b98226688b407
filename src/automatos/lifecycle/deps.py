"""What routers ask for: what a change of an agent's status needs of this process."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends

from automatos.agents.deps import AgentReadiness
from automatos.agents.service import Readiness
from automatos.durable.deps import BusDep
from automatos.durable.types import EventBus
from automatos.kernel.db import Database
from automatos.workspaces.deps import AppDatabase


@dataclass(frozen=True, slots=True)
class LifecycleDeps:
    """The checks before work, the database that workers are told through, and the bus that tells readers."""

    readiness: Readiness
    database: Database
    bus: EventBus


async def get_lifecycle_deps(readiness: AgentReadiness, database: AppDatabase, bus: BusDep) -> LifecycleDeps:
    """Return what a change of an agent's status needs of this process."""
    return LifecycleDeps(readiness, database, bus)


Lifecycle = Annotated[LifecycleDeps, Depends(get_lifecycle_deps)]
