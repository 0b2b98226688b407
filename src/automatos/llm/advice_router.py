"""HTTP of advice about models: which fit a task, what a call costs, whether one answers, what there is."""

from typing import Annotated

from fastapi import APIRouter, Path

from automatos.credentials.errors import UnknownProvider
from automatos.kernel.openapi import problems
from automatos.llm import advice, answers, bodies, estimate, figures, queries, schemas, trial
from automatos.llm.errors import ModelAmbiguous, UnknownModel, UnknownTask
from automatos.llm.parts import AppKeyring, AppModels
from automatos.settings.types import GENERAL_CATEGORY, SERVICE_CATEGORIES
from automatos.workspaces.deps import AppDatabase, CurrentCaller, Editor, Session

router = APIRouter(prefix="/api/models", tags=["models"])

Task = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,49}$")]


@router.post("/recommend")
async def recommend_models(
    body: bodies.ModelNeeds, caller: CurrentCaller, session: Session, keyring: AppKeyring
) -> answers.RecommendationList:
    """Rank the models of the catalogue for a task, those that the workspace can ask now first, each with its reason."""
    configured = await keyring.configured_providers(caller.workspace_id)
    models = await queries.list_models(session, None, None)
    return advice.recommend(models, body, frozenset(configured))


@router.post("/estimate-cost", responses=problems(UnknownModel, ModelAmbiguous, UnknownProvider))
async def estimate_cost(
    body: bodies.CostQuestion, caller: CurrentCaller, session: Session, models: AppModels
) -> answers.CostEstimate:
    """Tell what so many tokens of a model cost; unknown prices are null."""
    return await estimate.estimate_cost(session, models, body)


@router.get("/by-task/{task}", responses=problems(UnknownTask))
async def list_models_for_task(task: Task, caller: CurrentCaller, session: Session) -> schemas.ModelsForTask:
    """List the active models that are recommended for a kind of task."""
    found = advice.models_for(await queries.list_models(session, None, "active"), task)
    items = [schemas.Model.model_validate(model) for model in found]
    return schemas.ModelsForTask(task=task, items=items, total=len(items), tasks=advice.task_names())


@router.get("/stats")
async def summarise_catalogue(caller: CurrentCaller, session: Session, keyring: AppKeyring) -> answers.CatalogueFigures:
    """Tell in numbers what the catalogue holds."""
    configured = await keyring.configured_providers(caller.workspace_id)
    return figures.summarise(await queries.list_models(session, None, None), frozenset(configured))


@router.get("/service-categories")
async def list_service_categories(caller: CurrentCaller) -> schemas.ServiceCategoryList:
    """Tell which category of settings each part of the product reads its model from."""
    items = [schemas.ServiceCategory(service=each, category=category) for each, category in SERVICE_CATEGORIES.items()]
    return schemas.ServiceCategoryList(items=items, total=len(items), default_category=GENERAL_CATEGORY)


@router.post("/test", responses=problems(UnknownProvider))
async def test_model(
    body: bodies.ModelTrial, caller: Editor, database: AppDatabase, models: AppModels
) -> answers.TrialResult:
    """Ask a model for one word, at its price; a refusal is a result, not an error."""
    return await trial.try_model(database, models, caller.workspace_id, body)
