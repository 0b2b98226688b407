"""What routers ask for: who counts the agents of a persona."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from automatos.kernel.services import services_of
from automatos.personas.types import AgentsOfPersonas


class PersonaServices(Protocol):
    """What is needed of the process."""

    agents_of_personas: AgentsOfPersonas


async def get_agents_of_personas(request: Request) -> AgentsOfPersonas:
    """Return what a higher package handed down to count agents by their persona."""
    return services_of(request, PersonaServices).agents_of_personas


AgentCounts = Annotated[AgentsOfPersonas, Depends(get_agents_of_personas)]
