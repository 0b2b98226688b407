"""The OpenAI Chat Completions wire, which most providers and local servers speak."""

from typing import Any

import orjson

from automatos.llm.errors import ModelAnswerInvalid
from automatos.llm.providers import OnText, ProviderCall
from automatos.llm.providers.ends import by_word, judge_end
from automatos.llm.providers.error_bodies import read_json
from automatos.llm.providers.transport import CUT_OFF, exchange
from automatos.llm.types import Answer, AnswerEnd, Message, ToolCall, Usage

ENDS = by_word({
    AnswerEnd.COMPLETE: ("stop", "end_turn", "end", "eos", "eos_token", "eos_found", "stop_sequence", "complete",
                         "completed", "done", "finished", "normal", "finish_reason_stop"),
    AnswerEnd.TOOL_CALLS: ("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"),
    AnswerEnd.CUT_OFF: ("length", "max_tokens", "max_length", "model_length", "max_output_tokens", "token_limit",
                        "context_length_exceeded", "context_window_exceeded", "model_context_window_exceeded",
                        "incomplete", "time_limit", "pause_turn"),
    AnswerEnd.REFUSED: ("content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist",
                        "prohibited_content", "spii", "sensitive", "guardrail", "guardrails", "image_safety"),
})
"""The words for the end of a chat completion, vendors' own among them; any other word means that it broke off."""
SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")


class OpenAIProvider:
    """Asks over Chat Completions, always streaming."""

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once; see `ModelProvider`."""
        headers: dict[str, str] = {}
        if call.provider.key_header:
            headers[call.provider.key_header] = call.api_key
        elif call.api_key:
            headers["Authorization"] = f"Bearer {call.api_key}"
        return await exchange(call, "/chat/completions", headers, request_body(call), reader=_Reader(call),
                              on_text=on_text)


def request_body(call: ProviderCall) -> dict[str, Any]:
    """Write the request: the model, the conversation, the tools, and only those settings that were chosen."""
    choice = call.choice
    body: dict[str, Any] = {"model": choice.model_id, "messages": [_message(m) for m in call.messages], "stream": True}
    if call.provider.stream_usage:
        body["stream_options"] = {"include_usage": True}
    if choice.max_tokens is not None:
        body[call.provider.limit_field] = choice.max_tokens
    body |= {name: value for name in SAMPLING if (value := getattr(choice, name)) is not None}
    if call.tools:
        body["tools"] = [{"type": "function", "function": {"name": t.name, "description": t.description,
                                                           "parameters": t.parameters}} for t in call.tools]
        if not call.may_call_tools:
            body["tool_choice"] = "none"
    return body


def _message(message: Message) -> dict[str, Any]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id, "content": message.content}
    written: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        written["content"] = message.content or None
        written["tool_calls"] = [{"id": c.id, "type": "function",
                                  "function": {"name": c.name, "arguments": c.arguments}} for c in message.tool_calls]
    return written


class _PartialCall:
    __slots__ = ("arguments", "id", "name")

    def __init__(self) -> None:
        self.id = ""
        self.name = ""
        self.arguments: list[str] = []


class _Reader:
    """Joins the deltas of a streamed chat completion; reasoning fields are not read."""

    def __init__(self, call: ProviderCall) -> None:
        self.size = 0
        self.is_done = False
        self._call = call
        self._text: list[str] = []
        self._calls: list[_PartialCall] = []
        self._places: dict[int, int] = {}
        self.usage: Usage | None = None
        self._finish_reason: str | None = None

    def take(self, data: bytes) -> str:
        if data == b"[DONE]":
            self.is_done = True
            return ""
        event = read_json(data)
        if usage := event.get("usage") or (event.get("x_groq") or {}).get("usage"):
            self.usage = read_usage(usage)
        text = ""
        for choice in event.get("choices") or ():
            text += self._take_delta(choice.get("delta") or {})
            if choice.get("finish_reason"):
                self._finish_reason = choice["finish_reason"]
        return text

    def take_whole(self, document: dict[str, Any]) -> str:
        if usage := document.get("usage"):
            self.usage = read_usage(usage)
        choices = document.get("choices") or [{}]
        self._finish_reason = choices[0].get("finish_reason")
        message = choices[0].get("message") or {}
        return self._take_delta(message | {"tool_calls": [c | {"index": i} for i, c in
                                                          enumerate(message.get("tool_calls") or [])]})

    def _take_delta(self, delta: dict[str, Any]) -> str:
        for part in delta.get("tool_calls") or ():
            self._take_tool_call(part)
        text = delta.get("content") or delta.get("refusal") or ""
        if not text:
            return ""
        if not isinstance(text, str):
            text = "".join(part.get("text") or "" for part in text if part.get("type") == "text")
        text = text.replace("\x00", "")
        self._text.append(text)
        self.size += len(text)
        return text

    def _take_tool_call(self, part: dict[str, Any]) -> None:
        """Join a piece of a tool call; some providers number no call, or number every call 0 with ids of their own."""
        call_id, function = part.get("id") or "", part.get("function") or {}
        index = part.get("index")
        place = self._places.get(index) if index is not None else (len(self._calls) - 1 if not call_id else None)
        if place is None or place < 0 or (call_id and self._calls[place].id not in {"", call_id}):
            place = len(self._calls)
            self._calls.append(_PartialCall())
            if index is not None:
                self._places[index] = place
        partial = self._calls[place]
        partial.id = partial.id or call_id
        partial.name = partial.name or function.get("name") or ""
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = orjson.dumps(arguments).decode()
        partial.arguments.append(arguments)
        self.size += len(arguments) + 64

    def finish(self) -> Answer:
        fault = self._call.fault
        text = "".join(self._text)
        has_answer = bool(text or self._calls)
        if self._finish_reason is None and not (self.is_done and has_answer):
            raise fault(ModelAnswerInvalid, CUT_OFF if has_answer else "The answer holds no choices.")
        calls = tuple(ToolCall(c.id or f"call_{i}", c.name, "".join(c.arguments) or "{}")
                      for i, c in enumerate(self._calls))
        if any(not c.name for c in calls):
            raise fault(ModelAnswerInvalid, "The model called a tool without naming it.")
        word = self._finish_reason or ("tool_calls" if calls else "stop")
        end = judge_end(self._call, word, ENDS, text=text, reasoning="", calls=calls)
        return Answer(text, calls, self.usage, word, end)


def read_usage(usage: dict[str, Any]) -> Usage:
    """Read the tokens of a chat completion; prompt tokens already include the cached ones."""
    details = usage.get("prompt_tokens_details") or {}
    return Usage(input_tokens=usage.get("prompt_tokens") or 0, output_tokens=usage.get("completion_tokens") or 0,
                 cache_read_tokens=details.get("cached_tokens") or 0)
