"""HTTP of the model catalogue and of usage."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from automatos.credentials.service import Keyring, providers_by_name
from automatos.kernel.openapi import problems
from automatos.llm import queries, schemas
from automatos.llm.errors import UnknownModel
from automatos.llm.service import ModelClient
from automatos.workspaces.deps import AllWorkspacesReader, CurrentCaller, ReadingSession, Session

router = APIRouter(prefix="/api")


async def get_model_client(request: Request) -> ModelClient:
    """Return this process's model client."""
    return request.app.state.models


async def get_keyring(request: Request) -> Keyring:
    """Return this process's keyring."""
    return request.app.state.keyring


AppModels = Annotated[ModelClient, Depends(get_model_client)]
AppKeyring = Annotated[Keyring, Depends(get_keyring)]


@router.get("/models", tags=["models"])
async def list_models(
    caller: CurrentCaller, session: Session,
    provider: Annotated[str | None, Query(max_length=100)] = None,
    status: Annotated[str | None, Query(max_length=20)] = "active",
) -> schemas.ModelList:
    """List the models agents may choose, those of one provider if it is named."""
    found = await queries.list_models(session, provider, status)
    return schemas.ModelList(items=[schemas.Model.model_validate(model) for model in found], total=len(found))


@router.get("/models/providers", tags=["models"])
async def list_providers(caller: CurrentCaller, keyring: AppKeyring) -> schemas.ModelProviderList:
    """List every provider, whether the workspace can use it now, and where its key comes from."""
    sources = await keyring.configured_providers(caller.workspace_id)
    items = [
        schemas.ModelProvider(
            name=provider.name, display_name=provider.display_name, configured=provider.name in sources,
            source=sources.get(provider.name), env_variable=provider.env_variable, needs_key=provider.needs_key,
            is_local=provider.is_local, default_base_url=provider.base_url, default_model=provider.default_model,
        )
        for provider in providers_by_name().values() if provider.wire != "demo"
    ]
    return schemas.ModelProviderList(items=items, total=len(items))


@router.get("/models/default", tags=["models"], responses=problems(UnknownModel))
async def read_default(caller: CurrentCaller, models: AppModels) -> schemas.DefaultModel:
    """Tell which model answers for agents that name none, and what decided it."""
    found = await models.resolve_default(caller.workspace_id)
    return schemas.DefaultModel(provider=found.choice.provider, model_id=found.choice.model_id, source=found.source,
                                is_demo=found.is_demo)


@router.get("/usage/summary", tags=["usage"])
async def summarise_usage(caller: AllWorkspacesReader, session: ReadingSession) -> schemas.UsageSummary:
    """Tell what the workspace has used so far: requests, tokens, cost; system admins may name `__all__` as it."""
    return schemas.UsageSummary.model_validate(await queries.summarise_usage(session, caller.reach))
