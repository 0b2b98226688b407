"""The OpenAI Chat Completions wire, which most providers and local servers speak."""

import re
from typing import Any

from automatos.kernel.error_bodies import error_of, read_json
from automatos.llm.errors import ModelAnswerInvalid
from automatos.llm.providers import OnText, ProviderCall, effort_for
from automatos.llm.providers.ends import by_word, judge_end
from automatos.llm.providers.merging import JsonObject, merge_fields, whole
from automatos.llm.providers.refusals import classify
from automatos.llm.providers.replay import replayable, tagged
from automatos.llm.providers.shapes import (
    TEXT_TYPES,
    count_in,
    end_word,
    listed,
    object_in,
    parts_in,
    readable,
    reasoning_in,
    refusal_of,
    text_of,
)
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.providers.tool_calls import ANY_ID, CallJoiner, object_text, portable_id
from automatos.llm.providers.transport import CUT_OFF, exchange
from automatos.llm.types import Answer, AnswerEnd, Message, ProviderItems, Usage

WIRE = "openai"
ENDS = by_word({
    AnswerEnd.COMPLETE: ("stop", "end_turn", "end", "eos", "eos_token", "eos_found", "stop_sequence", "complete",
                         "completed", "done", "finished", "normal"),
    AnswerEnd.TOOL_CALLS: ("tool_calls", "tool_call", "tool_use", "function_call", "function_calls"),
    AnswerEnd.CUT_OFF: ("length", "max_tokens", "max_length", "model_length", "max_output_tokens", "token_limit",
                        "context_length_exceeded", "context_window_exceeded", "model_context_window_exceeded",
                        "incomplete", "time_limit", "pause_turn"),
    AnswerEnd.REFUSED: ("content_filter", "content_filtered", "refusal", "safety", "recitation", "blocklist",
                        "prohibited_content", "spii", "sensitive", "guardrail", "guardrails", "image_safety"),
})
"""The words for the end of a chat completion, vendors' own among them; any other word means that it broke off."""
SAMPLING = ("temperature", "top_p", "frequency_penalty", "presence_penalty")
READ = frozenset({"role", "content", "tool_calls", "function_call", "refusal"})
ANSWER_ONLY = frozenset({"annotations", "audio", "parsed", "stop_reason", "token_ids", "prompt_token_ids", "logprobs",
                         "error"})
"""Fields of an answer's message that are no part of the conversation."""
SKIPPED_SIGNATURE = "skip_thought_signature_validator"
_SIGNS_CALLS = re.compile(r"gemini-(?:[3-9]|\d\d)")
_WANTS_REASONING = re.compile(r"(?:^|[/.])(?:deepseek|kimi)")


class OpenAIProvider:
    """Asks over Chat Completions, always streaming; `reads_think_tags`: `<think>` at the beginning is reasoning."""

    def __init__(self, *, reads_think_tags: bool = True) -> None:
        self._reads_think_tags = reads_think_tags

    async def stream(self, call: ProviderCall, on_text: OnText) -> Answer:
        """Ask once; see `ModelProvider`."""
        return await exchange(
            call, "/chat/completions", key_headers(call), request_body(call), on_text=on_text,
            open_reader=lambda: ChatReader(call, ThinkTags(is_on=self._reads_think_tags)))


def key_headers(call: ProviderCall) -> dict[str, str]:
    """Return the headers that carry the key, in the provider's manner."""
    if call.provider.key_header:
        return {call.provider.key_header: call.api_key}
    return {"Authorization": f"Bearer {call.api_key}"} if call.api_key else {}


def request_body(call: ProviderCall) -> JsonObject:
    """Write the request: the model, the conversation, the tools, and only those settings that were chosen."""
    choice = call.choice
    body: JsonObject = {"model": choice.model_id, "messages": [_message(call, m) for m in call.messages],
                        "stream": True}
    if call.provider.stream_usage:
        body["stream_options"] = {"include_usage": True}
    if choice.max_tokens is not None:
        body[call.provider.limit_field] = choice.max_tokens
    body |= sampling(call, SAMPLING)
    if choice.reasoning_effort and (effort := effort_for(call)):
        body["reasoning_effort"] = effort
    if call.tools:
        body["tools"] = [{"type": "function", "function": {"name": t.name, "description": t.description,
                                                           "parameters": t.parameters}} for t in call.tools]
        if not call.may_call_tools:
            body["tool_choice"] = "none"
    return body


