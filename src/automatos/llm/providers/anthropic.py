"""The Anthropic Messages wire."""

import re

from automatos.kernel.error_bodies import read_json
from automatos.llm.errors import ModelAnswerInvalid
from automatos.llm.providers import OnText, ProviderCall, effort_for
from automatos.llm.providers.ends import by_word, judge_end
from automatos.llm.providers.merging import JsonObject
from automatos.llm.providers.openai import sampling
from automatos.llm.providers.own_choices import room_left
from automatos.llm.providers.replay import replayable, tagged
from automatos.llm.providers.shapes import count_in, end_word, object_in, parts_in
from automatos.llm.providers.sse import DONE
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.providers.tool_calls import (
    ANY_ID,
    as_object,
    meant_arguments,
    plain_name,
    portable_id,
    written_arguments,
)
from automatos.llm.providers.transport import CUT_OFF, exchange
from automatos.llm.types import Answer, AnswerEnd, Message, ToolCall, Usage

WIRE = "anthropic"
API_VERSION = "2023-06-01"
ROOM = 32_000
"""How much a model may write where the agent sets no limit; thinking counts against it."""
ROOM_OF_OTHERS = 8192
EFFORTS = ("low", "medium", "high", "xhigh", "max")
CACHED: JsonObject = {"cache_control": {"type": "ephemeral"}}
ENDS = by_word({
    AnswerEnd.COMPLETE: ("end_turn", "stop_sequence", "stop"),
    AnswerEnd.TOOL_CALLS: ("tool_use", "tool_calls"),
    AnswerEnd.CUT_OFF: ("max_tokens", "length", "model_context_window_exceeded", "pause_turn"),
    AnswerEnd.REFUSED: ("refusal", "content_filter"),
})
"""The words for the end of a message, those of compatible servers among them; any other means that it broke off."""
FINISH_REASONS = {AnswerEnd.COMPLETE: "stop", AnswerEnd.TOOL_CALLS: "tool_calls", AnswerEnd.CUT_OFF: "length",
                  AnswerEnd.REFUSED: "content_filter"}
PLAIN = frozenset({"text", "tool_use"})
GROWING = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature",
           "input_json_delta": "partial_json"}
"""The fields of a block that come in pieces, by the kind of delta."""
_ROOMY = re.compile(r"claude-[a-z]+-[4-9]")


class AnthropicProvider:
    """Asks over Messages, always streaming; `reads_think_tags`: `<think>` at the beginning is reasoning."""

    def __init__(self, *, reads_think_tags: bool = True) -> None:
        self._reads_think_tags = reads_think_tags

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once; see `ModelProvider`."""
        headers = {"x-api-key": call.api_key, "anthropic-version": API_VERSION}
        return await exchange(
            call, "/v1/messages", headers, request_body(call), on_text=on_text,
            open_reader=lambda: _Reader(call, ThinkTags(is_on=self._reads_think_tags and not call.is_at_home)))


def request_body(call: ProviderCall) -> JsonObject:
    """Write the request; a conversation with tools is marked for the provider's cache, because it comes back longer."""
    body: JsonObject = {"model": call.choice.model_id, "max_tokens": _room(call), "messages": _messages(call),
                        "stream": True}
    if system := "\n\n".join(m.content for m in call.messages if m.role == "system" and m.content):
        body["system"] = [{"type": "text", "text": system}]
    body |= _thinking(call)
    if call.tools:
        body["tools"] = [{"name": t.name, "description": t.description, "input_schema": t.parameters}
                         for t in call.tools]
        if not call.may_call_tools:
            body["tool_choice"] = {"type": "none"}
        _mark_for_cache(body)
    return body


def _room(call: ProviderCall) -> int:
    """Return the limit of the answer, which this wire demands: the agent's, or what is sensible for the model."""
    limit = call.traits.max_output_tokens or (ROOM if _ROOMY.search(call.choice.model_id) else ROOM_OF_OTHERS)
    return call.choice.max_tokens or room_left(call, min(limit, ROOM))


