"""HTTP of models and of usage; the catalogue's entries and advice have routers of their own, joined here."""

from typing import Annotated

from fastapi import APIRouter, Query

from automatos.credentials.errors import CredentialUnreadable, UnknownProvider
from automatos.credentials.service import providers_by_name
from automatos.kernel.openapi import problems
from automatos.kernel.schemas import costs
from automatos.llm import advice_router, catalogue_router, credentials_router, queries, schemas
from automatos.llm.errors import UnknownModel
from automatos.llm.parts import AppKeyring, AppModels, AppOfferedModels
from automatos.llm.types import ModelStatusFilter
from automatos.workspaces.deps import AllWorkspacesReader, AppSettings, CurrentCaller, ReadingSession, Session

router = APIRouter()


@router.get("/api/models", tags=["models"])
async def list_models(
    caller: CurrentCaller, session: Session,
    provider: Annotated[str | None, Query(max_length=100)] = None,
    status: ModelStatusFilter = ModelStatusFilter.ACTIVE,
    capability: Annotated[str | None, Query(pattern="^[a-z][a-z0-9_]{0,49}$")] = None,
    search: Annotated[str | None, Query(max_length=200)] = None,
) -> schemas.ModelList:
    """List the models agents may choose; a capability is one of the models' own, or functions, vision, streaming."""
    wanted = None if status is ModelStatusFilter.ALL else status.value
    found = await queries.list_models(session, provider, wanted, capability=capability, search=search)
    return schemas.ModelList(items=[schemas.Model.model_validate(model) for model in found], total=len(found))


@router.get("/api/models/providers", tags=["models"])
async def list_providers(
    caller: CurrentCaller, keyring: AppKeyring, settings: AppSettings
) -> schemas.ModelProviderList:
    """List every provider, whether the workspace can use it now, and where its key comes from."""
    sources = await keyring.configured_providers(caller.workspace_id)
    items = [
        schemas.ModelProvider(
            name=provider.name, display_name=provider.display_name, configured=provider.name in sources,
            source=sources.get(provider.name), env_variable=provider.env_variable, needs_key=provider.needs_key,
            is_local=provider.is_local,
            private_base_urls=list(settings.offered_private) if provider.is_local else [],
            default_base_url=provider.base_url, default_model=provider.default_model,
            credential_type=provider.credential_type,
        )
        for provider in providers_by_name().values() if provider.wire != "demo"
    ]
    return schemas.ModelProviderList(items=items, total=len(items))


@router.get("/api/models/offered", tags=["models"], responses=problems(UnknownProvider, CredentialUnreadable))
async def list_offered_models(
    caller: CurrentCaller, offered: AppOfferedModels, provider: Annotated[str, Query(min_length=1, max_length=100)]
) -> schemas.OfferedModelList:
    """List the models that a provider offers to the workspace's key, asked at most once in five minutes.

    Models that the catalogue does not know are among them, and may be chosen like any other.
    """
    found = await offered.find(caller.workspace_id, provider)
    if found is None:
        return schemas.OfferedModelList(provider=provider, items=[], total=0, asked_at=None,
                                        problem="There is no key for it yet. Add one under Settings, Credentials.")
    return schemas.OfferedModelList(provider=provider, items=found.models, total=len(found.models),
                                    problem=None if found.status == "passed" else found.message,
                                    asked_at=found.tested_at)


@router.get("/api/models/default", tags=["models"], responses=problems(UnknownModel))
async def get_default_model(caller: CurrentCaller, models: AppModels) -> schemas.DefaultModel:
    """Tell which model answers for agents that name none, and what decided it."""
    found = await models.resolve_default(caller.workspace_id)
    return schemas.DefaultModel(provider=found.choice.provider, model_id=found.choice.model_id, source=found.source,
                                is_demo=found.is_demo)


@router.get("/api/usage/summary", tags=["usage"])
async def summarise_usage(caller: AllWorkspacesReader, session: ReadingSession) -> schemas.UsageSummary:
    """Tell what the workspace has used so far: requests, tokens, cost; system admins may name `__all__` as it."""
    found = await queries.summarise_usage(session, caller.reach)
    known, unpriced = found.pop("known_micro_usd"), found["unpriced_calls"]
    return schemas.UsageSummary.model_validate(
        {**found, **costs(known, unpriced), "unknown_cost_requests": unpriced})


router.include_router(catalogue_router.router)
router.include_router(advice_router.router)
router.include_router(credentials_router.router)
