"""What providers of Chat Completions refuse."""

import re
from itertools import pairwise

import orjson

from tests.fakes.model_rules import Refusal, Request, rule

SKIPPED_SIGNATURE = "skip_thought_signature_validator"


@rule
def results_match_calls(request: Request) -> Refusal | None:
    """OpenAI and most others: each call is answered at once, and nothing is answered that was not called."""
    messages = request.messages
    for at, message in request.calling:
        asked = [call["id"] for call in message["tool_calls"]]
        answers = [m.get("tool_call_id") for m in messages[at + 1: at + 1 + len(asked)] if m.get("role") == "tool"]
        if missing := [call_id for call_id in asked if call_id not in answers]:
            return Refusal("An assistant message with 'tool_calls' must be followed by tool messages responding to "
                           "each 'tool_call_id'. The following tool_call_ids did not have response messages: "
                           + ", ".join(missing), param=f"messages.[{at + 1}].role")
    called: set[str] = set()
    for at, message in enumerate(messages):
        if message.get("role") == "tool" and message.get("tool_call_id") not in called:
            return Refusal("Invalid parameter: messages with role 'tool' must be a response to a preceeding message "
                           "with 'tool_calls'.", param=f"messages.[{at}].role")
        called |= {call["id"] for call in message.get("tool_calls") or ()}
    return None


@rule
def call_ids_are_unique(request: Request) -> Refusal | None:
    """DeepSeek, Kimi: one id is one call."""
    seen: set[str] = set()
    for _, message in request.calling:
        for call in message["tool_calls"]:
            if not call.get("id") or call["id"] in seen:
                return Refusal(f"Duplicate or missing tool_call_id {call.get('id')!r}")
            seen.add(call["id"])
    return None


@rule
def arguments_are_objects(request: Request) -> Refusal | None:
    """vLLM, Mistral, DeepSeek: arguments of earlier calls are JSON objects."""
    for _, message in request.calling:
        for call in message["tool_calls"]:
            try:
                is_object = isinstance(orjson.loads(call["function"]["arguments"]), dict)
            except orjson.JSONDecodeError:
                is_object = False
            if not is_object:
                return Refusal("Invalid tool call arguments: expected a JSON object")
    return None


@rule
def content_is_not_empty(request: Request) -> Refusal | None:
    """Kimi, Mistral: no message without content or calls."""
    for at, message in enumerate(request.messages):
        if not message.get("content") and not message.get("tool_calls"):
            return Refusal(f"Invalid request: the message at position {at} with role '{message.get('role')}' must not "
                           "be empty")
    return None


@rule
def content_is_not_null(request: Request) -> Refusal | None:
    """Some gateways: content is text, never null."""
    for at, message in enumerate(request.messages):
        if message.get("content") is None:
            return Refusal(f"messages[{at}].content: Input should be a valid string, not null", status=422)
    return None


@rule
def roles_alternate(request: Request) -> Refusal | None:
    """Chat templates of local models: user and assistant take turns, the system speaks first or not at all."""
    spoken = [m["role"] for m in request.messages if m["role"] in {"user", "assistant"} and not m.get("tool_calls")]
    if "system" in [m["role"] for m in request.messages[1:]]:
        return Refusal("System message must be at the beginning.")
    if any(one == other for one, other in pairwise(spoken)) or spoken[:1] == ["assistant"]:
        return Refusal("Conversation roles must alternate user/assistant/user/assistant/...")
    return None


@rule
def last_message_is_not_the_assistants(request: Request) -> Refusal | None:
    """Mistral, Anthropic's newest: nobody may write the model's answer for it."""
    if not request.messages or request.messages[-1].get("role") != "assistant":
        return None
    if request.wire == "messages":
        return Refusal("This model does not support assistant message prefill. The conversation must end with a user "
                       "message.")
    return Refusal("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant",
                   code="3230")


@rule
def no_system_role(request: Request) -> Refusal | None:
    """Templates such as Gemma's."""
    has = any(message.get("role") in {"system", "developer"} for message in request.messages)
    return Refusal("System role not supported") if has else None


@rule
def no_developer_role(request: Request) -> Refusal | None:
    """Everybody but OpenAI."""
    has = any(message.get("role") == "developer" for message in request.messages)
    return Refusal("Input should be 'system', 'user', 'assistant' or 'tool'", param="messages.role") if has else None


@rule
def no_stream_options(request: Request) -> Refusal | None:
    """Older servers, Mistral."""
    if "stream_options" not in request.body:
        return None
    return Refusal("Extra inputs are not permitted", status=422, param="stream_options")