def _thinking(call: ProviderCall) -> JsonObject:
    """Write how a model thinks, or where it does not, how it samples: by temperature or else by top_p."""
    effort = effort_for(call, EFFORTS)
    asked: JsonObject = {"output_config": {"effort": effort}} if effort and effort != "none" else {}
    if call.traits.efforts:
        thinking = {"type": "disabled"} if effort == "none" else {"type": "adaptive", "display": "summarized"}
        return asked | {"thinking": thinking}
    chosen = sampling(call, ("temperature", "top_p"))
    if "temperature" in chosen:
        return asked | {"temperature": min(chosen["temperature"], 1.0)}
    return asked | chosen


def _mark_for_cache(body: JsonObject) -> None:
    """Mark the end of the tools, of the system prompt and of the two last turns: what was sent before is read again."""
    ends = [body["tools"][-1], *body.get("system", [])[-1:]]
    turns = [message["content"] for message in body["messages"] if message["role"] == "user"]
    ends += [blocks[-1] for blocks in turns[-2:] if blocks[-1].get("text") != ""]
    for block in ends:
        block.update(CACHED)


def _messages(call: ProviderCall) -> list[JsonObject]:
    """Write the conversation in turns: neighbours of one role, tool results among them, become one message."""
    turns: list[JsonObject] = []
    for message in call.messages:
        if message.role == "system":
            continue
        role = "assistant" if message.role == "assistant" else "user"
        blocks = _blocks(call, message)
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += blocks
        elif blocks:
            turns.append({"role": role, "content": blocks})
    return turns


def _blocks(call: ProviderCall, message: Message) -> list[JsonObject]:
    pattern = call.provider.call_id_pattern or ANY_ID
    if message.role == "tool":
        return [{"type": "tool_result", "tool_use_id": portable_id(message.tool_call_id, pattern),
                 "content": message.content}]
    if kept := replayable(call, WIRE, message):
        return [block | {"id": portable_id(block.get("id"), pattern)} if block.get("type") == "tool_use" else block
                for block in kept if block.get("type") != "text" or block.get("text", "").strip()]
    blocks: list[JsonObject] = [{"type": "text", "text": message.content}] if message.content.strip() else []
    return blocks + [{"type": "tool_use", "id": portable_id(c.id, pattern), "name": c.name,
                      "input": as_object(c.arguments) or {}} for c in message.tool_calls]


class _Block:
    """One block while its pieces come, and what the provider said of it at its beginning."""

    __slots__ = ("begun", "grown")

    def __init__(self, begun: JsonObject) -> None:
        self.begun = begun
        self.grown: dict[str, list[str]] = {}

    def text_of(self, field: str) -> str:
        return (self.begun.get(field) or "") + "".join(self.grown.get(field, ()))

    @property
    def arguments(self) -> str:
        if "partial_json" in self.grown:
            return meant_arguments("".join(self.grown["partial_json"]))
        return meant_arguments(written_arguments(self.begun.get("input")))

    def whole(self) -> JsonObject:
        """Return the block as the provider means it; broken arguments become none."""
        whole = self.begun | {field: self.text_of(field) for field in self.grown if field != "partial_json"}
        if self.begun.get("type") == "tool_use":
            whole["input"] = as_object(self.arguments) or {}
        return whole


