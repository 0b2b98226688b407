"""What other routers ask for: the tools of this process."""

from typing import Annotated

from fastapi import Depends, Request

from automatos.tools.types import ToolCatalogue


async def get_catalogue(request: Request) -> ToolCatalogue:
    """Return which tools exist here; the app was assembled with its toolbox."""
    return request.app.state.toolbox


AppTools = Annotated[ToolCatalogue, Depends(get_catalogue)]