def sampling(call: ProviderCall, names: tuple[str, ...]) -> JsonObject:
    """Return the sampling settings that were chosen, none where the catalogue says that the model takes none."""
    if call.traits.takes_sampling is False:
        return {}
    return {name: value for name in names if (value := getattr(call.choice, name)) is not None}


def _message(call: ProviderCall, message: Message) -> JsonObject:
    pattern = call.provider.call_id_pattern or ANY_ID
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": portable_id(message.tool_call_id, pattern),
                "content": message.content}
    written: JsonObject = {"role": message.role, "content": message.content}
    if message.role != "assistant":
        return written
    kept = next(iter(replayable(call, WIRE, message)), {})
    if message.tool_calls:
        written["content"] = message.content or None
        extras: list[JsonObject] = kept.get("tool_calls") or []
        written["tool_calls"] = [
            _with_extra({"id": portable_id(c.id, pattern), "type": "function",
                         "function": {"name": c.name, "arguments": object_text(c.arguments)}},
                        extras[at] if at < len(extras) else {})
            for at, c in enumerate(message.tool_calls)]
    written |= {name: value for name, value in kept.items() if name != "tool_calls"}
    if message.tool_calls:
        _stand_in(call, written)
    return written


def _with_extra(written: JsonObject, extra: JsonObject) -> JsonObject:
    function = written["function"] | (extra.get("function") or {})
    return written | extra | {"function": function}


def _stand_in(call: ProviderCall, written: JsonObject) -> None:
    """Fill in what a model demands of a turn that another model made: the provider's own stand-in for a signature."""
    if call.provider.name == "google" and _SIGNS_CALLS.search(call.choice.model_id):
        written["tool_calls"][0].setdefault("extra_content", {"google": {"thought_signature": SKIPPED_SIGNATURE}})
    elif call.provider.name == "custom" and _WANTS_REASONING.search(call.choice.model_id.lower()):
        written.setdefault("reasoning_content", " ")


