"""Recipe files: a recipe and its agents in one document, applied as often as one likes."""

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.service import Readiness
from automatos.recipes import service
from automatos.recipes.errors import RecipeInvalid
from automatos.recipes.queries import definitions as queries
from automatos.recipes.schemas import Applied, AppliedAgent, RecipeCreate, RecipeFile, RecipeUpdate
from automatos.workspaces.service import hold_room
from automatos.workspaces.types import Caller


async def apply_file(session: AsyncSession, caller: Caller, file: RecipeFile, readiness: Readiness) -> Applied:
    """Make the workspace's agents and recipe as the file says, all or nothing; applied again it changes nothing.

    Raises:
        RecipeInvalid: a step names an agent that is neither in the file nor in the workspace, or the recipe has faults.
        agents.errors: an agent of the file cannot be as the file says.
    """
    await hold_room(session, caller.workspace_id)
    done: list[AppliedAgent] = []
    for definition in file.agents:
        agent_id, action = await agents.upsert_from_file(session, caller, definition, readiness)
        done.append(AppliedAgent.model_validate({"id": agent_id, "name": definition.name, "action": action}))
    ids = await _agent_ids(session, caller, file, {agent.name.lower(): agent.id for agent in done})
    content = file.recipe.model_dump(exclude={"steps", "template_id"}, by_alias=True) | {
        "steps": [
            step.as_given(place, ids[step.agent.lower()] if step.agent else None)
            for place, step in enumerate(file.recipe.steps, start=1)
        ]
    }
    existing = await queries.find_recipe(session, caller.workspace_id, file.recipe.template_id)
    if existing is None:
        body = RecipeCreate.model_validate(content | {"template_id": file.recipe.template_id})
        recipe = await service.create_recipe(session, caller, body)
        action = "created"
    else:
        before = existing.version
        recipe = await service.update_recipe(
            session, caller, file.recipe.template_id, RecipeUpdate.model_validate(content))
        action = "unchanged" if recipe.version == before else "updated"
    shown = (await service.present(session, caller.workspace_id, [recipe]))[0]
    return Applied.model_validate({"recipe": shown, "agents": done, "action": action})


async def _agent_ids(
    session: AsyncSession, caller: Caller, file: RecipeFile, known: dict[str, int]
) -> dict[str, int]:
    """Return the id of every agent the steps name, from the file first and the workspace second."""
    faults = []
    for place, step in enumerate(file.recipe.steps):
        if step.agent and (name := step.agent.lower()) not in known:
            agent_id = await agents.find_id_by_name(session, caller.workspace_id, step.agent)
            if agent_id is None:
                faults.append({"where": f"recipe.steps[{place}].agent", "message": f"there is no agent {step.agent!r}"})
            else:
                known[name] = agent_id
    if faults:
        raise RecipeInvalid(faults)
    return known
