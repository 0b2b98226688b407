"""A recipe as a file: what `apply` takes, with the agents that such a file can say whole."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.recipes.models import Recipe
from automatos.recipes.schemas import FileStep

STEP_FIELDS = tuple(name for name in FileStep.model_fields if name != "agent")


async def export_file(session: AsyncSession, recipe: Recipe) -> str:
    """Return a recipe as a YAML file; applied in its own workspace it changes nothing. It holds no secret.

    An agent with a persona of the library or with skills is named by its steps and not written out: it must be there
    where the file is applied, and has an export of its own.
    """
    steps = sorted(recipe.steps, key=lambda step: int(str(step["order"])))
    known = await agents.describe(session, recipe.workspace_id, {int(str(step["agent_id"])) for step in steps})
    definitions: list[dict[str, Any]] = []
    for agent_id in dict.fromkeys(int(str(step["agent_id"])) for step in steps):
        if known[agent_id].status is None:
            continue
        agent = await agents.get_agent(session, recipe.workspace_id, agent_id)
        if definition := await agents.definition_in_recipe_file(session, agent):
            definitions.append(definition)
    written = {
        "template_id": recipe.template_id, "name": recipe.name, "description": recipe.description,
        "tags": recipe.tags, "inputs": {name: _input(spec) for name, spec in recipe.inputs.items()},
        "outputs": recipe.outputs, "execution_config": recipe.execution_config,
        "steps": [_step(step, known[int(str(step["agent_id"]))].name) for step in steps],
    }
    return agents.write_yaml([{"kind": "Recipe", "agents": definitions, "recipe": written}])


def _input(spec: Any) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if value is not None}


def _step(step: Mapping[str, Any], agent: str) -> dict[str, Any]:
    given = {name: step[name] for name in STEP_FIELDS if step.get(name) is not None}
    return {"step_id": given.pop("step_id"), "agent": agent, **given}