class _Reader:
    """Joins the events of a streamed message, block by block."""

    def __init__(self, call: ProviderCall, tags: ThinkTags) -> None:
        self.size = 0
        self.is_done = False
        self._call = call
        self._tags = tags
        self._text: list[str] = []
        self._blocks: dict[int, _Block] = {}
        self._usage: dict[str, int] = {}
        self._stop_reason: str | None = None

    @property
    def usage(self) -> Usage | None:
        """What the provider told so far of the tokens."""
        return _total(self._usage) if self._usage else None

    def take(self, data: bytes) -> str:
        event: JsonObject = {"type": "message_stop"} if data == DONE else read_json(data)
        kind = event.get("type")
        if kind == "content_block_delta":
            return self._take_delta(event.get("index", len(self._blocks) - 1), object_in(event.get("delta")))
        if kind == "content_block_start":
            return self._take_block(event.get("index", len(self._blocks)), object_in(event.get("content_block")))
        if kind == "message_start":
            self._take_usage(object_in(event.get("message")).get("usage"))
        elif kind == "message_delta":
            self._stop_reason = end_word(object_in(event.get("delta")).get("stop_reason")) or self._stop_reason
            self._take_usage(event.get("usage"))
        elif kind == "message_stop":
            self.is_done = True
        return ""

    def take_whole(self, document: JsonObject) -> str:
        self._stop_reason = end_word(document.get("stop_reason"))
        self.is_done = True
        self._take_usage(document.get("usage"))
        return "".join([self._take_block(i, block) for i, block in enumerate(parts_in(document.get("content")))])

    def _take_block(self, index: int, block: JsonObject) -> str:
        self._blocks[index] = _Block(block)
        self.size += 64
        return self._add_text(block.get("text") or "") if block.get("type") == "text" else ""

    def _take_delta(self, index: int, delta: JsonObject) -> str:
        """Add a piece to its block; text whose block nobody began is a block of its own."""
        field = GROWING.get(delta.get("type") or "")
        piece = delta.get(field or "")
        if field is None or not isinstance(piece, str) or (index not in self._blocks and field != "text"):
            return ""
        if index not in self._blocks:
            self._take_block(index, {"type": "text", "text": ""})
        self._blocks[index].grown.setdefault(field, []).append(piece)
        if field == "text":
            return self._add_text(piece)
        if field == "thinking":
            self._call.tell_reasoning(piece)
        self.size += len(piece) + 16
        return ""

    def _add_text(self, text: str) -> str:
        text = self._tags.feed(text.replace("\x00", ""))
        if self._tags.is_reasoning:
            self._call.tell_reasoning(self._tags.fresh_reasoning())
        self._text.append(text)
        self.size += len(text)
        return text

    def _take_usage(self, usage: object) -> None:
        told = object_in(usage)
        self._usage |= {name: count_in(told, name) for name, value in told.items()
                        if isinstance(value, str | int | float)}

    def finish(self) -> Answer:
        fault = self._call.fault
        self._text.append(self._tags.close())
        thought, text = self._tags.part("".join(self._text))
        if self._stop_reason is None:
            raise fault(ModelAnswerInvalid, CUT_OFF if self._blocks else "The answer holds nothing.")
        blocks = [block for _, block in sorted(self._blocks.items())]
        offered = {tool.name for tool in self._call.tools}
        calls = tuple(ToolCall(block.begun.get("id") or f"call{at}", plain_name(block.begun.get("name") or "", offered),
                               block.arguments)
                      for at, block in enumerate(blocks) if block.begun.get("type") == "tool_use")
        if any(not c.name for c in calls):
            raise fault(ModelAnswerInvalid, "The model called a tool without naming it.")
        reasoning = "\n\n".join(each for block in blocks if (each := block.text_of("thinking"))) or thought
        end = judge_end(self._call, self._stop_reason, ENDS, text=text, reasoning=reasoning, calls=calls)
        is_plain = all(block.begun.get("type") in PLAIN for block in blocks)
        items = None if is_plain else tagged(self._call, WIRE, [block.whole() for block in blocks])
        return Answer(text, calls, self.usage, FINISH_REASONS[end], end, reasoning.replace("\x00", ""), items)


def _total(usage: dict[str, int]) -> Usage:
    """Add up the tokens; this wire counts cached input apart from `input_tokens`."""
    read, written = usage.get("cache_read_input_tokens", 0), usage.get("cache_creation_input_tokens", 0)
    return Usage(usage.get("input_tokens", 0) + read + written, usage.get("output_tokens", 0), read, written)
