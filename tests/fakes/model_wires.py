"""How a scripted reply looks on the wires of Chat Completions and of Anthropic Messages, with and without reasoning."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import orjson

ERROR_TYPES = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error",
               404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 529: "overloaded_error"}


@dataclass
class Finished:
    """A reply with every default filled in."""

    model: str
    text: str
    tool_calls: list[tuple[str, str, str]]  # id, name, arguments as JSON text
    pieces: list[str]
    input_tokens: int
    output_tokens: int
    finish_reason: str | None = None
    with_usage: bool = True
    number: int = 0
    created: int = 1_700_000_000
    reasoning: str = ""  # what can be read of the thinking
    token: str = ""  # what cannot: a signature, or encrypted reasoning
    style: str = "reasoning_content"  # how a chat completion carries both, see `chat_reasoning`
    is_refusal: bool = False
    cached_tokens: int = 0


@lru_cache(maxsize=512)
def split(text: str, count: int) -> list[str]:
    """Cut a text into at most `count` pieces of nearly the same length; joined they are the text."""
    count = max(1, min(count, len(text)))
    edges = [len(text) * i // count for i in range(count + 1)]
    return [text[a:b] for a, b in pairwise(edges)]


def halves(text: str) -> list[str]:
    """Cut arguments in two, so that readers must join them."""
    return [text[: len(text) // 2], text[len(text) // 2:]]


def sse(data: Any, event: str | None = None) -> bytes:
    """One server-sent event."""
    head = f"event: {event}\n".encode() if event else b""
    return head + b"data: " + (data if isinstance(data, bytes) else orjson.dumps(data)) + b"\n\n"


def openai_stream(reply: Finished, include_usage: bool) -> list[bytes]:
    """The events of a streamed chat completion, one per piece; built from one template, not dumped one by one."""
    stem = {"id": f"chatcmpl-{reply.number}", "object": "chat.completion.chunk", "created": reply.created,
            "model": reply.model, "system_fingerprint": None}

    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        return sse(stem | {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]})

    before, after = chunk({"content": "\x00"}).split(orjson.dumps("\x00"))
    events = [chunk({"role": "assistant", "content": None if reply.tool_calls else ""})]
    events += [chunk(delta) for delta in chat_reasoning(reply)]
    events += [before + orjson.dumps(piece) + after for piece in reply.pieces]
    for index, (call_id, name, arguments) in enumerate(reply.tool_calls):
        events.append(chunk({"tool_calls": [{"index": index, "id": call_id, "type": "function",
                                             "function": {"name": name, "arguments": ""}}
                                            | call_extra(reply, index)]}))
        events += [chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
                   for part in halves(arguments)]
    last = call_extra(reply, 0) if reply.text and not reply.tool_calls else {}
    events.append(chunk(last, reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")))
    if include_usage and reply.with_usage:
        events.append(sse(stem | {"choices": [], "usage": openai_usage(reply)}))
    events.append(b"data: [DONE]\n\n")
    return events


def chat_reasoning(reply: Finished) -> list[dict[str, Any]]:
    """The deltas that carry a reply's reasoning, in the manner of one of the vendors."""
    parts = [part for part in halves(reply.reasoning) if part]
    if reply.style == "reasoning_details":
        shown: list[dict[str, Any]] = [
            {"reasoning": part, "reasoning_details": [{"type": "reasoning.text", "text": part, "signature": None,
                                                       "format": "anthropic-claude-v1", "index": 0}]}
            for part in parts]
        signed = {"type": "reasoning.text", "signature": reply.token, "format": "anthropic-claude-v1", "index": 0}
        sealed = {"type": "reasoning.encrypted", "data": reply.token, "format": "anthropic-claude-v1", "index": 1}
        return [*shown, {"reasoning_details": [signed]}, {"reasoning_details": [sealed]}] if reply.token else shown
    if reply.style in {"reasoning_content", "reasoning"}:
        return [{reply.style: part} for part in parts]
    return []


def call_extra(reply: Finished, index: int) -> dict[str, Any]:
    """What the first call of a turn, or a text without calls, carries in Google's manner."""
    if reply.style != "thought_signature" or index or not reply.token:
        return {}
    return {"extra_content": {"google": {"thought_signature": reply.token}}}


def merged_reasoning(reply: Finished) -> dict[str, Any]:
    """What a whole chat completion's message carries of the reasoning."""
    if reply.style == "reasoning_details" and reply.token:
        text = {"type": "reasoning.text", "text": reply.reasoning, "signature": reply.token,
                "format": "anthropic-claude-v1", "index": 0}
        sealed = {"type": "reasoning.encrypted", "data": reply.token, "format": "anthropic-claude-v1", "index": 1}
        return {"reasoning": reply.reasoning, "reasoning_details": [text, sealed]}
    if reply.style in {"reasoning_content", "reasoning"} and reply.reasoning:
        return {reply.style: reply.reasoning}
    return {} if reply.tool_calls else call_extra(reply, 0)


