"""The OpenAI Responses wire, asked without state: every request holds the whole conversation, reasoning encrypted."""

import re
from collections.abc import Iterator
from typing import Any

from automatos.kernel.error_bodies import error_of, read_json
from automatos.llm.errors import ModelAnswerInvalid
from automatos.llm.providers import OnText, ProviderCall, effort_for
from automatos.llm.providers.ends import by_word, judge_end
from automatos.llm.providers.merging import JsonObject
from automatos.llm.providers.openai import ChatReader, key_headers, sampling
from automatos.llm.providers.refusals import classify
from automatos.llm.providers.replay import replayable, tagged
from automatos.llm.providers.shapes import (
    count_in,
    end_word,
    listed,
    object_in,
    parts_in,
    readable,
    refusal_of,
    text_of,
)
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.providers.tool_calls import (
    ANY_ID,
    meant_arguments,
    object_text,
    plain_name,
    portable_id,
    written_arguments,
)
from automatos.llm.providers.transport import CUT_OFF, exchange
from automatos.llm.types import Answer, AnswerEnd, Message, ProviderItems, ToolCall, Usage

WIRE = "responses"
ENCRYPTED = "reasoning.encrypted_content"
LEAST_OUTPUT_TOKENS = 16
ENDS = by_word({
    AnswerEnd.COMPLETE: ("completed", "stop"),
    AnswerEnd.CUT_OFF: ("incomplete", "max_output_tokens", "max_tokens", "length", "max_messages", "max_tool_calls",
                        "steered", "context_length_exceeded"),
    AnswerEnd.REFUSED: ("content_filter", "refusal", "safety"),
})
"""The status of a response, or for an incomplete one the reason; any other word means that it broke off."""
FINISH_REASONS = {AnswerEnd.COMPLETE: "stop", AnswerEnd.TOOL_CALLS: "tool_calls", AnswerEnd.CUT_OFF: "length",
                  AnswerEnd.REFUSED: "content_filter"}
LAST_EVENTS = frozenset({"response.completed", "response.incomplete", "response.failed", "response.cancelled"})
REASONING_DELTAS = frozenset({"response.reasoning_summary_text.delta", "response.reasoning_text.delta"})
_PLAIN_MODELS = re.compile(r"(?:^|/)(?:gpt-4|gpt-3|chatgpt)|non-reasoning")


class ResponsesProvider:
    """Asks over Responses, always streaming; `reads_think_tags`: `<think>` at the beginning is reasoning."""

    def __init__(self, *, reads_think_tags: bool = True) -> None:
        self._reads_think_tags = reads_think_tags

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once; see `ModelProvider`."""
        return await exchange(
            call, "/responses", key_headers(call), request_body(call), on_text=on_text,
            open_reader=lambda: _Reader(call, ThinkTags(is_on=self._reads_think_tags and not call.is_at_home)))


def request_body(call: ProviderCall) -> JsonObject:
    """Write the request; reasoning is asked for, to be sent back, of every model that is not known to have none."""
    choice = call.choice
    body: JsonObject = {"model": choice.model_id, "input": [item for m in call.messages for item in _items(call, m)],
                        "stream": True, "store": False}
    if instructions := "\n\n".join(m.content for m in call.messages if m.role == "system" and m.content):
        body["instructions"] = instructions
    if is_reasoning(call):
        effort = effort_for(call)
        body["include"] = [ENCRYPTED]
        body["reasoning"] = {"summary": "auto"} | ({"effort": effort} if effort else {})
    if choice.max_tokens is not None:
        body["max_output_tokens"] = max(choice.max_tokens, LEAST_OUTPUT_TOKENS)
    body |= sampling(call, ("temperature", "top_p"))
    if call.tools:
        body["tools"] = [{"type": "function", "name": t.name, "description": t.description, "strict": False,
                          "parameters": t.parameters} for t in call.tools]
        if not call.may_call_tools:
            body["tool_choice"] = "none"
        if call.idempotency_key:
            body["prompt_cache_key"] = call.idempotency_key.partition(":")[0]
    return body


def is_reasoning(call: ProviderCall) -> bool:
    """Say whether a model thinks: by the catalogue, or for a model that it lacks, by the name."""
    if call.traits.efforts is not None:
        return bool(call.traits.efforts)
    return not _PLAIN_MODELS.search(call.choice.model_id.lower())


def _items(call: ProviderCall, message: Message) -> Iterator[JsonObject]:
    """Write one message as input items; the provider's own items go back as they came."""
    if message.role == "tool":
        yield {"type": "function_call_output", "call_id": portable_id(message.tool_call_id, ANY_ID),
               "output": message.content}
    elif message.role == "user":
        yield {"role": "user", "content": message.content}
    elif message.role == "assistant":
        if kept := replayable(call, WIRE, message):
            yield from _replayed(kept)
            return
        if message.content:
            yield {"role": "assistant", "content": message.content}
        for c in message.tool_calls:
            yield {"type": "function_call", "call_id": portable_id(c.id, ANY_ID), "name": c.name,
                   "arguments": object_text(c.arguments)}


def _replayed(items: tuple[JsonObject, ...]) -> Iterator[JsonObject]:
    """Send items back in order: reasoning that cannot be read again is left out, and then the others lose their ids."""
    readable = [item for item in items if item.get("type") != "reasoning" or item.get("encrypted_content")
                or item.get("content")]
    for item in readable:
        kept = {name: value for name, value in item.items() if name != "id" or len(readable) == len(items)}
        if item.get("type") == "function_call":
            kept["arguments"] = object_text(written_arguments(item.get("arguments")))
        yield kept


