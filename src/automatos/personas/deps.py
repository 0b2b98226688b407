"""What routers ask for: who counts the agents of a persona."""

from typing import Annotated

from fastapi import Depends, Request

from automatos.personas.types import AgentsOfPersonas


async def get_agents_of_personas(request: Request) -> AgentsOfPersonas:
    """Return what a higher room handed down to count agents by their persona."""
    return request.app.state.agents_of_personas


AgentCounts = Annotated[AgentsOfPersonas, Depends(get_agents_of_personas)]
