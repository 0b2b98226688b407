"""Strict stand-ins of real providers: which wires they serve, what they refuse, how they show reasoning and errors.

    async with ModelServer(strict=strict("gemini")) as server: ...      # or server.strict = strict("deepseek")
    strict("openai", extra=[my_rule], without=["no_sampling"])          # composed by hand

`PROVIDERS` names them; what each was made from stands in docs/providers.md.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes import model_rules_chat, model_rules_messages, model_rules_responses
from tests.fakes import model_wires as wires
from tests.fakes.model_rules import RULES, Refusal, Request, Rule, Wire

ErrorWriter = Callable[[Refusal], Any]
PATHS: Mapping[str, Wire] = {"/chat/completions": "chat", "/messages": "messages", "/responses": "responses"}
WRITTEN_IN = (model_rules_chat, model_rules_messages, model_rules_responses)
"""The modules whose import fills the registry."""
EVERYWHERE = ("tool_choice_needs_tools", "tool_names", "schema_is_a_plain_object")
CHAT = (*EVERYWHERE, "results_match_calls", "call_ids_are_unique", "arguments_are_objects", "content_is_not_empty",
        "no_developer_role")


def openai_error(refusal: Refusal) -> Any:
    return wires.openai_error(refusal.status, refusal.message, refusal.code, refusal.param)


def anthropic_error(refusal: Refusal) -> Any:
    return wires.anthropic_error(refusal.status, refusal.message) | {"request_id": "req_011strict"}


def google_error(refusal: Refusal) -> Any:
    return [{"error": {"code": refusal.status, "message": refusal.message, "status": "INVALID_ARGUMENT"}}]


def mistral_error(refusal: Refusal) -> Any:
    if refusal.status == 422:
        return {"detail": [{"type": "extra_forbidden", "loc": ["body", refusal.param], "msg": refusal.message}]}
    return {"object": "error", "message": refusal.message, "type": "invalid_request_error", "param": refusal.param,
            "code": refusal.code}


def xai_error(refusal: Refusal) -> Any:
    return {"code": "Client specified an invalid argument", "error": refusal.message}


def openrouter_error(refusal: Refusal) -> Any:
    return {"error": {"message": "Provider returned error", "code": refusal.status, "metadata": {
        "raw": refusal.message, "provider_name": "Anthropic"}}, "user_id": "user_strict"}


def vllm_error(refusal: Refusal) -> Any:
    return {"object": "error", "message": refusal.message, "type": "BadRequestError", "param": refusal.param,
            "code": refusal.status}


@dataclass(frozen=True)
class Strict:
    """One provider's rules; a model whose name `plain` matches does not reason."""

    name: str
    serves: Mapping[Wire, tuple[Rule, ...]]
    error: ErrorWriter = openai_error
    style: str = "reasoning_content"
    plain: str = r"^$"
    id_length: int | None = None  # of the ids of calls that it makes

    def is_reasoning(self, model: str) -> bool:
        """Say whether a model thinks before it answers."""
        return self.style != "none" and not re.search(self.plain, model)

    def wire_of(self, path: str) -> Wire | None:
        """Return the wire of an address, None where this provider serves none there."""
        wire = next((wire for end, wire in PATHS.items() if path.endswith(end)), None)
        return wire if wire in self.serves else None

    def refuse(self, wire: Wire, body: Mapping[str, Any], issued: Set[str]) -> Refusal | None:
        """Return what this provider says to a request that it does not take, None when it takes it."""
        request = Request(wire, body, issued, self.is_reasoning(str(body.get("model", ""))))
        return next((refusal for rule in self.serves[wire] if (refusal := rule(request))), None)


def _strict(name: str, error: ErrorWriter = openai_error, style: str = "reasoning_content", plain: str = r"^$",
            id_length: int | None = None, **serves: Iterable[str]) -> Strict:
    rules = {wire: tuple(RULES[name] for name in serves[wire]) for wire in PATHS.values() if wire in serves}
    return Strict(name, rules, error, style, plain, id_length)


_RESPONSES = ("unknown_fields", *EVERYWHERE, "no_sampling", "items_are_known", "outputs_match_calls",
              "reasoning_items", "calls_keep_their_reasoning", "stateless", "enough_room",
              "reasoning_effort_only_where_there_is_reasoning")
_OPENAI_CHAT = ("unknown_fields", *CHAT[:-1], "no_sampling", "max_completion_tokens_only", "tools_with_reasoning",
                "no_reasoning_fields", "reasoning_effort_only_where_there_is_reasoning")
_MESSAGES = ("unknown_fields", *EVERYWHERE, "max_tokens_required", "blocks_are_known", "uses_have_results",
             "thinking_comes_back", "cache_marks", "adaptive_thinking_only", "no_thinking_where_there_is_none",
             "no_sampling", "last_message_is_not_the_assistants")
PROVIDERS: Mapping[str, Strict] = {one.name: one for one in (
    _strict("openai", style="summary", plain=r"^(gpt-4|gpt-3|chatgpt)", responses=(*_RESPONSES, "no_encrypted_content"),
            chat=_OPENAI_CHAT),
    _strict("azure", style="summary", plain=r"^(gpt-4|gpt-3)", responses=(*_RESPONSES, "no_encrypted_content"),
            chat=_OPENAI_CHAT),
    _strict("xai", xai_error, style="summary", plain="non-reasoning",
            responses=[name for name in _RESPONSES if name != "no_sampling"], chat=(*CHAT, "no_penalties")),
    _strict("anthropic", anthropic_error, plain=r"claude-(3|sonnet-4-5|haiku-4-5)", messages=_MESSAGES),
    _strict("gemini", google_error, style="thought_signature", plain=r"gemini-[12]\.",
            chat=(*CHAT, "unknown_fields", "thought_signature", "no_penalties", "schema_keywords")),
    _strict("deepseek", chat=(*CHAT, "reasoning_content")),
    _strict("kimi", chat=(*CHAT, "reasoning_content", "roles_alternate")),
    _strict("openrouter", openrouter_error, style="reasoning_details", chat=(*CHAT, "reasoning_details"),
            responses=_RESPONSES[1:]),
    _strict("mistral", mistral_error, style="none", id_length=9, chat=(
        *CHAT, "unknown_fields", "max_tokens_only", "no_stream_options", "no_reasoning_fields", "call_ids_of_nine",
        "last_message_is_not_the_assistants")),
    _strict("groq", style="reasoning", chat=(*CHAT, "unknown_fields", "no_reasoning_fields")),
    _strict("huggingface", style="reasoning", chat=(*CHAT, "roles_alternate")),
    _strict("ollama", style="reasoning", chat=(*CHAT[:-1], "content_is_not_empty")),
    _strict("vllm", vllm_error, style="reasoning", chat=(*CHAT, "roles_alternate")),
)}
ALIASES = {"google": "gemini", "moonshot": "kimi"}


def strict(name: str, *, extra: Iterable[Rule] = (), without: Iterable[str] = ()) -> Strict:
    """Return a provider's stand-in, with rules added to every wire it serves, or named ones left out."""
    found = PROVIDERS[ALIASES.get(name, name)]
    dropped = {RULES[one] for one in without}
    return replace(found, serves={
        wire: (*(rule for rule in rules if rule not in dropped), *extra) for wire, rules in found.serves.items()})
