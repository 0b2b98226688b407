"""Verbs of recipes: list, create, change, remove, check."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.agents import service as agents
from automatos.agents.types import AgentRef
from automatos.kernel.errors import StaleEdit
from automatos.recipes.agent_work import agents_after_agent, dependents_of_agent, history_of_agent, work_of_agent
from automatos.recipes.calls import call_faults, recipes_called
from automatos.recipes.definition import MAX_FAULTS, Fault, agent_of, faults_of, given_step, patterns_named
from automatos.recipes.errors import RecipeInvalid, RecipeNeeded, RecipeNotFound, TemplateIdTaken
from automatos.recipes.folders import unfinished_executions
from automatos.recipes.models import Recipe, RecipeExecution, RecipeVersion
from automatos.recipes.queries import definitions as queries
from automatos.recipes.queries import nested
from automatos.recipes.schemas import Flow, LastRun, RecipeBody, RecipeCreate, RecipeOut, StepOut
from automatos.recipes.tasks import start_task
from automatos.recipes.types import JsonObject, Step
from automatos.recipes.watched import (
    Ending,
    ending_of,
    recipes_changed_since,
    recipes_fingerprint,
    runs_ended_since,
    runs_fingerprint,
    started_by,
)
from automatos.skills.service import words_of_patterns
from automatos.workspaces.service import PlanLimit, require_room, write_audit
from automatos.workspaces.types import Caller

__all__ = ["Ending", "agents_after_agent", "check", "create_recipe", "delete_recipe", "dependents_of_agent",
           "ending_of", "get_recipe", "get_version", "history_of_agent", "list_recipes", "list_versions",
           "present", "recipes_changed_since", "recipes_fingerprint", "runs_ended_since", "runs_fingerprint",
           "start_task", "started_by", "unfinished_executions", "update_recipe", "work_of_agent"]
HINT_TOPIC = "recipes"
COMPUTED = {"steps", "last_run", "use_count", "last_used_at"}


async def list_recipes(
    session: AsyncSession, workspace_id: UUID | None, *, search: str | None, tag: str | None, skip: int, limit: int
) -> tuple[list[RecipeOut], int]:
    """Return one page of the workspace's recipes, each with its agents and how it last ended; five queries at most.

    Without a workspace they are those of every workspace that the session may see.
    """
    rows, total = await queries.list_recipes(session, workspace_id, search=search, tag=tag, skip=skip, limit=limit)
    return await present(session, workspace_id, rows), total


async def get_recipe(session: AsyncSession, workspace_id: UUID, template_id: str) -> Recipe:
    """Return a recipe; raises RecipeNotFound."""
    recipe = await queries.find_recipe(session, workspace_id, template_id)
    if recipe is None:
        raise RecipeNotFound(template_id)
    return recipe


async def create_recipe(session: AsyncSession, caller: Caller, body: RecipeCreate) -> Recipe:
    """Add a recipe with its first version.

    Raises:
        RecipeInvalid: the definition has faults; names each with its place.
        TemplateIdTaken: the workspace has a recipe of that template_id.
        PlanLimitReached: the workspace has as many recipes as it may.
    """
    await _refuse_faults(session, caller.workspace_id, body, body.template_id)
    await require_room(session, caller.workspace_id, PlanLimit.RECIPES,
                       lambda: queries.count_recipes(session, caller.workspace_id))
    values = _values(body)
    recipe = Recipe(workspace_id=caller.workspace_id, template_id=body.template_id, created_by=caller.actor, version=1,
                    **values)
    if not await queries.add_recipe(session, recipe, _version(caller, 0, 1, values)):
        raise TemplateIdTaken(body.template_id)
    await _audit(session, caller, "recipe.created", body.template_id, 1)
    return await get_recipe(session, caller.workspace_id, body.template_id)


async def update_recipe(
    session: AsyncSession, caller: Caller, template_id: str, body: RecipeBody, *, expected: frozenset[int] | None = None
) -> Recipe:
    """Save a recipe's next version and return it; saving what is already stored changes nothing.

    Raises:
        RecipeNotFound, RecipeInvalid: as their names say.
        StaleEdit: somebody else saved first; carries what is stored.
    """
    recipe = await get_recipe(session, caller.workspace_id, template_id)
    if expected is not None and recipe.version not in expected:
        raise await _stale(session, recipe)
    await _refuse_faults(session, caller.workspace_id, body, template_id)
    values = _values(body)
    if _is_stored(recipe, values):
        return recipe
    version = await queries.update_recipe(session, caller.workspace_id, template_id, recipe.version, values)
    if version is None:
        raise await _stale(session, recipe)
    await queries.add_version(session, _version(caller, recipe.id, version, values))
    await _audit(session, caller, "recipe.updated", template_id, version)
    await session.refresh(recipe)
    return recipe


async def delete_recipe(session: AsyncSession, caller: Caller, template_id: str) -> None:
    """Remove a recipe; what it has cooked stays readable, what it is cooking goes on.

    Raises:
        RecipeNeeded: a step of another recipe runs it.
        RecipeNotFound: as its name says.
    """
    if others := await nested.recipes_that_run(session, caller.workspace_id, template_id):
        raise RecipeNeeded(template_id, others)
    if not await queries.delete_recipe(session, caller.workspace_id, template_id):
        raise RecipeNotFound(template_id)
    await _audit(session, caller, "recipe.deleted", template_id, 0)


async def list_versions(session: AsyncSession, workspace_id: UUID, template_id: str) -> Sequence[RecipeVersion]:
    """Return a recipe's versions, newest first."""
    recipe = await get_recipe(session, workspace_id, template_id)
    return await queries.list_versions(session, workspace_id, recipe.id)


