"""What routers ask for: agents of the caller's workspace, made ready without running."""

from typing import Annotated

from fastapi import Depends, Request

from automatos.runtime.assembled import Assembler
from automatos.workspaces.deps import AppDatabase, CurrentCaller


async def get_assembler(request: Request, database: AppDatabase, caller: CurrentCaller) -> Assembler:
    """Return what puts the prompts of the caller's workspace together."""
    state = request.app.state
    return Assembler(database, state.models, state.toolbox, state.shelf_of(caller.workspace_id), caller.workspace_id)


AppAssembler = Annotated[Assembler, Depends(get_assembler)]
