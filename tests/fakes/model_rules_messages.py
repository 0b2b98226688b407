"""What Anthropic's Messages refuses."""

import re
from collections.abc import Mapping
from typing import Any

from tests.fakes.model_rules import Refusal, Request, rule


@rule
def max_tokens_required(request: Request) -> Refusal | None:
    """Anthropic."""
    return None if request.body.get("max_tokens") else Refusal("max_tokens: Field required")


@rule
def blocks_are_known(request: Request) -> Refusal | None:
    """Anthropic: roles, types of blocks, and no empty text."""
    for at, message in enumerate(request.messages):
        if message.get("role") not in {"user", "assistant"}:
            return Refusal(f'messages: Unexpected role "{message.get("role")}". The Messages API accepts a top-level '
                           "`system` parameter, not \"system\" as an input message role.")
        for place, block in enumerate(_blocks(message)):
            where = f"messages.{at}.content.{place}"
            if block["type"] == "text" and not block["text"].strip():
                return Refusal(f"{where}: text content blocks must contain non-whitespace text")
            if block["type"] == "thinking" and not {"thinking", "signature"} <= set(block):
                return Refusal(f"{where}.thinking.signature: Field required")
            if block["type"] == "tool_use" and not re.fullmatch(r"[a-zA-Z0-9_-]+", block["id"]):
                return Refusal(f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
            if block["type"] == "tool_use" and not isinstance(block["input"], dict):
                return Refusal(f"{where}.tool_use.input: Input should be a valid dictionary")
    return None


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return content if isinstance(content, list) else [{"type": "text", "text": str(content or "")}]


@rule
def uses_have_results(request: Request) -> Refusal | None:
    """Anthropic: the message after a tool_use holds its tool_result, and no other."""
    used: list[str] = []
    for at, message in enumerate([*request.messages, {"role": "user", "content": []}]):
        given = [block["tool_use_id"] for block in _blocks(message) if block["type"] == "tool_result"]
        if missing := [one for one in used if one not in given]:
            return Refusal(f"messages.{at - 1}: `tool_use` ids were found without `tool_result` blocks immediately "
                           f"after: {', '.join(missing)}. Each `tool_use` block must have a corresponding "
                           "`tool_result` block in the next message.")
        if strange := [one for one in given if one not in used]:
            return Refusal(f"messages.{at}.content.0: unexpected `tool_use_id` found in `tool_result` blocks: "
                           f"{', '.join(strange)}.")
        used = [block["id"] for block in _blocks(message) if block["type"] == "tool_use"]
    return None


@rule
def thinking_comes_back(request: Request) -> Refusal | None:
    """Anthropic: where a turn used a tool its thinking stands before that, unaltered."""
    for at, message in enumerate(request.messages):
        blocks = _blocks(message)
        if message["role"] != "assistant" or not any(block["type"] == "tool_use" for block in blocks):
            continue
        if request.is_reasoning and blocks[0]["type"] not in {"thinking", "redacted_thinking"}:
            return Refusal(f"messages.{at}.content.0.type: Expected `thinking` or `redacted_thinking`, but found "
                           f"`{blocks[0]['type']}`. When `thinking` is enabled, a final `assistant` message must start "
                           "with a thinking block.")
        for place, block in enumerate(blocks):
            secrets = {str(block[name]) for name in ("thinking", "signature", "data") if block.get(name)}
            if block["type"] in {"thinking", "redacted_thinking"} and not secrets <= set(request.issued):
                return Refusal(f"messages.{at}.content.{place}: `thinking` or `redacted_thinking` blocks in the latest "
                               "assistant message cannot be modified. These blocks must remain as they were in the "
                               "original response.")
    return None


@rule
def cache_marks(request: Request) -> Refusal | None:
    """Anthropic: at most four cache_control marks, none on thinking or on empty text."""
    marked = [tool for tool in request.body.get("tools") or () if "cache_control" in tool]
    system = request.body.get("system")
    blocks = [*(system if isinstance(system, list) else ()),
              *(block for message in request.messages for block in _blocks(message))]
    marked += [block for block in blocks if "cache_control" in block]
    if len(marked) > 4:
        return Refusal(f"A maximum of 4 blocks with cache_control may be provided. Found {len(marked)}.")
    for block in marked:
        if block.get("type") in {"thinking", "redacted_thinking"}:
            return Refusal("messages: cache_control: Extra inputs are not permitted")
        if block.get("type") == "text" and not block["text"]:
            return Refusal("cache_control cannot be set for empty text blocks")
    return None


@rule
def adaptive_thinking_only(request: Request) -> Refusal | None:
    """Anthropic's newest: no budget of thinking tokens, and no switching off."""
    kind = (request.body.get("thinking") or {}).get("type")
    if kind in {None, "adaptive"} or not request.is_reasoning:
        return None
    return Refusal(f'thinking: "thinking.type.{kind}" is not supported for this model. Use '
                   '"thinking.type.adaptive" and "output_config.effort" to control thinking behavior.')


@rule
def no_thinking_where_there_is_none(request: Request) -> Refusal | None:
    """Anthropic's older models: no adaptive thinking, no effort."""
    if request.is_reasoning:
        return None
    if (request.body.get("thinking") or {}).get("type") == "adaptive":
        return Refusal("adaptive thinking is not supported on this model")
    has_effort = "effort" in (request.body.get("output_config") or {})
    return Refusal("output_config.effort: This model does not support the effort parameter.") if has_effort else None
