"""Routes: recipes and what they have cooked."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Path, Query, Response, status

from automatos.agents.deps import AgentReadiness
from automatos.durable.deps import BusDep, Hints
from automatos.kernel.errors import StaleEdit
from automatos.kernel.etags import etag, read_versions
from automatos.kernel.openapi import problems
from automatos.recipes import errors, run_schemas, runs_view, schemas, service
from automatos.recipes.apply import apply_file
from automatos.recipes.deps import IdempotencyKey, RunsHereDep
from automatos.recipes.export import export_file
from automatos.recipes.models import Recipe, RecipeVersion
from automatos.recipes.start import start_execution
from automatos.recipes.types import ExecutionStatus
from automatos.workspaces.deps import (
    AllWorkspacesReader,
    AppDatabase,
    CurrentCaller,
    Editor,
    ReadingSession,
    Session,
)
from automatos.workspaces.service import PlanLimitReached
from automatos.workspaces.types import Caller

router = APIRouter(prefix="/api/workflow-recipes", tags=["recipes"])
Template = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[\x20-\x7e]+$")]
IfMatch = Annotated[str | None, Header(max_length=1000)]
NotThere = problems(errors.RecipeNotFound)


@router.get("")
async def list_recipes(
    caller: AllWorkspacesReader, session: ReadingSession,
    search: Annotated[str | None, Query(max_length=200)] = None,
    tag: Annotated[str | None, Query(max_length=50)] = None, skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 50,
) -> schemas.RecipeList:
    """List the workspace's recipes, most recently changed first; system admins may name `__all__` as the workspace."""
    items, total = await service.list_recipes(
        session, caller.reach, search=search, tag=tag, skip=skip, limit=limit)
    return schemas.RecipeList(items=items, total=total, skip=skip, limit=limit)


@router.post("", status_code=status.HTTP_201_CREATED, responses=problems(
    errors.RecipeInvalid, errors.TemplateIdTaken, PlanLimitReached))
async def create_recipe(
    body: schemas.RecipeCreate, caller: Editor, session: Session, hints: Hints, response: Response
) -> schemas.RecipeOut:
    """Add a recipe; an unknown placeholder or agent is refused with its position."""
    recipe = await service.create_recipe(session, caller, body)
    hints.changed(caller.workspace_id, service.HINT_TOPIC)
    return await _shown(session, caller, recipe, response)


@router.post("/validate", response_model_exclude_none=True, responses=problems())
async def validate_recipe(body: schemas.RecipeBody, caller: CurrentCaller, session: Session) -> schemas.Verdict:
    """Check a definition and list every fault of it; nothing is saved."""
    faults = await service.check(session, caller.workspace_id, body)
    return schemas.Verdict.model_validate({"is_valid": not faults, "faults": faults})


@router.post("/apply", responses=problems(errors.RecipeInvalid, PlanLimitReached))
async def apply_recipe_file(
    body: schemas.RecipeFile, caller: Editor, session: Session, readiness: AgentReadiness, hints: Hints
) -> schemas.Applied:
    """Create or update the agents and the recipe of a recipe file; applied again it changes nothing."""
    applied = await apply_file(session, caller, body, readiness)
    hints.changed(caller.workspace_id, service.HINT_TOPIC)
    hints.changed(caller.workspace_id, "agents")
    return applied


@router.get("/{template_id}", responses=NotThere)
async def get_recipe(
    template_id: Template, caller: CurrentCaller, session: Session, response: Response
) -> schemas.RecipeOut:
    """Return one recipe; its ETag is its version."""
    recipe = await service.get_recipe(session, caller.workspace_id, template_id)
    return await _shown(session, caller, recipe, response)


@router.put("/{template_id}", responses=problems(errors.RecipeNotFound, errors.RecipeInvalid, StaleEdit))
async def update_recipe(
    template_id: Template, body: schemas.RecipeUpdate, caller: Editor, session: Session, hints: Hints,
    response: Response, if_match: IfMatch = None,
) -> schemas.RecipeOut:
    """Save a recipe's next version; with `If-Match`, only if nobody else saved since."""
    recipe = await service.update_recipe(session, caller, template_id, body, expected=read_versions(if_match))
    hints.changed(caller.workspace_id, service.HINT_TOPIC)
    return await _shown(session, caller, recipe, response)


@router.delete("/{template_id}", status_code=status.HTTP_204_NO_CONTENT, responses=problems(
    errors.RecipeNotFound, errors.RecipeNeeded))