class _Reader:
    """Collects the output items of a streamed response, and its text as it comes.

    A server that takes every address for its one may answer with a chat completion; then that is read.
    """

    def __init__(self, call: ProviderCall, tags: ThinkTags) -> None:
        self.size = 0
        self.is_done = False
        self.usage: Usage | None = None
        self._call = call
        self._tags = tags
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._told: set[int] = set()
        self._items: dict[int, JsonObject] = {}
        self._is_refusal = False
        self._word: str | None = None
        self._chat: ChatReader | None = None

    def take(self, data: bytes) -> str:
        if self._chat or data == b"[DONE]":
            return self._take_chat(data)
        event = read_json(data)
        kind = event.get("type")
        if kind is None and "choices" in event:
            self._chat = ChatReader(self._call, self._tags)
            return self._take_chat(data)
        if kind in {"response.output_text.delta", "response.refusal.delta"} and event.get("delta"):
            self._is_refusal = self._is_refusal or kind == "response.refusal.delta"
            self._told.add(event.get("output_index") or 0)
            return self._add_text(event["delta"])
        if kind in REASONING_DELTAS:
            self._add_reasoning(event.get("delta") or "")
        elif kind == "response.reasoning_summary_part.added" and self._reasoning:
            self._add_reasoning("\n\n")
        elif kind == "response.function_call_arguments.delta":
            self.size += len(event.get("delta") or "")
        elif kind == "response.output_item.done":
            return self._take_item(event.get("output_index"), object_in(event.get("item")))
        elif kind in LAST_EVENTS:
            return self.take_whole(event["response"])
        return ""

    def _take_chat(self, data: bytes) -> str:
        if self._chat is None:
            self.is_done = True
            return ""
        text = self._chat.take(data)
        self.is_done, self.size, self.usage = self._chat.is_done, self._chat.size, self._chat.usage
        return text

    def take_whole(self, document: JsonObject) -> str:
        """Read a whole response, or the last event of a stream, whose output repeats what came before."""
        if "choices" in document:
            self._chat = ChatReader(self._call, self._tags)
            return self._chat.take_whole(document)
        if usage := object_in(document.get("usage")):
            self.usage = read_usage(usage)
        if document.get("error"):
            raise classify(self._call, None, error_of(document))
        self.is_done = True
        reason = end_word(object_in(document.get("incomplete_details")).get("reason"))
        self._word = reason or end_word(document.get("status")) or "completed"
        return "".join([self._take_item(at, object_in(item)) for at, item in enumerate(listed(document.get("output")))])

    def _take_item(self, index: int | None, item: JsonObject) -> str:
        """Keep a finished item, and return its text where none of it was streamed."""
        place = len(self._items) if index is None else index
        is_new = place not in self._items and place not in self._told
        if not item:
            return ""
        self._items[place] = item
        if not is_new:
            return ""
        self.size += 64
        if item.get("type") == "reasoning" and not self._reasoning:
            self._add_reasoning("\n\n".join(map(readable, listed(item.get("summary")) or listed(item.get("content")))))
        parts = parts_in(item.get("content")) if item.get("type") == "message" else []
        self._is_refusal = self._is_refusal or any(refusal_of(part) for part in parts)
        return self._add_text("".join(text_of(part) or refusal_of(part) for part in parts))

    def _add_text(self, text: str) -> str:
        text = self._tags.feed(text.replace("\x00", ""))
        if self._tags.is_reasoning:
            self._call.tell_reasoning(self._tags.fresh_reasoning())
        self._text.append(text)
        self.size += len(text)
        return text

    def _add_reasoning(self, text: str) -> None:
        self._reasoning.append(text)
        self._call.tell_reasoning(text)
        self.size += len(text)

    def finish(self) -> Answer:
        if self._chat:
            return self._chat.finish()
        fault = self._call.fault
        self._text.append(self._tags.close())
        thought, text = self._tags.part("".join(self._text))
        reasoning = "".join(self._reasoning).replace("\x00", "").strip() or thought
        items = [item for _, item in sorted(self._items.items())]
        if self._word is None:
            raise fault(ModelAnswerInvalid, CUT_OFF if text or items else "The answer holds nothing.")
        offered = {tool.name for tool in self._call.tools}
        calls = tuple(ToolCall(item.get("call_id") or item.get("id") or f"call{at}",
                               plain_name(item.get("name") or "", offered),
                               meant_arguments(written_arguments(item.get("arguments"))))
                      for at, item in enumerate(items) if item.get("type") == "function_call")
        if any(not c.name for c in calls):
            raise fault(ModelAnswerInvalid, "The model called a tool without naming it.")
        word = "refusal" if self._is_refusal and self._word == "completed" else self._word
        end = judge_end(self._call, word, ENDS, text=text, reasoning=reasoning, calls=calls)
        return Answer(text, calls, self.usage, FINISH_REASONS[end], end, reasoning, _kept(self._call, items))


def _kept(call: ProviderCall, items: list[JsonObject]) -> ProviderItems | None:
    """Return the items to be sent back; None where text and calls alone say as much."""
    is_plain = all(item.get("type") in {"message", "function_call"} and not item.get("phase") for item in items)
    return None if is_plain else tagged(call, WIRE, items)


def read_usage(usage: dict[str, Any]) -> Usage:
    """Read the tokens of a response; input tokens include those from and into the cache."""
    details = object_in(usage.get("input_tokens_details"))
    given, written = count_in(usage, "input_tokens", "prompt_tokens"), count_in(usage, "output_tokens",
                                                                              "completion_tokens")
    return Usage(given, written, count_in(details, "cached_tokens"), count_in(details, "cache_write_tokens"))
