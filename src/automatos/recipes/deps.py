"""What routers ask for: what begins runs in the process that accepts them."""

from typing import Annotated

from fastapi import Depends, Header, Request

from automatos.recipes.types import LocalBeginning


async def get_runs_here(request: Request) -> LocalBeginning | None:
    """Return what begins runs in this process; None in one that does not work."""
    return request.app.state.runs_here


RunsHereDep = Annotated[LocalBeginning | None, Depends(get_runs_here)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200, pattern=r"^[\x21-\x7e]+$")]