def openai_usage(reply: Finished) -> dict[str, Any]:
    """The usage object of a chat completion."""
    return {"prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens,
            "prompt_tokens_details": {"cached_tokens": reply.cached_tokens}}


def openai_whole(reply: Finished) -> dict[str, Any]:
    """A whole chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    message |= merged_reasoning(reply)
    if reply.tool_calls:
        message["tool_calls"] = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}}
                                 | call_extra(reply, at) for at, (i, n, a) in enumerate(reply.tool_calls)]
    body = {"id": f"chatcmpl-{reply.number}", "object": "chat.completion", "created": reply.created,
            "model": reply.model, "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason":
                reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")}]}
    return body | ({"usage": openai_usage(reply)} if reply.with_usage else {})


def openai_error(status: int, message: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    """An error as OpenAI writes it."""
    return {"error": {"message": message, "type": ERROR_TYPES.get(status, "server_error"), "param": param,
                      "code": code}}


def anthropic_stop(reply: Finished) -> str:
    """Why the message ended, in Anthropic's words."""
    words = {"length": "max_tokens", "stop": "end_turn", "tool_calls": "tool_use"}
    return words.get(reply.finish_reason or "", reply.finish_reason or ("tool_use" if reply.tool_calls else "end_turn"))


def anthropic_whole(reply: Finished) -> dict[str, Any]:
    """A whole message."""
    content = thinking_blocks(reply) + ([{"type": "text", "text": reply.text}] if reply.text else [])
    content += [{"type": "tool_use", "id": i, "name": n, "input": orjson.loads(a)} for i, n, a in reply.tool_calls]
    return {"id": f"msg_{reply.number}", "type": "message", "role": "assistant", "model": reply.model,
            "content": content, "stop_reason": anthropic_stop(reply), "stop_sequence": None,
            "usage": {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens,
                      "cache_read_input_tokens": reply.cached_tokens, "cache_creation_input_tokens": 0}}


def thinking_blocks(reply: Finished) -> list[dict[str, Any]]:
    """The thinking of a message: a block that can be read, and one that cannot where it is to be kept from readers."""
    if not reply.token:
        return []
    if not reply.reasoning:
        return [{"type": "redacted_thinking", "data": reply.token}]
    return [{"type": "thinking", "thinking": reply.reasoning, "signature": reply.token}]


def anthropic_stream(reply: Finished) -> list[bytes]:
    """The events of a streamed message, one delta per piece."""
    def named(data: dict[str, Any]) -> bytes:
        return sse(data, data["type"])

    start = anthropic_whole(reply) | {"content": [], "stop_reason": None}
    start["usage"] = start["usage"] | {"output_tokens": 1}
    events = [named({"type": "message_start", "message": start}), named({"type": "ping"})]
    index = 0
    for block in thinking_blocks(reply):
        events += [named(event) for event in _thinking_events(index, block)]
        index += 1
    if reply.text:
        events.append(named({"type": "content_block_start", "index": index,
                             "content_block": {"type": "text", "text": ""}}))
        before, after = named({"type": "content_block_delta", "index": index,
                               "delta": {"type": "text_delta", "text": "\x00"}}).split(orjson.dumps("\x00"))
        events += [before + orjson.dumps(piece) + after for piece in reply.pieces]
        events.append(named({"type": "content_block_stop", "index": index}))
        index += 1
    for call_id, name, arguments in reply.tool_calls:
        block = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
        events.append(named({"type": "content_block_start", "index": index, "content_block": block}))
        events += [named({"type": "content_block_delta", "index": index,
                          "delta": {"type": "input_json_delta", "partial_json": part}}) for part in halves(arguments)]
        events.append(named({"type": "content_block_stop", "index": index}))
        index += 1
    stop = {"stop_reason": anthropic_stop(reply), "stop_sequence": None}
    events.append(named({"type": "message_delta", "delta": stop, "usage": {"output_tokens": reply.output_tokens}}))
    events.append(named({"type": "message_stop"}))
    return events


def _thinking_events(index: int, block: dict[str, Any]) -> list[dict[str, Any]]:
    stop = {"type": "content_block_stop", "index": index}
    if block["type"] == "redacted_thinking":
        return [{"type": "content_block_start", "index": index, "content_block": block}, stop]
    deltas = [{"type": "thinking_delta", "thinking": half} for half in halves(block["thinking"])]
    deltas.append({"type": "signature_delta", "signature": block["signature"]})
    return [{"type": "content_block_start", "index": index,
             "content_block": {"type": "thinking", "thinking": "", "signature": ""}},
            *({"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas), stop]


def anthropic_error(status: int, message: str) -> dict[str, Any]:
    """An error as Anthropic writes it."""
    return {"type": "error", "error": {"type": ERROR_TYPES.get(status, "api_error"), "message": message}}
