"""Routes: an agent's model settings at their second published address, the same functions as at the first."""

from fastapi import APIRouter

from automatos.agents import part_schemas
from automatos.agents.errors import AgentNotFound, AgentNotReady
from automatos.agents.parts_router import get_model_config, put_model_config
from automatos.kernel.errors import StaleEdit
from automatos.kernel.openapi import problems

router = APIRouter(prefix="/api/models/agents/{agent_id}", tags=["agents"])
router.get("/config", response_model=part_schemas.AgentModelConfig, name="get_agent_model_config",
           responses=problems(AgentNotFound))(get_model_config)
router.put("/config", response_model=part_schemas.AgentModelConfig, name="put_agent_model_config",
           responses=problems(AgentNotFound, AgentNotReady, StaleEdit))(put_model_config)
