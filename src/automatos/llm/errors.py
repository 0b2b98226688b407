"""What can go wrong between us and a model, each with the provider's own words and what to do next."""

import re
from typing import Any, ClassVar

from automatos.kernel.errors import NotFound, Problem
from automatos.llm.types import Window

MESSAGE_LIMIT = 300
SHORTEST_SECRET = 8
"""What is entered as a key for a server that wants none (`none`, `ollama`) is an ordinary word in its answers."""
_SECRETS = re.compile(
    r"(?i)(?:bearer\s+\S+|\b(?:sk|pk|rk|hf|gsk|xai|key|ak_srv|ak_pub)[-_][\w*\-]{6,}|\bAIza[\w\-]{10,}|"
    r"\b(?:api[-_ ]?key|token|secret)\s*[=:]\s*[\"']?[^\s\"',}]{6,})"
)


def scrub(message: str, *secrets: str | None) -> str:
    """Cut a provider's message to 300 characters on one line, without what looks like a secret or cannot be stored."""
    for secret in secrets:
        if secret and len(secret) >= SHORTEST_SECRET:
            message = message.replace(secret, "***")
    readable = message[:4000].replace("\x00", "").encode("utf-8", "replace").decode()
    return _SECRETS.sub("***", " ".join(readable.split()))[:MESSAGE_LIMIT]


class ModelProblem(Problem):
    """A call to a model did not give an answer.

    `provider_status` is the HTTP status the provider answered with, None when it did not answer;
    `retry_after_s` is the pause the provider asked for.
    """

    advice: ClassVar[str] = "Try again; if it goes on, choose another model."
    is_retryable: ClassVar[bool] = False
    is_worth_fallback: ClassVar[bool] = False

    def __init__(self, what: str, *, provider: str, model_id: str = "", provider_status: int | None = None,
                 provider_message: str = "", next_step: str | None = None, retry_after_s: float | None = None) -> None:
        self.provider = provider
        self.model_id = model_id
        self.provider_status = provider_status
        self.provider_message = provider_message
        self.next_step = next_step or self.advice
        self.retry_after_s = retry_after_s
        said = f' It said: "{provider_message}"' if provider_message else ""
        extra: dict[str, Any] = {"provider": provider, "model_id": model_id, "provider_status": provider_status,
                                 "provider_message": provider_message, "next_step": self.next_step}
        super().__init__(f"{what}{said} {self.next_step}", **extra)


class ModelUnavailable(ModelProblem):
    """The provider cannot be reached, or answers that it is in trouble."""

    status = 503
    code = "model_unavailable"
    title = "The model provider is not available"
    advice = "Check the provider's status page and this server's network, then try again."
    is_retryable = True
    is_worth_fallback = True


class RateLimited(ModelProblem):
    """The provider refuses more calls for now."""

    status = 429
    code = "model_rate_limited"
    title = "The model provider limits the rate"
    advice = "Wait a little, raise the limit of the provider account, or set a fallback model on the agent."
    is_retryable = True
    is_worth_fallback = True


class QuotaExhausted(RateLimited):
    """The provider account has no credit left; waiting does not help."""

    code = "model_quota_exhausted"
    title = "The provider account has no credit left"
    advice = "Add credit to the provider account, use another key, or set a fallback model of another provider."
    is_retryable = False


class ModelTimeout(ModelProblem):
    """The whole answer did not come before the deadline."""

    status = 504
    code = "model_timeout"
    title = "The model took too long"
    advice = "Give the step more time (timeout_s), ask for a shorter answer, or set a fallback model on the agent."
    is_worth_fallback = True


class ModelAnswerInvalid(ModelProblem):
    """What came back is not a complete answer: cut off, a web page, no choices, not JSON."""

    status = 502
    code = "model_answer_invalid"
    title = "The model's answer cannot be used"
    advice = "Try again; if it goes on, check that the base URL of the credential is that of a model API."
    is_retryable = True


class ModelAnswerTooLong(ModelAnswerInvalid):
    """The answer is longer than this server takes."""

    code = "model_answer_too_long"
    title = "The model's answer is too long"
    advice = "Set a lower max_tokens on the agent or ask for less in one step."
    is_retryable = False


class ModelAnswerEmpty(ModelAnswerInvalid):
    """The answer holds no text and calls no tool."""

    code = "model_answer_empty"
    title = "The model answered with nothing"
    advice = "Try again; if it goes on, raise max_tokens, lower the reasoning effort, or choose another model."


class ModelRefused(ModelProblem):
    """The provider refuses this request as it is; asking again will not help."""

    status = 422
    code = "model_refused"
    title = "The model provider refused the request"
    advice = "Correct what the provider names in the agent's model configuration or prompt."


class ContextTooLong(ModelRefused):
    """What is to be read, and what may be written, is more than the model takes at once, as the provider says."""

    code = "prompt_too_long"
    title = "The prompt is too long for the model"
    advice = ("Shorten the inputs, the outputs of earlier steps, the persona or the skills that it takes in, lower "
              "max_tokens on the agent, or choose a model, or a fallback model, with a larger window.")
    is_worth_fallback = True