class ChatReader:
    """Joins the deltas of a streamed chat completion; what it does not read it keeps, to be sent back."""

    def __init__(self, call: ProviderCall, tags: ThinkTags) -> None:
        self.size = 0
        self.is_done = False
        self.usage: Usage | None = None
        self._call = call
        self._tags = tags
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls = CallJoiner()
        self._kept: JsonObject = {}
        self._parts: list[JsonObject] = []
        self._is_refusal = False
        self._finish_reason: str | None = None

    def take(self, data: bytes) -> str:
        """Read one event; see `AnswerReader`."""
        if data == b"[DONE]":
            self.is_done = True
            return ""
        event = read_json(data)
        if plain := _plain_text(event):
            return self._add_text(plain)
        self._take_usage(event.get("usage") or object_in(event.get("x_groq")).get("usage"))
        return "".join([self._take_choice(choice, self._delta_of(choice)) for choice in listed(event.get("choices"))
                        if isinstance(choice, dict)])

    def take_whole(self, document: JsonObject) -> str:
        """Read a whole chat completion; see `AnswerReader`."""
        self._take_usage(document.get("usage"))
        choice = object_in((listed(document.get("choices")) or [{}])[0])
        message = self._delta_of(choice)
        calls = [object_in(c) | {"index": i} for i, c in enumerate(listed(message.get("tool_calls")))]
        return self._take_choice(choice, message | {"tool_calls": calls})

    def _delta_of(self, choice: JsonObject) -> JsonObject:
        """Return what a choice adds; a whole message counts where no piece of it came before."""
        delta = object_in(choice.get("delta"))
        if delta or self._text or self._calls.calls:
            return delta
        return object_in(choice.get("message")) or {"content": choice.get("text")}

    def _take_usage(self, usage: Any) -> None:
        if isinstance(usage, dict) and usage:
            self.usage = read_usage(usage)  # pyright: ignore[reportUnknownArgumentType]

    def _take_choice(self, choice: JsonObject, delta: JsonObject) -> str:
        if failed := next((part for part in (choice, delta) if part.get("error")), None):
            raise classify(self._call, None, error_of(failed))
        self._take_usage(choice.get("usage"))
        if choice.get("index") not in {None, 0, "0", ""}:
            return ""
        self._finish_reason = end_word(choice.get("finish_reason")) or self._finish_reason
        calls = listed(delta.get("tool_calls"))
        if legacy := object_in(delta.get("function_call")):
            calls = [*calls, {"index": 0, "function": legacy}]
        for part in calls:
            self.size += self._calls.take(object_in(part))
        if len(delta) > 1 or "content" not in delta:
            self._keep(delta)
        content = delta.get("content")
        if not content:
            content = delta.get("refusal") or ""
            self._is_refusal = self._is_refusal or bool(content)
        if not content:
            return ""
        return self._add_text(content if isinstance(content, str) else self._take_parts(parts_in(content)))

    def _add_text(self, written: str) -> str:
        text = self._tags.feed(written.replace("\x00", ""))
        if text is not written and self._tags.is_reasoning:
            self._call.tell_reasoning(self._tags.fresh_reasoning())
        self._text.append(text)
        self.size += len(text)
        return text

    def _keep(self, delta: JsonObject) -> None:
        """Keep the fields that are not read here; the first that holds readable reasoning is read as well."""
        fresh = {name: value for name, value in delta.items()
                 if value is not None and name not in READ and name not in ANSWER_ONLY}
        if not fresh:
            return
        self._add_reasoning(reasoning_in(fresh))
        merge_fields(self._kept, fresh)
        self.size += 64 + sum(len(value) for value in fresh.values() if isinstance(value, str))

    def _take_parts(self, content: list[JsonObject]) -> str:
        """Read content that comes in typed parts, thinking among them; the parts are kept."""
        text = ""
        for part in content:
            if part.get("type") in {"thinking", "reasoning"}:
                self._add_reasoning(readable(part))
            declined = refusal_of(part)
            self._is_refusal = self._is_refusal or bool(declined)
            text += text_of(part) or declined
        merge_fields({"content": self._parts}, {"content": content})
        return text

    def _add_reasoning(self, text: str) -> None:
        self._reasoning.append(text)
        self._call.tell_reasoning(text)
        self.size += len(text)

    def finish(self) -> Answer:
        """Return the answer; see `AnswerReader`."""
        fault = self._call.fault
        self._text.append(self._tags.close())
        thought, text = self._tags.part("".join(self._text))
        calls = self._calls.finish(self._call.tools)
        reasoning = "".join(self._reasoning).replace("\x00", "") or thought
        has_answer = bool(text or calls or reasoning)
        if self._finish_reason is None and not (self.is_done and has_answer):
            raise fault(ModelAnswerInvalid, CUT_OFF if has_answer else "The answer holds no choices.")
        word = self._finish_reason or ("tool_calls" if calls else "stop")
        end = judge_end(self._call, word, ENDS, text=text, reasoning=reasoning, calls=calls)
        if any(not c.name for c in calls):
            raise fault(ModelAnswerInvalid, "The model called a tool without naming it.")
        if self._is_refusal and end is AnswerEnd.COMPLETE:
            end = AnswerEnd.REFUSED
        return Answer(text, calls, self.usage, word, end, reasoning, self._items())

    def _items(self) -> ProviderItems | None:
        kept: JsonObject = whole(self._kept)
        if any(call.extra for call in self._calls.calls):
            kept = kept | {"tool_calls": [whole(call.extra) for call in self._calls.calls]}
        if any(part.get("type", "text") not in TEXT_TYPES for part in self._parts):
            kept = kept | {"content": whole(self._parts)}
        return tagged(self._call, WIRE, [kept] if kept else [])


def _plain_text(event: JsonObject) -> str:
    """Return the text of a piece that adds a text to the first choice and nothing else, as nearly all do; else none."""
    choices = event.get("choices")
    if type(choices) is not list or len(choices) != 1 or event.get("usage") or "x_groq" in event:
        return ""
    choice: Any = choices[0]
    delta: Any = choice.get("delta") if type(choice) is dict else None
    if type(delta) is not dict or len(delta) != 1 or choice.get("finish_reason") is not None:
        return ""
    text = delta.get("content")
    is_plain = choice.get("index", 0) == 0 and not choice.get("usage") and not choice.get("error")
    return text if is_plain and type(text) is str else ""


def read_usage(usage: dict[str, Any]) -> Usage:
    """Read the tokens of a chat completion; prompt tokens already include the cached ones.

    Where the total is more than both parts, the rest was reasoning that a vendor left out of the answer's tokens.
    """
    details = object_in(usage.get("prompt_tokens_details"))
    given, written = count_in(usage, "prompt_tokens", "input_tokens"), count_in(usage, "completion_tokens",
                                                                              "output_tokens")
    cached = count_in(details, "cached_tokens") or count_in(usage, "prompt_cache_hit_tokens", "cached_tokens")
    return Usage(input_tokens=given, output_tokens=max(written, count_in(usage, "total_tokens") - given),
                 cache_read_tokens=cached)
