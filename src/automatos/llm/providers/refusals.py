"""What a provider's error means: wait, another model, another key, or another request."""

import re
from typing import Any

import orjson

from automatos.llm.errors import (
    CredentialRefused,
    ModelAnswerInvalid,
    ModelNotFound,
    ModelProblem,
    ModelRefused,
    ModelUnavailable,
    QuotaExhausted,
    RateLimited,
    SamplingRefused,
    scrub,
)
from automatos.llm.providers import ProviderCall

_DEAD = re.compile(r"(?i)model[_ ]not[_ ]found|no endpoints found|model.{0,80}(?:does not exist|is not available)|"
                   r"invalid model|unknown model|model.{0,80}not found|decommissioned|not_found_error")
_NO_CREDIT = re.compile(r"(?i)insufficient[_ ]quota|exceeded your current quota|credit balance|billing")
_SAMPLING = re.compile(r"(?i)(?:unsupported|not support|deprecated|cannot|not allowed).{0,60}"
                       r"(?:temperature|top_p|frequency_penalty|presence_penalty)|"
                       r"(?:temperature|top_p|frequency_penalty|presence_penalty).{0,60}"
                       r"(?:unsupported|not support|deprecated|cannot|not allowed)")
_BUSY = re.compile(r"(?i)rate[_ ]limit|too many requests")
_DOWN = re.compile(r"(?i)overloaded|server[_ ]error|api_error|unavailable|timeout|internal")
_WORDS: dict[int, type[ModelProblem]] = {
    401: CredentialRefused, 402: QuotaExhausted, 403: CredentialRefused, 404: ModelNotFound, 408: ModelUnavailable,
    409: ModelUnavailable, 425: ModelUnavailable,
}


def describe_error(body: bytes, content_type: str) -> dict[str, Any]:
    """Turn the body of a refusal into `{"error": {...}}`, whatever shape it came in."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        text = "" if "html" in content_type else body.decode("utf-8", "replace")
        return {"error": {"message": text}}
    if isinstance(document, list) and document:
        document = document[0]
    if not isinstance(document, dict):
        return {"error": {"message": str(document)}}
    if "error" in document:
        return document
    return {"error": {"message": document.get("message") or document.get("detail") or ""}}


def classify(call: ProviderCall, status: int | None, document: dict[str, Any], *,
             retry_after_s: float | None = None) -> ModelProblem:
    """Build the error that a refusal means; `status` is None for an error inside a stream that began well."""
    error = document.get("error")
    details: dict[str, Any] = error if isinstance(error, dict) else {"message": str(error)}
    message = scrub(str(details.get("message") or ""), call.api_key)
    hints = f"{details.get('code') or ''} {details.get('type') or ''} {message}"
    if status is None and isinstance(details.get("code"), int):
        status = details["code"]
    kind = _kind(status, hints)
    name = call.provider.display_name
    said = f"{name} answered {status}." if status else f"{name} broke off with an error."
    return kind(said, provider=call.provider.name, model_id=call.choice.model_id, provider_status=status,
                provider_message=message, retry_after_s=retry_after_s)


def _kind(status: int | None, hints: str) -> type[ModelProblem]:
    if status is None:
        return _kind_by_words(hints)
    if status == 429:
        return QuotaExhausted if _NO_CREDIT.search(hints) else RateLimited
    if 400 <= status < 500:
        return _WORDS.get(status) or _kind_by_request(hints)
    return ModelUnavailable if status >= 500 else ModelAnswerInvalid


def _kind_by_request(hints: str) -> type[ModelProblem]:
    if _SAMPLING.search(hints):
        return SamplingRefused
    if _DEAD.search(hints):
        return ModelNotFound
    return QuotaExhausted if _NO_CREDIT.search(hints) else ModelRefused


def _kind_by_words(hints: str) -> type[ModelProblem]:
    if _BUSY.search(hints):
        return RateLimited
    if _DOWN.search(hints):
        return ModelUnavailable
    return ModelNotFound if _DEAD.search(hints) else ModelRefused
