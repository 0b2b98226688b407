"""What a provider's error means: wait, another model, another key, another address, or another request."""

import re
from collections.abc import Mapping
from typing import Any

from automatos.kernel.error_bodies import ProviderError, error_of
from automatos.kernel.forbidden import BAD_KEY, NO_CREDIT, Forbidden, why_forbidden
from automatos.llm.errors import (
    AccessRefused,
    AddressWrong,
    ContextTooLong,
    CredentialRefused,
    FeatureRefused,
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
from automatos.llm.providers.own_choices import find_own

_DEAD = re.compile(r"(?i)model[_ ]not[_ ]found|no endpoints found|model.{0,80}(?:does not exist|is not available)|"
                   r"invalid model|unknown model|model.{0,80}not found|decommissioned|DeploymentNotFound")
_OF_A_MODEL = re.compile(r"(?i)\bmodels?\b|model_|deployment|\bengines?\b|endpoints found|模型")
_BUSY = re.compile(r"(?i)rate[_ -]?limit|too many requests|throttl")
_DOWN = re.compile(r"(?i)overloaded|server[_ ]error|api_error|unavailable|timeout|timed out|internal|bad gateway")
_BY_STATUS: Mapping[int, tuple[type[ModelProblem], str]] = {
    401: (CredentialRefused, ""), 402: (QuotaExhausted, ""), 405: (AddressWrong, ""), 451: (AccessRefused, "place"),
} | dict.fromkeys((408, 409, 421, 424, 425, 498, 499), (ModelUnavailable, ""))
"""424: what generates behind a gateway failed; 498: no room in a tier; 499: a gateway hung up on its own backend."""
_FORBIDDEN: dict[Forbidden, type[ModelProblem]] = {
    Forbidden.KEY: CredentialRefused, Forbidden.MODERATED: ModelRefused, Forbidden.CREDIT: QuotaExhausted,
    Forbidden.PLACE: AccessRefused, Forbidden.RIGHTS: AccessRefused, Forbidden.PAGE: AccessRefused,
}
NOT_ABOUT_FEATURES = frozenset({401, 402, 403, 405, 408, 409, 421, 424, 425, 429, 451, 498, 499})
_MODERATED = re.compile(
    r"(?i)content[_ -]?(?:filter|policy|management)|responsible_?ai|moderation|safety (?:system|filter|check|polic)|"
    r"flagged|usage polic|data_?inspection|inappropriate content|content exists risk|considered high risk|"
    r"sensitive content|敏感|违规|不安全")
_NOT_SERVED = re.compile(r"(?i)(?:location|country|region|territory)\b.{0,40}(?:not (?:supported|available|allowed)|"
                         r"unsupported|restricted)|unsupported_country|not available in your (?:region|country)")
_TOO_LONG = re.compile(
    r"(?i)context[_ ]?(?:length|window|size|limit)|maximum (?:input|prompt|sequence|model) length|"
    r"(?:prompt|input|messages?|request)\b[^.;]{0,60}\btoo (?:long|large|many tokens)|max_model_len|"
    r"(?:input|prompt|token)[_ ](?:length|tokens?|count)\b[^.;]{0,60}(?:exceed|should be|must (?:be|have)|greater)|"
    r"exceed[^.;]{0,40}(?:token limit|tokens? allowed|number of tokens|max_seq_len)|max_new_tokens. must be|"
    r"reduce the length of the (?:messages|prompt|input)|string_above_max_length|input_too_long|"
    r"(?:输入|长度|上下文).{0,20}(?:超过|超出|过长|最大)|超过.{0,20}(?:最大|长度|上下文)")
_AT_FAULT = re.compile(r"(?i)invalid[_ ](?:request|argument|param|value|json)|bad[_ ]?request|unsupported|not support|"
                       r"not allowed|permission|forbidden|denied|validation")
"""An error in the middle that says so is about the request; any other one means that the provider broke off."""
_ADVICE = {
    "moderated": "Change the prompt: the provider's moderation stopped it. The key is right.",
    "place": "The provider does not serve this server's country or region. Use another provider. The key is right.",
    "rights": "Give the key's project or organisation access to this model at the provider, or choose another model.",
    "page": "What answered is a web page, as firewalls send. Check the base URL and this server's network.",
}

_OF_REQUESTS: tuple[tuple[re.Pattern[str], type[ModelProblem], str], ...] = (
    (BAD_KEY, CredentialRefused, ""), (_NOT_SERVED, AccessRefused, "place"), (_DEAD, ModelNotFound, ""),
    (NO_CREDIT, QuotaExhausted, ""), (_TOO_LONG, ContextTooLong, ""), (_MODERATED, ModelRefused, "moderated"),
)
"""What a request is refused for, in the order it is looked for."""


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
    if told["retry_after_s"] is None:
        told["retry_after_s"] = error.pause_s
    if kind is AddressWrong:
        said = _about_address(call, status)
    return kind(said, next_step=_ADVICE.get(advice), **told)


def _of_a_feature(call: ProviderCall, error: ProviderError, said: str, told: dict[str, Any]) -> ModelProblem | None:
    body = call.progress.body
    refused = find_own(call, error) or find_refused(body, error, is_messages_wire=call.provider.wire == "anthropic")
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
        return _kind_by_words(hints)
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    if status == 429:
        comes_back = error.pause_s is not None
        return (QuotaExhausted if NO_CREDIT.search(hints) and not comes_back else RateLimited), ""
    if status == 403:
        why = why_forbidden(error)
        return _FORBIDDEN[why], why
    if status == 404:
        is_of_model = _OF_A_MODEL.search(hints) or (model_id and model_id in error.message)
        return (ModelNotFound if is_of_model and not error.is_page else AddressWrong), ""
    return _kind_by_request(hints) if status < 500 else ((ContextTooLong if _TOO_LONG.search(hints) else
                                                          ModelUnavailable), "")


def _kind_by_request(hints: str) -> tuple[type[ModelProblem], str]:
    for words, kind, advice in _OF_REQUESTS:
        if words.search(hints):
            return kind, advice
    return ModelRefused, ""


def _kind_by_words(hints: str) -> tuple[type[ModelProblem], str]:
    """Judge an error under a status of success, in a stream that began well: unless it says otherwise, it broke off."""
    if _BUSY.search(hints):
        return RateLimited, ""
    if _DOWN.search(hints):
        return ModelUnavailable, ""
    kind, advice = _kind_by_request(hints)
    broke_off = kind is ModelRefused and not advice and not _AT_FAULT.search(hints)
    return (ModelUnavailable if broke_off else kind), advice
