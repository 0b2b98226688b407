"""What routers ask for: what decides whether an agent can work."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from automatos.llm.service import ModelClient
from automatos.tools.deps import AppTools
from automatos.tools.types import ToolCatalogue


@dataclass(frozen=True, slots=True)
class Readiness:
    """Who knows which models can be asked and which tools work here."""

    models: ModelClient
    tools: ToolCatalogue


async def get_readiness(request: Request, tools: AppTools) -> Readiness:
    """Return the checks an agent passes before it is active."""
    return Readiness(request.app.state.models, tools)


AgentReadiness = Annotated[Readiness, Depends(get_readiness)]
