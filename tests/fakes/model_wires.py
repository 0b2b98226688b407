"""How a scripted reply looks on the wire of OpenAI Chat Completions and of Anthropic Messages."""

from dataclasses import dataclass, field
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
    extra: dict[str, Any] = field(default_factory=dict)


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
    events += [before + orjson.dumps(piece) + after for piece in reply.pieces]
    for index, (call_id, name, arguments) in enumerate(reply.tool_calls):
        events.append(chunk({"tool_calls": [{"index": index, "id": call_id, "type": "function",
                                             "function": {"name": name, "arguments": ""}}]}))
        events += [chunk({"tool_calls": [{"index": index, "function": {"arguments": part}}]})
                   for part in halves(arguments)]
    events.append(chunk({}, reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")))
    if include_usage and reply.with_usage:
        events.append(sse(stem | {"choices": [], "usage": openai_usage(reply)}))
    events.append(b"data: [DONE]\n\n")
    return events


def openai_usage(reply: Finished) -> dict[str, Any]:
    """The usage object of a chat completion."""
    return {"prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens,
            "total_tokens": reply.input_tokens + reply.output_tokens, "prompt_tokens_details": {"cached_tokens": 0}}


def openai_whole(reply: Finished) -> dict[str, Any]:
    """A whole chat completion."""
    message: dict[str, Any] = {"role": "assistant", "content": reply.text or None, "refusal": None}
    if reply.tool_calls:
        message["tool_calls"] = [{"id": i, "type": "function", "function": {"name": n, "arguments": a}}
                                 for i, n, a in reply.tool_calls]
    body = {"id": f"chatcmpl-{reply.number}", "object": "chat.completion", "created": reply.created,
            "model": reply.model, "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason":
                reply.finish_reason or ("tool_calls" if reply.tool_calls else "stop")}]}
    return body | ({"usage": openai_usage(reply)} if reply.with_usage else {})


def openai_error(status: int, message: str, code: str | None) -> dict[str, Any]:
    """An error as OpenAI writes it."""
    return {"error": {"message": message, "type": ERROR_TYPES.get(status, "server_error"), "param": None, "code": code}}


def anthropic_stop(reply: Finished) -> str:
    """Why the message ended, in Anthropic's words."""
    words = {"length": "max_tokens", "stop": "end_turn", "tool_calls": "tool_use"}
    return words.get(reply.finish_reason or "", reply.finish_reason or ("tool_use" if reply.tool_calls else "end_turn"))


def anthropic_whole(reply: Finished) -> dict[str, Any]:
    """A whole message."""
    content: list[dict[str, Any]] = [{"type": "text", "text": reply.text}] if reply.text else []
    content += [{"type": "tool_use", "id": i, "name": n, "input": orjson.loads(a)} for i, n, a in reply.tool_calls]
    return {"id": f"msg_{reply.number}", "type": "message", "role": "assistant", "model": reply.model,
            "content": content, "stop_reason": anthropic_stop(reply), "stop_sequence": None,
            "usage": {"input_tokens": reply.input_tokens, "output_tokens": reply.output_tokens,
                      "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}}


def anthropic_stream(reply: Finished) -> list[bytes]:
    """The events of a streamed message, one delta per piece."""
    def named(data: dict[str, Any]) -> bytes:
        return sse(data, data["type"])

    start = anthropic_whole(reply) | {"content": [], "stop_reason": None}
    start["usage"] = start["usage"] | {"output_tokens": 1}
    events = [named({"type": "message_start", "message": start}), named({"type": "ping"})]
    index = 0
    if reply.text:
        events.append(named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}))
        before, after = named({"type": "content_block_delta", "index": 0,
                               "delta": {"type": "text_delta", "text": "\x00"}}).split(orjson.dumps("\x00"))
        events += [before + orjson.dumps(piece) + after for piece in reply.pieces]
        events.append(named({"type": "content_block_stop", "index": 0}))
        index = 1
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


def anthropic_error(status: int, message: str) -> dict[str, Any]:
    """An error as Anthropic writes it."""
    return {"type": "error", "error": {"type": ERROR_TYPES.get(status, "api_error"), "message": message}}
