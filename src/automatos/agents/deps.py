"""What routers ask for: what decides whether an agent can work, and who may depend on one."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request

from automatos.agents.readiness import Readiness
from automatos.agents.types import Dependents
from automatos.tools.deps import AppTools


async def get_readiness(request: Request, tools: AppTools) -> Readiness:
    """Return the checks an agent passes before it is active."""
    return Readiness(request.app.state.models, tools)


async def get_dependents(request: Request) -> Sequence[Dependents]:
    """Return everything that higher rooms registered as knowing who depends on an agent."""
    return request.app.state.agent_dependents


AgentReadiness = Annotated[Readiness, Depends(get_readiness)]
AgentDependents = Annotated[Sequence[Dependents], Depends(get_dependents)]
