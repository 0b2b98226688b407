"""What routers ask for: the bus of this process, and hints to list readers."""

import asyncio
from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Request

from automatos.durable.types import EventBus
from automatos.kernel.services import services_of

AFTER_COMMIT_S = 0.05


class DurableServices(Protocol):
    """What is needed of the process."""

    @property
    def bus(self) -> EventBus:
        """What tells of events."""
        ...


async def get_bus(request: Request) -> EventBus:
    """Return this process's bus."""
    return services_of(request, DurableServices).bus


BusDep = Annotated[EventBus, Depends(get_bus)]


class Hinter:
    """Tells list readers to fetch again, a moment after the request, so that its commit comes first."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus

    def changed(self, workspace_id: UUID, topic: str) -> None:
        """Hint that a list of a workspace changed."""
        asyncio.get_running_loop().call_later(AFTER_COMMIT_S, self._bus.hint, workspace_id, topic)


async def get_hinter(bus: BusDep) -> Hinter:
    """Return a sender of hints."""
    return Hinter(bus)


Hints = Annotated[Hinter, Depends(get_hinter)]
