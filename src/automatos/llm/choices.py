"""Which model is asked: whether a choice can be right, the default for agents that name none, and whose a fallback is.

A prompt never leaves for a provider that nobody named.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Literal
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.service import Keyring, find_provider, get_provider, providers_by_name
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.llm import queries
from automatos.llm.errors import UnknownModel
from automatos.llm.models import LlmModel
from automatos.llm.seed import shipped_models
from automatos.llm.types import FALLBACK_SEPARATOR, DefaultModel, ModelChoice
from automatos.settings.service import find_values
from automatos.settings.types import GENERAL_CATEGORY, SERVICE_CATEGORIES, SettingScope

SHORT_SEPARATOR = ":"
OPEN_MODELS = ("gpt-oss",)
"""Models that many serve, although their names begin like those of one maker."""
ENVIRONMENT = "environment (DEFAULT_LLM_PROVIDER, DEFAULT_LLM_MODEL)"
DEMO = DefaultModel(ModelChoice("demo", "demo"), "demo")
_SOURCES: dict[str, Literal["workspace_settings", "system_settings"]] = {
    "workspace": "workspace_settings", "system": "system_settings",
}



async def check_choice(where: AsyncSession | Database, choice: ModelChoice) -> list[str]:
    """Return in whole sentences what is wrong with a choice of model, before anybody is asked; empty when nothing is.

    Unknown providers and settings outside of what the catalogue allows are faults; a model that the catalogue does
    not have is none.
    """
    if isinstance(where, Database):
        async with where.session(None) as session:
            return await check_choice(session, choice)
    return faults_of(choice, await queries.find_model_named(where, choice.provider, choice.model_id))


def faults_of(choice: ModelChoice, entry: LlmModel | None) -> list[str]:
    """Return in whole sentences what is wrong with a choice; a model that the catalogue lacks may be right."""
    if find_provider(choice.provider) is None:
        return [f"There is no provider named {choice.provider!r}. Choose one of: {', '.join(providers_by_name())}."]
    faults: list[str] = []
    if choice.fallback_model_id and (unknown := unknown_provider_of(choice.fallback_model_id)):
        faults.append(f"The fallback model names the provider {unknown!r}, which does not exist. Choose one of: "
                      f"{', '.join(providers_by_name())}.")
    elif choice.fallback_model_id and fallback_of(choice) is None:
        faults.append("The fallback model is the model itself. Choose another one, or none.")
    return faults if entry is None else faults + _faults_of_settings(choice, entry)


def _faults_of_settings(choice: ModelChoice, entry: LlmModel) -> list[str]:
    faults: list[str] = []
    low, high = float(entry.min_temperature), float(entry.max_temperature)
    if choice.temperature is not None and not low <= choice.temperature <= high:
        faults.append(f"{entry.display_name} takes temperatures from {low:g} to {high:g}, not {choice.temperature:g}.")
    most = entry.max_output_tokens
    if choice.max_tokens is not None and most is not None and choice.max_tokens > most:
        faults.append(f"{entry.display_name} writes at most {most:,} tokens, and max_tokens is {choice.max_tokens:,}.")
    return faults


def fallback_of(choice: ModelChoice) -> ModelChoice | None:
    """Return the model that is asked when a choice's first fails, None where there is none or it is the same.

    `provider//model` names a model of another provider. `provider:model` does so too, but only where the catalogue that
    comes with this server has exactly that model of that provider: local servers name their models `mistral:7b`, which
    is no model of Mistral's. Everything else is a model of the choice's own provider.
    """
    named = choice.fallback_model_id
    if not named:
        return None
    provider, model_id = _of_another(named) or (choice.provider, named)
    if (provider, model_id) == (choice.provider, choice.model_id):
        return None
    return replace(choice, provider=provider, model_id=model_id, fallback_model_id=None)


def unknown_provider_of(fallback_model_id: str) -> str | None:
    """Return the provider that a fallback names and that does not exist, None when all is well."""
    provider, separator, _ = fallback_model_id.partition(FALLBACK_SEPARATOR)
    return provider if separator and find_provider(provider) is None else None


def _of_another(text: str) -> tuple[str, str] | None:
    provider, separator, model_id = text.partition(FALLBACK_SEPARATOR)
    if separator and find_provider(provider) and model_id:
        return provider, model_id
    provider, separator, model_id = text.partition(SHORT_SEPARATOR)
    return (provider, model_id) if separator and (provider, model_id) in _shipped() else None


@cache
def _shipped() -> frozenset[tuple[str, str]]:
    return frozenset((str(row["provider"]), str(row["model_id"])) for row in shipped_models())


async def find_default(database: Database, settings: Settings, keyring: Keyring, workspace_id: UUID,
                       service: str = "orchestrator") -> DefaultModel:
    """Return the default model of a workspace: its settings, the system's, the environment, the first key, the demo.

    `service` picks the category of settings that is asked first; the general one follows.

    A model that the environment names alone belongs to the server at OPENAI_BASE_URL, else to the only provider with a
    key.

    Raises:
        UnknownProvider: settings or environment name a provider that does not exist.
        UnknownModel: they name a provider without a model, and the provider has no usual one.
    """
    for category in dict.fromkeys((SERVICE_CATEGORIES.get(service, GENERAL_CATEGORY), GENERAL_CATEGORY)):
        stored = await find_values(database, workspace_id, category)
        for scope, source in _SOURCES.items():
            values = stored[scope]
            if values.get("llm_provider") or values.get("llm_model"):
                where = f"{scope} settings ({category})"
                provider = values.get("llm_provider") or stored[SettingScope.SYSTEM].get("llm_provider")
                choice = _choice(provider, values.get("llm_model"), where)
                return DefaultModel(_tuned(choice, stored), source)
    if settings.default_llm_provider or settings.default_llm_model:
        provider = settings.default_llm_provider or await _provider_in_environment(settings, keyring, workspace_id)
        return DefaultModel(_choice(provider, settings.default_llm_model, ENVIRONMENT), "environment")
    for name in await keyring.configured_providers(workspace_id):
        provider = get_provider(name)
        if provider.default_model:
            return DefaultModel(ModelChoice(name, provider.default_model), "credential")
    return DEMO


def _tuned(choice: ModelChoice, stored: Mapping[str, Mapping[str, object]]) -> ModelChoice:
    """Add what the category says of how the model is asked, the workspace's word before the system's."""
    values = {**stored[SettingScope.SYSTEM], **stored[SettingScope.WORKSPACE]}
    temperature, max_tokens = values.get("temperature"), values.get("max_tokens")
    fallback = values.get("fallback_model")
    return replace(
        choice, temperature=float(temperature) if isinstance(temperature, int | float) else None,
        max_tokens=int(max_tokens) if isinstance(max_tokens, int | float) else None,
        fallback_model_id=fallback if isinstance(fallback, str) and fallback else None,
    )


async def _provider_in_environment(settings: Settings, keyring: Keyring, workspace_id: UUID) -> str | None:
    """Return the provider of a model that the environment names alone: that of the base URL, else of the only key.

    A server of one's own goes first, whatever the model's name looks like: what was meant for it must not leave for
    another provider. So does the only provider with a key; where there are several, the name has to tell.
    """
    if settings.openai_base_url:
        return "openai"
    configured = list(await keyring.configured_providers(workspace_id))
    if len(configured) == 1:
        return configured[0]
    return None


def _choice(provider_name: object, model_id: object, where: str) -> ModelChoice:
    """Pair a provider with a model; a model alone says by its name whose it is."""
    model = str(model_id) if model_id else ""
    name = str(provider_name) if provider_name else provider_by_model(model)
    if not name:
        raise UnknownModel(f"The {where} name the model {model!r} without a provider. Set {_named(where)} too, to one "
                           f"of: {', '.join(providers_by_name())}.", field="llm_provider",
                           known=list(providers_by_name()))
    provider = get_provider(name)
    model = model or provider.default_model or ""
    if not model:
        raise UnknownModel(f"The {where} name the provider {name!r} without a model. Set "
                           f"{_named(where, 'model')} too.", field="llm_model")
    return ModelChoice(provider.name, model)


def _named(where: str, what: str = "provider") -> str:
    """Return how the missing half of a choice is called where it is missing."""
    return f"DEFAULT_LLM_{what.upper()}" if where == ENVIRONMENT else f"llm_{what}"


def provider_by_model(model_id: str) -> str | None:
    """Return the provider that a well-known model name belongs to; None for names that several serve.

    A name with a colon or a slash is that of a local server or a router, and never tells whose it is.
    """
    if ":" in model_id or "/" in model_id:
        return None
    if model_id.startswith(OPEN_MODELS):
        return None
    return next((name for name, one in providers_by_name().items()
                 if one.model_prefixes and model_id.startswith(one.model_prefixes)), None)


def provider_of_old(model_id: str) -> str | None:
    """Return the provider of a model that an older row named alone: by its name, else the router for `maker/model`."""
    if found := provider_by_model(model_id):
        return found
    return next((name for name, one in providers_by_name().items() if one.is_router and "/" in model_id), None)
