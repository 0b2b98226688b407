"""What other routers ask for: the tools of this process."""

from typing import Annotated, Protocol

from fastapi import Depends, Request

from automatos.kernel.services import services_of
from automatos.tools.types import ToolCatalogue


class ToolServices(Protocol):
    """What is needed of the process."""

    @property
    def toolbox(self) -> ToolCatalogue:
        """The tools of this process."""
        ...


async def get_catalogue(request: Request) -> ToolCatalogue:
    """Return which tools exist here; the app was assembled with its toolbox."""
    return services_of(request, ToolServices).toolbox


AppTools = Annotated[ToolCatalogue, Depends(get_catalogue)]