class PromptTooLong(ContextTooLong):
    """The same, counted here before anything was put together: nothing was sent, and no `provider_status` is told."""

    def __init__(self, window: Window, size: int, what: str = "The prompt") -> None:
        self.window = window
        self.size = size
        name = f"{window.model_id} of {window.provider}"
        reads = f"{name} reads {window.tokens:,} tokens at once, no more than {window.chars:,} characters." \
            if window.tokens is not None else (
                f"the catalogue does not say how much {name} reads, and {window.chars:,} characters are sent at most.")
        super().__init__(f"{what} would have {size:,} characters; {reads}", provider=window.provider,
                         model_id=window.model_id)

    def of(self, what: str) -> "PromptTooLong":
        """Return the same, told of what people know it by."""
        return PromptTooLong(self.window, self.size, what)


class FeatureRefused(ModelRefused):
    """The model does not take some feature of the request; `features` names them, asking without them helps."""

    code = "feature_refused"
    title = "The model does not take a setting"
    advice = "Remove what the provider names from the agent's model configuration."

    def __init__(self, what: str, *, features: frozenset[str], **more: Any) -> None:
        self.features = features
        super().__init__(what, **more)


class ToolsRefused(ModelRefused):
    """The model, or the server it runs on, calls no tools."""

    code = "tools_refused"
    title = "The model calls no tools"
    advice = ("Choose a model that can call tools, take the tools away from the agent, or switch tool calling on where "
              "the model runs (vLLM: --enable-auto-tool-choice; llama.cpp: --jinja).")
    is_worth_fallback = True


class AnswerRefused(ModelRefused):
    """The model, or a filter of the provider, declined to answer."""

    code = "answer_refused"
    title = "The model declined to answer"
    advice = "Change the prompt, or choose another model for the agent."


class ModelNotFound(ModelRefused):
    """The provider has no such model, or no longer."""

    code = "model_not_found"
    title = "The provider has no such model"
    advice = "Choose another model for the agent, or set a fallback model."
    is_worth_fallback = True


class AddressWrong(ModelRefused):
    """The base URL leads to nothing that answers as a model API."""

    status = 502
    code = "model_address_wrong"
    title = "The base URL does not lead to a model API"
    advice = ("Check the base URL of the credential: for most providers it ends in /v1, and the path of the request is "
              "added to it.")
    is_worth_fallback = True


class AccessRefused(ModelRefused):
    """The provider knows the key and does not allow this use of it."""

    code = "model_access_refused"
    title = "The provider does not allow this"
    advice = "Ask the provider, or whoever manages the account, for access; or choose another model."
    is_worth_fallback = True


class CredentialRefused(ModelRefused):
    """The provider does not accept the key."""

    code = "credential_refused"
    title = "The provider refused the key"
    advice = "Replace the key under Settings, Credentials, and press Test."


class CredentialMissing(ModelProblem):
    """There is no key for a provider that needs one."""

    status = 409
    code = "credential_missing"
    title = "A key is missing"
    advice = "Add a credential for the provider under Settings, Credentials."


class UnknownModel(Problem):
    """No model is named where one is needed, or nothing is known of the one that is."""

    status = 422
    code = "unknown_model"
    title = "There is no such model"


class ModelAmbiguous(Problem):
    """Several providers have a model of this name."""

    status = 422
    code = "model_ambiguous"
    title = "Several providers have this model"

    def __init__(self, model_id: str, providers: list[str]) -> None:
        super().__init__(f"{model_id!r} is offered by {', '.join(providers)}. Name the provider too.", field="provider",
                         known=providers)


class UnknownTask(NotFound):
    """No kind of task has this name."""

    code = "unknown_task"
    title = "There is no such kind of task"

    def __init__(self, task: str, known: list[str]) -> None:
        super().__init__(f"There is no kind of task named {task!r}. Choose one of: {', '.join(known)}.", known=known)


class ModelEntryNotFound(NotFound):
    """The catalogue has no such model."""

    code = "model_entry_not_found"
    title = "The catalogue has no such model"

    def __init__(self) -> None:
        super().__init__("The catalogue has no model with this id. GET /api/models?status=all lists them.")


class ModelEntryTaken(Problem):
    """The catalogue has this model of this provider already."""

    status = 409
    code = "model_entry_taken"
    title = "The catalogue has this model already"

    def __init__(self, provider: str, model_id: str) -> None:
        super().__init__(f"The catalogue has {model_id!r} of {provider} already. Change that entry instead.",
                         field="model_id")


class ModelEntryInvalid(Problem):
    """The changed entry would contradict itself."""

    status = 422
    code = "model_entry_invalid"
    title = "The model's entry would contradict itself"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}", field=field)


class ModelEntryShipped(Problem):
    """The model came with the server, and would come back at the next start."""

    status = 409
    code = "model_entry_shipped"
    title = "The model came with the server"

    def __init__(self, model_id: str) -> None:
        super().__init__(f"{model_id!r} came with the server and would come back at its next start. Set its status to "
                         "inactive instead.", field="id")
