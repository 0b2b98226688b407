"""What a provider's error means: wait, another model, another key, another address, or another request."""

import re
from typing import Any

from automatos.kernel.error_bodies import ProviderError, error_of
from automatos.kernel.forbidden import BAD_KEY, NO_CREDIT, Forbidden, why_forbidden
from automatos.llm.errors import (
    AccessRefused,
    AddressWrong,
    CredentialRefused,
    FeatureRefused,
    ModelAnswerInvalid,
    ModelNotFound,
    ModelProblem,
    ModelRefused,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
    ToolsRefused,
    scrub,
)
from automatos.llm.providers import ProviderCall
from automatos.llm.providers.features import find_refused, refuses_tools

_DEAD = re.compile(r"(?i)model[_ ]not[_ ]found|no endpoints found|model.{0,80}(?:does not exist|is not available)|"
                   r"invalid model|unknown model|model.{0,80}not found|decommissioned|DeploymentNotFound")
_OF_A_MODEL = re.compile(r"(?i)\bmodels?\b|model_|deployment|\bengines?\b|endpoints found|模型")
_BUSY = re.compile(r"(?i)rate[_ -]?limit|too many requests|throttl")
_DOWN = re.compile(r"(?i)overloaded|server[_ ]error|api_error|unavailable|timeout|timed out|internal|bad gateway")
_WORDS: dict[int, type[ModelProblem]] = {
    401: CredentialRefused, 402: QuotaExhausted, 405: AddressWrong, 408: ModelUnavailable, 409: ModelUnavailable,
    425: ModelUnavailable,
}
_FORBIDDEN: dict[Forbidden, type[ModelProblem]] = {
    Forbidden.KEY: CredentialRefused, Forbidden.MODERATED: ModelRefused, Forbidden.CREDIT: QuotaExhausted,
    Forbidden.PLACE: AccessRefused, Forbidden.RIGHTS: AccessRefused, Forbidden.PAGE: AccessRefused,
}
NOT_ABOUT_FEATURES = frozenset({401, 402, 403, 405, 408, 409, 425, 429})
_ADVICE = {
    "moderated": "Change the prompt: the provider's moderation stopped it. The key is right.",
    "place": "The provider does not serve this server's country or region. Use another provider. The key is right.",
    "rights": "Give the key's project or organisation access to this model at the provider, or choose another model.",
    "page": "What answered is a web page, as firewalls send. Check the base URL and this server's network.",
}


def classify(call: ProviderCall, status: int | None, document: ProviderError | dict[str, Any], *,
             retry_after_s: float | None = None) -> ModelProblem:
    """Build the error that a refusal means; `status` is None for an error inside a stream that began well."""
    error = document if isinstance(document, ProviderError) else error_of(document)
    status = status or error.status
    told: dict[str, Any] = {"provider": call.provider.name, "model_id": call.choice.model_id, "provider_status": status,
                            "provider_message": scrub(error.message, call.api_key), "retry_after_s": retry_after_s}
    name = call.provider.display_name
    said = f"{name} answered {status}." if status else f"{name} broke off with an error."
    if status not in NOT_ABOUT_FEATURES and (feature := _of_a_feature(call, error, said, told)):
        return feature
    kind, advice = _kind(status, error, call.choice.model_id)
    if kind is AddressWrong:
        said = _about_address(call, status)
    return kind(said, next_step=_ADVICE.get(advice), **told)


def _of_a_feature(call: ProviderCall, error: ProviderError, said: str, told: dict[str, Any]) -> ModelProblem | None:
    body = call.progress.body
    refused = find_refused(body, error, is_messages_wire=call.provider.wire == "anthropic")
    if refused:
        return FeatureRefused(said, features=refused, **told)
    if refuses_tools(body, error):
        return ToolsRefused(said, **told)
    return None


def _about_address(call: ProviderCall, status: int | None) -> str:
    """Say which address was asked; it holds neither key nor query."""
    what = "does not take requests there" if status == 405 else "has nothing there"
    return f"{call.provider.display_name} was asked at {call.progress.url} and {what} ({status})."


def _kind(status: int | None, error: ProviderError, model_id: str) -> tuple[type[ModelProblem], str]:
    hints = error.hints
    if status is None:
        return _kind_by_words(hints), ""
    if status == 429:
        return (QuotaExhausted if NO_CREDIT.search(hints) else RateLimited), ""
    if status == 403:
        why = why_forbidden(error)
        return _FORBIDDEN[why], why
    if status == 404:
        is_of_model = _OF_A_MODEL.search(hints) or (model_id and model_id in error.message)
        return (ModelNotFound if is_of_model and not error.is_page else AddressWrong), ""
    if 400 <= status < 500:
        return _WORDS.get(status) or _kind_by_request(hints), ""
    return (ModelUnavailable if status >= 500 else ModelAnswerInvalid), ""


def _kind_by_request(hints: str) -> type[ModelProblem]:
    if BAD_KEY.search(hints):
        return CredentialRefused
    if _DEAD.search(hints):
        return ModelNotFound
    return QuotaExhausted if NO_CREDIT.search(hints) else ModelRefused


def _kind_by_words(hints: str) -> type[ModelProblem]:
    if _BUSY.search(hints):
        return RateLimited
    if _DOWN.search(hints):
        return ModelUnavailable
    return ModelNotFound if _DEAD.search(hints) else ModelRefused
