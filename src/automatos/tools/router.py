"""Routes: what agents can be granted."""

from fastapi import APIRouter

from automatos.tools import schemas
from automatos.tools.deps import AppTools
from automatos.workspaces.deps import CurrentCaller

router = APIRouter(prefix="/api/tools", tags=["tools"])


@router.get("/builtin", response_model=schemas.BuiltinTools)
async def list_builtin_tools(caller: CurrentCaller, tools: AppTools) -> schemas.BuiltinTools:
    """List the built-in tools with the JSON Schema of their arguments, and why one is off on this server."""
    del caller
    items = [schemas.BuiltinTool.model_validate(tool) for tool in tools.available()]
    return schemas.BuiltinTools(items=items, total=len(items))