async def get_version(session: AsyncSession, workspace_id: UUID, template_id: str, version: int) -> RecipeVersion:
    """Return one version of a recipe; raises RecipeNotFound for the version too."""
    recipe = await get_recipe(session, workspace_id, template_id)
    found = await queries.find_version(session, workspace_id, recipe.id, version)
    if found is None:
        raise RecipeNotFound(f"{template_id} version {version}")
    return found


async def check(
    session: AsyncSession, workspace_id: UUID, body: RecipeBody, template_id: str | None = None, *, lock: bool = False
) -> list[Fault]:
    """Return the faults of a definition, which is that of the recipe `template_id` where that is known.

    An empty list means it could be saved. With `lock` none of its agents can be deleted before the caller's
    transaction ends.
    """
    wanted = {step.agent_id for step in body.steps if step.agent_id}
    known = await agents.describe(session, workspace_id, wanted, lock=lock)
    here = [agent_id for agent_id, ref in known.items() if ref.status is not None]
    inputs: JsonObject = {name: spec.model_dump(mode="json") for name, spec in body.inputs.items()}
    steps = [given_step(step.model_dump()) for step in body.steps]
    patterns = await words_of_patterns(session, workspace_id, patterns_named(steps))
    found = faults_of(steps, inputs, body.stored_outputs, here, patterns)
    called = await recipes_called(session, workspace_id, steps)
    return [*found, *call_faults(steps, called, template_id)][:MAX_FAULTS]


async def present(session: AsyncSession, workspace_id: UUID | None, rows: Sequence[Recipe]) -> list[RecipeOut]:
    """Return recipes as clients see them: agents by name, the last run."""
    wanted = {agent_id for row in rows for step in row.steps if (agent_id := agent_of(step))}
    known = await agents.describe(session, workspace_id, wanted)
    ids = [row.id for row in rows]
    last = await queries.last_executions(session, workspace_id, ids)
    counts = await queries.count_executions(session, workspace_id, ids)
    return [_present(row, known, last.get(row.id), counts.get(row.id, 0)) for row in rows]


def _present(row: Recipe, known: dict[int, AgentRef], last: RecipeExecution | None, use_count: int) -> RecipeOut:
    recipe = RecipeOut.model_validate({
        **{name: getattr(row, name) for name in RecipeOut.model_fields if name not in COMPUTED},
        "use_count": use_count, "last_used_at": last.created_at if last else None,
        "steps": [{**step, "agent": _agent(known.get(agent_of(step)))} for step in row.steps],
        "last_run": LastRun.model_validate(last) if last else None,
    })
    recipe.steps.sort(key=lambda step: step.order)
    return recipe


def _is_stored(recipe: Recipe, values: JsonObject) -> bool:
    """Tell whether a save would change nothing; the order in which people named inputs and outputs counts."""
    return all(getattr(recipe, name) == value for name, value in values.items()) and (
        list(recipe.inputs) == list(values["inputs"]) and list(recipe.outputs) == list(values["outputs"]))


def _agent(ref: AgentRef | None) -> JsonObject | None:
    return {"id": ref.id, "name": ref.name, "status": ref.status or "deleted"} if ref else None


def _values(body: RecipeBody) -> JsonObject:
    steps = sorted((given_step(step.model_dump()) for step in body.steps), key=lambda step: step.order)
    return {
        "name": body.name, "description": body.description, "tags": body.tags,
        "inputs": {name: spec.model_dump(mode="json") for name, spec in body.inputs.items()},
        "outputs": body.stored_outputs,
        "steps": [_stored(step) for step in steps],
        "execution_config": body.execution_config.model_dump(mode="json", exclude={"mode"}, exclude_none=True),
    }


def _stored(step: Step) -> JsonObject:
    """Return a step as it is stored; what makes a recipe more than a line is written only where it is said."""
    values = StepOut.model_validate(step).model_dump(mode="json", exclude={"agent"})
    values["agent_id"] = values["agent_id"] or None
    if values["wait"]:  # as it was stored before there was more to wait for than a time
        values["wait"] = {name: value for name, value in values["wait"].items() if value is not None}
    return {name: value for name, value in values.items() if value is not None or name not in Flow.model_fields}


def _version(caller: Caller, recipe_id: int, version: int, values: JsonObject) -> RecipeVersion:
    return RecipeVersion(recipe_id=recipe_id, version=version, workspace_id=caller.workspace_id, author=caller.actor,
                         definition=values)


async def _refuse_faults(session: AsyncSession, workspace_id: UUID, body: RecipeBody, template_id: str) -> None:
    if faults := await check(session, workspace_id, body, template_id, lock=True):
        raise RecipeInvalid(faults)


async def _stale(session: AsyncSession, recipe: Recipe) -> StaleEdit:
    await session.refresh(recipe)
    shown = (await present(session, recipe.workspace_id, [recipe]))[0].model_dump(mode="json")
    return StaleEdit(
        f"{recipe.name!r} is at version {recipe.version} now. Load it again, redo your change and save.", current=shown)


async def _audit(session: AsyncSession, caller: Caller, action: str, template_id: str, version: int) -> None:
    await write_audit(session, caller, action, target_type="recipe", target_id=template_id, detail={"version": version})
