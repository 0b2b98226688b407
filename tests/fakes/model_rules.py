"""What real providers refuse, one rule for each refusal they document or are known for, in their own words.

A rule looks at one request and returns a `Refusal`, or None. `RULES` has them by name; `model_strict.strict` puts those
of one provider together. A test that needs one more writes a function of the same shape. Here are those of every wire;
`model_rules_chat`, `model_rules_messages` and `model_rules_responses` have the others.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import Any, Literal

Wire = Literal["chat", "messages", "responses"]
CHAT_FIELDS = frozenset({
    "audio", "frequency_penalty", "function_call", "functions", "logit_bias", "logprobs", "max_completion_tokens",
    "max_tokens", "messages", "metadata", "modalities", "model", "n", "parallel_tool_calls", "prediction",
    "presence_penalty", "prompt_cache_key", "reasoning_effort", "response_format", "safety_identifier", "seed",
    "service_tier", "stop", "store", "stream", "stream_options", "temperature", "tool_choice", "tools",
    "top_logprobs", "top_p", "user", "verbosity", "web_search_options",
})
MESSAGES_FIELDS = frozenset({
    "cache_control", "container", "max_tokens", "messages", "metadata", "model", "output_config", "service_tier",
    "stop_sequences", "stream", "system", "temperature", "thinking", "tool_choice", "tools", "top_k", "top_p",
})
RESPONSES_FIELDS = frozenset({
    "background", "include", "input", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "model",
    "parallel_tool_calls", "previous_response_id", "prompt_cache_key", "reasoning", "safety_identifier",
    "service_tier", "store", "stream", "stream_options", "temperature", "text", "tool_choice", "tools",
    "top_logprobs", "top_p", "truncation", "user",
})
COMBINATORS = {"oneOf", "anyOf", "allOf", "enum", "not"}


@dataclass(frozen=True)
class Refusal:
    """What a provider says to a request it does not take."""

    message: str
    status: int = 400
    param: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class Request:
    """One request as a rule sees it; `issued` is all reasoning that the server has handed out."""

    wire: Wire
    body: Mapping[str, Any]
    issued: Set[str] = field(default_factory=frozenset[str])
    is_reasoning: bool = False

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return self.body.get("messages") or []

    @property
    def input(self) -> list[dict[str, Any]]:
        given = self.body.get("input") or []
        return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given

    @property
    def calling(self) -> list[tuple[int, dict[str, Any]]]:
        """The assistant's messages with tool calls, with their places."""
        return [(at, message) for at, message in enumerate(self.messages) if message.get("tool_calls")]


Rule = Callable[[Request], Refusal | None]
RULES: dict[str, Rule] = {}


def rule(function: Rule) -> Rule:
    """Put a rule into the registry under its name."""
    RULES[function.__name__] = function
    return function


# -- every wire


@rule
def unknown_fields(request: Request) -> Refusal | None:
    """OpenAI, Anthropic: a field that is not in the API's description."""
    known = {"chat": CHAT_FIELDS, "messages": MESSAGES_FIELDS, "responses": RESPONSES_FIELDS}[request.wire]
    for name in sorted(set(request.body) - known):
        said = {"chat": f"Unrecognized request argument supplied: {name}",
                "messages": f"{name}: Extra inputs are not permitted", "responses": f"Unknown parameter: '{name}'."}
        return Refusal(said[request.wire], param=name, code="unknown_parameter")
    return None


@rule
def tool_choice_needs_tools(request: Request) -> Refusal | None:
    """OpenAI, Anthropic: tool_choice without tools."""
    if "tool_choice" not in request.body or request.body.get("tools"):
        return None
    if request.wire == "messages":
        return Refusal("tool_choice: tool_choice may only be specified while providing tools")
    return Refusal("Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.",
                   param="tool_choice")


@rule
def tool_names(request: Request) -> Refusal | None:
    """OpenAI, Anthropic: names of letters, digits, underscores and dashes, at most 64."""
    for at, tool in enumerate(request.body.get("tools") or ()):
        name = tool.get("function", tool).get("name", "")
        if not re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", name):
            return Refusal(f"Invalid 'tools[{at}].name': string does not match pattern. Expected a string that matches "
                           "the pattern '^[a-zA-Z0-9_-]+$'.", param=f"tools[{at}].name", code="invalid_value")
    return None


@rule
def schema_is_a_plain_object(request: Request) -> Refusal | None:
    """OpenAI, Anthropic: parameters are an object, without oneOf, anyOf, allOf, enum or not at the top."""
    for at, (name, schema) in enumerate(_schemas(request)):
        if schema.get("type") == "object" and not COMBINATORS & set(schema):
            continue
        if request.wire == "messages":
            return Refusal(f"tools.{at}.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at "
                           "the top level")
        return Refusal(f"Invalid schema for function '{name}': schema must have type 'object' and not have "
                       "'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.", param=f"tools[{at}].parameters",
                       code="invalid_function_parameters")
    return None


@rule
def schema_keywords(request: Request) -> Refusal | None:
    """Gemini: keywords of JSON Schema that its own schema language has no field for."""
    for at, (_, schema) in enumerate(_schemas(request)):
        for name in sorted({"$schema", "$defs", "exclusiveMinimum", "exclusiveMaximum", "patternProperties"}
                           & set(_keywords(schema))):
            return Refusal(f'Invalid JSON payload received. Unknown name "{name}" at '
                           f"'tools[0].function_declarations[{at}].parameters': Cannot find field.")
    return None


def _schemas(request: Request) -> Iterator[tuple[str, dict[str, Any]]]:
    for tool in request.body.get("tools") or ():
        inner = tool.get("function", tool)
        yield inner.get("name", ""), inner.get("parameters", inner.get("input_schema")) or {}


def _keywords(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for name, value in schema.items():
            yield name
            yield from _keywords(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _keywords(value)


@rule
def no_sampling(request: Request) -> Refusal | None:
    """OpenAI's and Anthropic's newest: no temperature, no top_p."""
    for name in ("temperature", "top_p"):
        if not request.is_reasoning or request.body.get(name) in {None, 1}:
            continue
        if request.wire == "messages":
            return Refusal(f"{name}: `{name}` is deprecated for this model.")
        if request.wire == "responses":
            return Refusal(f"Unsupported parameter: '{name}' is not supported with this model.", param=name)
        return Refusal(f"Unsupported value: '{name}' does not support {request.body[name]} with this model. Only the "
                       "default (1) value is supported.", param=name, code="unsupported_value")
    return None
