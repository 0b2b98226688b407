"""What routers ask for: what begins runs in the process that accepts them."""

from typing import Annotated, Protocol

from fastapi import Depends, Header, Request

from automatos.kernel.services import services_of
from automatos.recipes.types import LocalBeginning


class RecipeServices(Protocol):
    """What is needed of the process."""

    @property
    def runs_here(self) -> LocalBeginning | None:
        """What begins runs in this process; None in one that does not work."""
        ...


async def get_runs_here(request: Request) -> LocalBeginning | None:
    """Return what begins runs in this process; None in one that does not work."""
    return services_of(request, RecipeServices).runs_here


RunsHereDep = Annotated[LocalBeginning | None, Depends(get_runs_here)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
