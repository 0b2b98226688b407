"""The Anthropic Messages wire."""

from collections.abc import Sequence
from typing import Any

import orjson

from automatos.llm.errors import ModelAnswerInvalid
from automatos.llm.providers import OnText, ProviderCall
from automatos.llm.providers.ends import by_word, judge_end
from automatos.llm.providers.error_bodies import read_json
from automatos.llm.providers.transport import CUT_OFF, exchange
from automatos.llm.types import Answer, AnswerEnd, Message, ToolCall, Usage

API_VERSION = "2023-06-01"
DEFAULT_MAX_TOKENS = 8192
ENDS = by_word({
    AnswerEnd.COMPLETE: ("end_turn", "stop_sequence", "stop"),
    AnswerEnd.TOOL_CALLS: ("tool_use", "tool_calls"),
    AnswerEnd.CUT_OFF: ("max_tokens", "length", "model_context_window_exceeded", "pause_turn"),
    AnswerEnd.REFUSED: ("refusal", "content_filter"),
})
"""The words for the end of a message, those of compatible servers among them; any other means that it broke off."""
FINISH_REASONS = {AnswerEnd.COMPLETE: "stop", AnswerEnd.TOOL_CALLS: "tool_calls", AnswerEnd.CUT_OFF: "length",
                  AnswerEnd.REFUSED: "content_filter"}


class AnthropicProvider:
    """Asks over Messages, always streaming."""

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once; see `ModelProvider`."""
        headers = {"x-api-key": call.api_key, "anthropic-version": API_VERSION}
        return await exchange(call, "/v1/messages", headers, request_body(call), reader=_Reader(call),
                              on_text=on_text)


def request_body(call: ProviderCall) -> dict[str, Any]:
    """Write the request; of temperature and top_p only the first is sent, because newer models refuse both."""
    choice = call.choice
    body: dict[str, Any] = {"model": choice.model_id, "max_tokens": choice.max_tokens or DEFAULT_MAX_TOKENS,
                            "messages": _messages(call.messages), "stream": True}
    if system := "\n\n".join(m.content for m in call.messages if m.role == "system" and m.content):
        body["system"] = system
    if choice.temperature is not None:
        body["temperature"] = min(choice.temperature, 1.0)
    elif choice.top_p is not None:
        body["top_p"] = choice.top_p
    if call.tools:
        body["tools"] = [{"name": t.name, "description": t.description, "input_schema": t.parameters}
                         for t in call.tools]
        if not call.may_call_tools:
            body["tool_choice"] = {"type": "none"}
    return body


def _messages(messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Write the conversation in turns: neighbours of one role, tool results among them, become one message."""
    turns: list[dict[str, Any]] = []
    for message in messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(message: Message) -> list[dict[str, Any]]:
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": message.tool_call_id, "content": message.content}]
    blocks: list[dict[str, Any]] = [{"type": "text", "text": message.content}] if message.content.strip() else []
    return blocks + [{"type": "tool_use", "id": c.id, "name": c.name, "input": _input(c.arguments)}
                     for c in message.tool_calls]


def _input(arguments: str) -> dict[str, Any]:
    """Read arguments that this wire wants as an object; what the model wrote wrongly becomes an empty one."""
    try:
        value = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


class _Block:
    __slots__ = ("id", "name", "parts")

    def __init__(self, call_id: str, name: str) -> None:
        self.id = call_id
        self.name = name
        self.parts: list[str] = []


class _Reader:
    """Joins the events of a streamed message; thinking blocks are not read."""

    def __init__(self, call: ProviderCall) -> None:
        self.size = 0
        self.is_done = False
        self._call = call
        self._text: list[str] = []
        self._blocks: dict[int, _Block] = {}
        self._usage: dict[str, int] = {}
        self._stop_reason: str | None = None

    @property
    def usage(self) -> Usage | None:
        """What the provider told so far of the tokens."""
        return _total(self._usage) if self._usage else None

    def take(self, data: bytes) -> str:
        event = read_json(data)
        kind = event["type"]
        if kind == "content_block_delta":
            return self._take_delta(event["index"], event["delta"])
        if kind == "content_block_start":
            return self._take_block(event["index"], event["content_block"])
        if kind == "message_start":
            self._take_usage(event["message"].get("usage"))
        elif kind == "message_delta":
            self._stop_reason = event["delta"].get("stop_reason") or self._stop_reason
            self._take_usage(event.get("usage"))
        elif kind == "message_stop":
            self.is_done = True
        return ""

    def take_whole(self, document: dict[str, Any]) -> str:
        self._stop_reason = document.get("stop_reason")
        self.is_done = True
        self._take_usage(document.get("usage"))
        return "".join([self._take_block(i, block) for i, block in enumerate(document["content"])])

    def _take_block(self, index: int, block: dict[str, Any]) -> str:
        if block["type"] == "tool_use":
            self._blocks[index] = _Block(block["id"], block["name"])
            if block.get("input"):
                self._add_part(index, orjson.dumps(block["input"]).decode())
        return self._add_text(block.get("text") or "") if block["type"] == "text" else ""

    def _take_delta(self, index: int, delta: dict[str, Any]) -> str:
        if delta["type"] == "text_delta":
            return self._add_text(delta["text"])
        if delta["type"] == "input_json_delta" and index in self._blocks:
            self._add_part(index, delta["partial_json"])
        return ""

    def _add_text(self, text: str) -> str:
        text = text.replace("\x00", "")
        self._text.append(text)
        self.size += len(text)
        return text

    def _add_part(self, index: int, part: str) -> None:
        self._blocks[index].parts.append(part)
        self.size += len(part) + 16

    def _take_usage(self, usage: dict[str, int | None] | None) -> None:
        self._usage |= {name: value for name, value in (usage or {}).items() if isinstance(value, int)}

    def finish(self) -> Answer:
        fault = self._call.fault
        text = "".join(self._text)
        if not self.is_done or self._stop_reason is None:
            raise fault(ModelAnswerInvalid, CUT_OFF if text or self._blocks else "The answer holds nothing.")
        calls = tuple(ToolCall(b.id, b.name, "".join(b.parts) or "{}") for _, b in sorted(self._blocks.items()))
        end = judge_end(self._call, self._stop_reason, ENDS, text=text, reasoning="", calls=calls)
        return Answer(text, calls, self.usage, FINISH_REASONS[end], end)


def _total(usage: dict[str, int]) -> Usage:
    """Add up the tokens; this wire counts cached input apart from `input_tokens`."""
    read, written = usage.get("cache_read_input_tokens", 0), usage.get("cache_creation_input_tokens", 0)
    return Usage(usage.get("input_tokens", 0) + read + written, usage.get("output_tokens", 0), read, written)
