"""Which model answers when an agent names none."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal
from uuid import UUID

from automatos.credentials.service import Keyring, find_provider, get_provider, providers_by_name
from automatos.kernel.config import Settings
from automatos.kernel.db import Database
from automatos.llm.errors import UnknownModel
from automatos.llm.types import DefaultModel, ModelChoice
from automatos.settings.service import find_values
from automatos.settings.types import GENERAL_CATEGORY, SettingScope, category_of

ENVIRONMENT = "environment (DEFAULT_LLM_PROVIDER, DEFAULT_LLM_MODEL)"
DEMO = DefaultModel(ModelChoice("demo", "demo"), "demo")
_SOURCES: dict[str, Literal["workspace_settings", "system_settings"]] = {
    "workspace": "workspace_settings", "system": "system_settings",
}


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
    for category in dict.fromkeys((category_of(service), GENERAL_CATEGORY)):
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


FAMILIES = {"gpt-": "openai", "o1": "openai", "o3": "openai", "o4": "openai", "claude-": "anthropic",
            "gemini-": "google", "grok-": "xai"}
"""How the names of models begin that one provider alone makes and serves under these names."""


def provider_by_model(model_id: str) -> str | None:
    """Return the provider that a well-known model name belongs to; None for names that several serve.

    A name with a colon or a slash is that of a local server or a router, and never tells whose it is.
    """
    if ":" in model_id or "/" in model_id:
        return None
    found = next((name for start, name in FAMILIES.items() if model_id.startswith(start)), None)
    return found if found and find_provider(found) and not model_id.startswith("gpt-oss") else None
