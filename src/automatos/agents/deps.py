"""What routers ask for: what decides whether an agent can work."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request

from automatos.kernel.services import services_of
from automatos.llm.service import ModelClient
from automatos.tools.deps import AppTools
from automatos.tools.types import ToolCatalogue


@dataclass(frozen=True, slots=True)
class Readiness:
    """Who knows which models can be asked and which tools work here."""

    models: ModelClient
    tools: ToolCatalogue


class AgentServices(Protocol):
    """What is needed of the process."""

    models: ModelClient


async def get_readiness(request: Request, tools: AppTools) -> Readiness:
    """Return the checks an agent passes before it is active."""
    return Readiness(services_of(request, AgentServices).models, tools)


AgentReadiness = Annotated[Readiness, Depends(get_readiness)]