async def delete_recipe(template_id: Template, caller: Editor, session: Session, hints: Hints) -> None:
    """Remove a recipe; its executions stay readable."""
    await service.delete_recipe(session, caller, template_id)
    hints.changed(caller.workspace_id, service.HINT_TOPIC)


@router.get("/{template_id}/export", response_class=Response,
            responses={200: {"content": {"application/yaml": {"schema": {"$ref": "#/components/schemas/RecipeFile"}}}},
                       **NotThere})
async def export_recipe(template_id: Template, caller: CurrentCaller, session: Session) -> Response:
    """Return the recipe and its agents as a YAML file that apply takes; it holds no secret."""
    recipe = await service.get_recipe(session, caller.workspace_id, template_id)
    return Response(await export_file(session, recipe), media_type="application/yaml", headers={
        "Content-Disposition": f'attachment; filename="recipe-{recipe.template_id}.yaml"',
        "ETag": etag(recipe.version)})


@router.get("/{template_id}/versions", responses=NotThere)
async def list_recipe_versions(template_id: Template, caller: CurrentCaller, session: Session) -> schemas.VersionList:
    """List a recipe's saved versions, newest first."""
    rows = await service.list_versions(session, caller.workspace_id, template_id)
    return schemas.VersionList(items=[schemas.VersionOut.model_validate(row) for row in rows], total=len(rows))


@router.get("/{template_id}/versions/{version}", response_model=schemas.VersionOut, responses=NotThere)
async def get_recipe_version(
    template_id: Template, version: Annotated[int, Path(ge=1, le=2**31 - 1)], caller: CurrentCaller, session: Session
) -> RecipeVersion:
    """Return one saved version of a recipe."""
    return await service.get_version(session, caller.workspace_id, template_id, version)


@router.post(
    "/{template_id}/execute", status_code=status.HTTP_202_ACCEPTED,
    responses=problems(errors.RecipeNotFound, errors.RecipeNotReady, errors.InputsInvalid, errors.IdempotencyKeyReused),
)
async def execute_recipe(
    template_id: Template, body: schemas.ExecutionStart, caller: Editor, database: AppDatabase, bus: BusDep,
    readiness: AgentReadiness, here: RunsHereDep, idempotency_key: IdempotencyKey = None,
) -> schemas.Started:
    """Queue one execution of a recipe; follow it on its `/events` stream."""
    accepted = await start_execution(
        database, bus, readiness.models, caller, template_id, body.input_data, idempotency_key, here)
    return schemas.Started.of(accepted, template_id, caller.workspace_id)


@router.get("/{template_id}/executions", responses=NotThere)
async def list_recipe_runs(
    template_id: Template, caller: CurrentCaller, session: Session,
    status: Annotated[ExecutionStatus | None, Query()] = None, skip: Annotated[int, Query(ge=0, le=1_000_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
) -> run_schemas.ExecutionPage:
    """List a recipe's executions, newest first."""
    await service.get_recipe(session, caller.workspace_id, template_id)
    items, total = await runs_view.page(
        session, caller.workspace_id, status=status, recipe=template_id, skip=skip, limit=limit)
    return run_schemas.ExecutionPage(items=items, total=total.count, is_total_exact=total.is_exact, skip=skip,
                                     limit=limit, recipe_id=template_id)


@router.get("/{template_id}/executions/{run_id}", responses=problems(errors.ExecutionNotFound))
async def get_recipe_run(
    template_id: Template, run_id: UUID, caller: CurrentCaller, session: Session, database: AppDatabase
) -> run_schemas.RunOut:
    """Return one execution of a recipe with its steps and turns."""
    run = await runs_view.show(session, database, caller.workspace_id, run_id)
    if run.recipe_id != template_id:
        raise errors.ExecutionNotFound(run_id)
    return run


@router.post("/{template_id}/executions/{run_id}/cancel", status_code=status.HTTP_202_ACCEPTED,
             responses=problems(errors.ExecutionNotFound, errors.ExecutionOver))
async def cancel_recipe_run(
    template_id: Template, run_id: UUID, caller: Editor, session: Session, database: AppDatabase, bus: BusDep
) -> run_schemas.Cancelling:
    """Cancel an execution; whoever works on it stops within two seconds."""
    await get_recipe_run(template_id, run_id, caller, session, database)
    await runs_view.cancel_execution(database, bus, caller, run_id)
    return run_schemas.Cancelling.of(run_id)


async def _shown(session: Session, caller: Caller, recipe: Recipe, response: Response) -> schemas.RecipeOut:
    response.headers["ETag"] = etag(recipe.version)
    return (await service.present(session, caller.workspace_id, [recipe]))[0]
