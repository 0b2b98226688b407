"""A recipe as a file: what `apply` takes, with the agents that such a file can say whole."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.types import AgentRef
from automatos.recipes.definition import agent_of
from automatos.recipes.models import Recipe
from automatos.recipes.schemas import FileStep

STEP_FIELDS = tuple(name for name in FileStep.model_fields if name not in {"agent", "order"})


async def export_file(session: AsyncSession, recipe: Recipe) -> str:
    """Return a recipe as a YAML file; applied in its own workspace it changes nothing. It holds no secret.

    An agent with a persona of the library or with skills is named by its steps and not written out: it must be there
    where the file is applied, and has an export of its own.
    """
    steps = sorted(recipe.steps, key=lambda step: int(str(step["order"])))
    wanted = list(dict.fromkeys(agent_id for step in steps if (agent_id := agent_of(step))))
    known = await agents.describe(session, recipe.workspace_id, wanted)
    definitions: list[dict[str, Any]] = []
    for agent_id in wanted:
        if known[agent_id].status is None:
            continue
        agent = await agents.get_agent(session, recipe.workspace_id, agent_id)
        if definition := await agents.definition_in_recipe_file(session, agent):
            definitions.append(definition)
    written = {
        "template_id": recipe.template_id, "name": recipe.name, "description": recipe.description,
        "tags": recipe.tags, "inputs": {name: _input(spec) for name, spec in recipe.inputs.items()},
        "outputs": recipe.outputs, "execution_config": recipe.execution_config,
        "steps": [_step(step, known) for step in steps],
    }
    return agents.write_yaml([{"kind": "Recipe", "agents": definitions, "recipe": written}])


def _input(spec: Any) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if value is not None}


def _step(step: Mapping[str, Any], known: Mapping[int, AgentRef]) -> dict[str, Any]:
    given = {name: step[name] for name in STEP_FIELDS if step.get(name) not in (None, "")}
    agent = {"agent": known[agent_id].name} if (agent_id := agent_of(step)) else {}
    return {"step_id": given.pop("step_id"), **agent, **given}