@rule
def max_completion_tokens_only(request: Request) -> Refusal | None:
    """OpenAI's reasoning models."""
    if not request.is_reasoning or "max_tokens" not in request.body:
        return None
    return Refusal("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' "
                   "instead.", param="max_tokens", code="unsupported_parameter")


@rule
def max_tokens_only(request: Request) -> Refusal | None:
    """Mistral and older servers."""
    if "max_completion_tokens" not in request.body:
        return None
    return Refusal("Extra inputs are not permitted", status=422, param="max_completion_tokens")


@rule
def no_penalties(request: Request) -> Refusal | None:
    """Gemini, xAI: reasoning models take no penalties."""
    for name in ("presence_penalty", "frequency_penalty"):
        if name in request.body:
            return Refusal(f"Model {request.model} does not support parameter {name}.", param=name)
    return None


@rule
def tools_with_reasoning(request: Request) -> Refusal | None:
    """OpenAI from gpt-5.4 on: no function tools in a chat completion while the model reasons."""
    if not request.is_reasoning or not request.body.get("tools") or request.body.get("reasoning_effort") == "none":
        return None
    return Refusal(f"Function tools with reasoning_effort are not supported for {request.model} in "
                   "/v1/chat/completions. Please use /v1/responses instead.", param="reasoning_effort")


@rule
def reasoning_effort_only_where_there_is_reasoning(request: Request) -> Refusal | None:
    """OpenAI's models without reasoning."""
    given = request.body.get("reasoning_effort") or (request.body.get("reasoning") or {}).get("effort")
    if not given or request.is_reasoning:
        return None
    name = "reasoning.effort" if request.wire == "responses" else "reasoning_effort"
    return Refusal(f"Unsupported parameter: '{name}' is not supported with this model.", param=name,
                   code="unsupported_parameter")


@rule
def thought_signature(request: Request) -> Refusal | None:
    """Gemini from 3 on: the first call of a turn carries the signature that came with it, or the stand-in for one."""
    for at, message in request.calling:
        call = message["tool_calls"][0]
        signature = ((call.get("extra_content") or {}).get("google") or {}).get("thought_signature")
        if not signature:
            return Refusal("Function call is missing a thought_signature in functionCall parts. This is required for "
                           f"tools to work correctly. Additional data, function call `default_api:"
                           f"{call['function']['name']}`, position {at}.")
        if signature != SKIPPED_SIGNATURE and signature not in request.issued:
            return Refusal("Corrupted thought signature.")
    return None


@rule
def reasoning_content(request: Request) -> Refusal | None:
    """DeepSeek, Kimi: a turn with calls carries the reasoning that led to them."""
    for _, message in request.calling:
        given = message.get("reasoning_content")
        if not isinstance(given, str) or (given.strip() and given not in request.issued):
            return Refusal("The `reasoning_content` in the thinking mode must be passed back to the API.",
                           code="invalid_request_error")
    return None


@rule
def reasoning_details(request: Request) -> Refusal | None:
    """Anthropic's models behind OpenRouter: the details come back as they were, signature and all."""
    for _, message in request.calling:
        details = message.get("reasoning_details") or []
        if not details:
            return Refusal("messages: Expected `thinking` or `redacted_thinking`, but found `tool_use`.")
        for part in details:
            secrets = {part.get(name) for name in ("signature", "data", "text") if part.get(name)}
            if not secrets or not secrets <= set(request.issued):
                return Refusal("messages: Invalid `signature` in `thinking` block")
    return None


@rule
def no_reasoning_fields(request: Request) -> Refusal | None:
    """Groq, Cerebras, Mistral: no field of another vendor in a message."""
    for at, message in enumerate(request.messages):
        for name in ("reasoning_content", "reasoning_details", "extra_content"):
            if name in message:
                return Refusal(f"'messages.{at}' : for 'role:assistant' the following must be satisfied[('messages."
                               f"{at}' : property '{name}' is unsupported)]")
    return None


@rule
def call_ids_of_nine(request: Request) -> Refusal | None:
    """Mistral: ids of calls are nine letters and digits."""
    for _, message in request.calling:
        for call in message["tool_calls"]:
            if not re.fullmatch(r"[a-zA-Z0-9]{9}", call["id"]):
                return Refusal(f"Tool call id was {call['id']} but must be a-z, A-Z, 0-9, with a length of 9.",
                               code="3280")
    return None
