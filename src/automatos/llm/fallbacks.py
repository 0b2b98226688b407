"""Whose a fallback model is: a prompt never leaves for a provider that nobody named."""

from dataclasses import replace
from functools import cache

from automatos.credentials.service import find_provider
from automatos.llm.seed import shipped_models
from automatos.llm.types import FALLBACK_SEPARATOR, ModelChoice

SHORT_SEPARATOR = ":"


def fallback_of(choice: ModelChoice) -> ModelChoice | None:
    """Return the model that is asked when a choice's first fails, None where there is none or it is the same.

    `provider//model` names a model of another provider. `provider:model` does so too, but only where the catalogue that
    comes with this server has exactly that model of that provider: local servers name their models `mistral:7b`, which
    is no model of Mistral's. Everything else is a model of the choice's own provider.
    """
    named = choice.fallback_model_id
    if not named:
        return None
    provider, model_id = _named(named) or (choice.provider, named)
    if (provider, model_id) == (choice.provider, choice.model_id):
        return None
    return replace(choice, provider=provider, model_id=model_id, fallback_model_id=None)


def unknown_provider_of(fallback_model_id: str) -> str | None:
    """Return the provider that a fallback names and that does not exist, None when all is well."""
    provider, separator, _ = fallback_model_id.partition(FALLBACK_SEPARATOR)
    return provider if separator and find_provider(provider) is None else None


def _named(text: str) -> tuple[str, str] | None:
    provider, separator, model_id = text.partition(FALLBACK_SEPARATOR)
    if separator and find_provider(provider) and model_id:
        return provider, model_id
    provider, separator, model_id = text.partition(SHORT_SEPARATOR)
    return (provider, model_id) if separator and (provider, model_id) in _shipped() else None


@cache
def _shipped() -> frozenset[tuple[str, str]]:
    return frozenset((str(row["provider"]), str(row["model_id"])) for row in shipped_models())
