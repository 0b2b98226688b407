"""What routers ask for: what decides whether an agent can work, who may depend on one, what ends its work."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Depends, Request

from automatos.agents.lifecycle import Lifecycle
from automatos.agents.readiness import Readiness
from automatos.agents.types import AgentWork, Dependents
from automatos.durable.deps import BusDep
from automatos.tools.deps import AppTools


async def get_readiness(request: Request, tools: AppTools) -> Readiness:
    """Return the checks an agent passes before it is active."""
    return Readiness(request.app.state.models, tools)


async def get_dependents(request: Request) -> Sequence[Dependents]:
    """Return everything that higher rooms registered as knowing who depends on an agent."""
    return request.app.state.agent_dependents


AgentReadiness = Annotated[Readiness, Depends(get_readiness)]
AgentDependents = Annotated[Sequence[Dependents], Depends(get_dependents)]


async def get_agent_work(request: Request) -> AgentWork:
    """Return what higher rooms know of the work agents do, and can do about it."""
    return request.app.state.agent_work


AgentWorkDep = Annotated[AgentWork, Depends(get_agent_work)]


async def get_lifecycle(
    request: Request, readiness: AgentReadiness, work: AgentWorkDep, dependents: AgentDependents, bus: BusDep
) -> Lifecycle:
    """Return everything that a change of an agent's status asks and tells."""
    return Lifecycle(readiness, work, tuple(dependents), tuple(request.app.state.agent_cleaners), bus)


AgentLifecycle = Annotated[Lifecycle, Depends(get_lifecycle)]
