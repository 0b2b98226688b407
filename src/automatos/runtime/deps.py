"""What routers ask for: agents of the caller's workspace, made ready without running."""

from typing import Annotated, Protocol
from uuid import UUID

from fastapi import Depends, Request

from automatos.kernel.services import services_of
from automatos.llm.service import ModelClient
from automatos.runtime.assembled import Assembler
from automatos.runtime.types import SkillLoader
from automatos.tools.service import Toolbox
from automatos.workspaces.deps import AppDatabase, CurrentCaller


class RuntimeServices(Protocol):
    """What is needed of the process."""

    models: ModelClient
    toolbox: Toolbox

    def skill_loader_of(self, workspace_id: UUID) -> SkillLoader:
        """Return what gives the skills of a workspace to its agents' runs."""
        ...


async def get_assembler(request: Request, database: AppDatabase, caller: CurrentCaller) -> Assembler:
    """Return what puts the prompts of the caller's workspace together."""
    services, workspace_id = services_of(request, RuntimeServices), caller.workspace_id
    return Assembler(database, services.models, services.toolbox, services.skill_loader_of(workspace_id), workspace_id)


AppAssembler = Annotated[Assembler, Depends(get_assembler)]
