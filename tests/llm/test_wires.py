"""The scripted server satisfies the official SDKs, and our adapters read what the SDKs read."""

from collections.abc import Sequence
from typing import Any

import anthropic
import openai
import orjson
import pytest

from automatos.credentials.service import get_provider
from automatos.kernel.http import Http
from automatos.llm.providers import ProviderCall
from automatos.llm.providers.anthropic import AnthropicProvider
from automatos.llm.providers.anthropic import request_body as anthropic_body
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.openai import request_body as openai_body
from automatos.llm.types import Answer, Message, ModelChoice, ToolCall, ToolSpec
from tests.fakes.model_server import ModelServer, Reply

TOOL = ToolSpec("weather", "Tells the weather.", {"type": "object", "properties": {"city": {"type": "string"}}})
ASKED = [Message("system", "Be brief."), Message("user", "Weather in Paris and Rome?")]
ANSWERED = [
    *ASKED,
    Message("assistant", "Looking.", (ToolCall("c1", "weather", '{"city":"Paris"}'),
                                      ToolCall("c2", "weather", '{"city":"Rome"}'))),
    Message("tool", "sunny", tool_call_id="c1"), Message("tool", "rain", tool_call_id="c2"),
    Message("user", "And which is nicer? ☀️"),
]
REPLIES = {
    "text": Reply(text="Paris, by far: ☀️ é 漢字 🙂.", chunks=7),
    "tools": Reply(text="One moment.", tool_calls=[("weather", {"city": "Zürich"}), ("weather", {"city": "Kraków"})]),
    "tools only": Reply(tool_calls=[("weather", {})]),
    "cut by the limit": Reply(text="A long", finish_reason="length"),
}


def call_of(outgoing: Http, server: ModelServer, provider: str, messages: Sequence[Message]) -> ProviderCall:
    url = server.url if provider == "anthropic" else server.base_url
    choice = ModelChoice(provider, "fake-model", temperature=0.3, max_tokens=64)
    return ProviderCall(outgoing.anywhere, get_provider(provider), url, "sk-test", choice, messages, [TOOL], "run:1")


@pytest.mark.parametrize("messages", [ASKED, ANSWERED], ids=["asked", "answered"])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
async def test_the_openai_sdk_and_our_adapter_read_the_same(
    outgoing: Http, model_server: ModelServer, reply: Reply, messages: list[Message]
) -> None:
    model_server.script(reply, repeat=True)
    call = call_of(outgoing, model_server, "openai", messages)
    sdk = openai.AsyncOpenAI(api_key="sk-test", base_url=model_server.base_url, max_retries=0)

    ours = await OpenAIProvider().stream(call, lambda _: None)
    body = openai_body(call)
    theirs = await _openai_stream(sdk, body)
    whole = await sdk.chat.completions.create(**body | {"stream": False, "stream_options": openai.omit})
    await sdk.close()

    choice = whole.choices[0]
    assert (theirs.text, theirs.finish_reason) == (choice.message.content or "", choice.finish_reason)
    assert _shape(ours) == _shape(theirs)
    assert ours.usage is not None
    assert theirs.usage == (ours.usage.input_tokens, ours.usage.output_tokens)
    assert model_server.calls[0].body == model_server.calls[1].body


class _Read:
    def __init__(self) -> None:
        self.text, self.finish_reason, self.usage = "", "", None
        self.tool_calls: list[Any] = []


async def _openai_stream(sdk: openai.AsyncOpenAI, body: dict[str, Any]) -> _Read:
    read, calls = _Read(), {}
    async for chunk in await sdk.chat.completions.create(**body):
        if chunk.usage:
            read.usage = (chunk.usage.prompt_tokens, chunk.usage.completion_tokens)
        for choice in chunk.choices:
            read.text += choice.delta.content or ""
            read.finish_reason = choice.finish_reason or read.finish_reason
            for part in choice.delta.tool_calls or []:
                found = calls.setdefault(part.index, ["", ""])
                found[0] += part.function.name or ""
                found[1] += part.function.arguments or ""
    read.tool_calls = [ToolCall("", name, arguments) for name, arguments in calls.values()]
    return read


def _shape(answer: Answer | _Read) -> tuple[Any, ...]:
    return answer.text, [(c.name, c.arguments) for c in answer.tool_calls], answer.finish_reason


@pytest.mark.parametrize("messages", [ASKED, ANSWERED], ids=["asked", "answered"])
@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
async def test_the_anthropic_sdk_and_our_adapter_read_the_same(
    outgoing: Http, model_server: ModelServer, reply: Reply, messages: list[Message]
) -> None:
    model_server.script(reply, repeat=True)
    call = call_of(outgoing, model_server, "anthropic", messages)
    sdk = anthropic.AsyncAnthropic(api_key="sk-test", base_url=model_server.url, max_retries=0)

    ours = await AnthropicProvider().stream(call, lambda _: None)
    body = {name: value for name, value in anthropic_body(call).items() if name not in {"stream", "temperature"}}
    async with sdk.messages.stream(**body) as stream:
        theirs = await stream.get_final_message()
    whole = await sdk.messages.create(**body)
    await sdk.close()

    assert [b.model_dump(exclude={"id"}) for b in theirs.content] == [
        b.model_dump(exclude={"id"}) for b in whole.content]
    assert ours.text == "".join(block.text for block in theirs.content if block.type == "text")
    assert [(c.name, c.arguments) for c in ours.tool_calls] == [
        (b.name, '{"city":"' + b.input["city"] + '"}' if b.input else "{}")
        for b in theirs.content if b.type == "tool_use"]
    assert ours.usage is not None
    assert ours.usage.input_tokens == theirs.usage.input_tokens
    assert ours.usage.output_tokens == theirs.usage.output_tokens
    reasons = {"end_turn": "stop", "tool_use": "tool_calls", "max_tokens": "length"}
    assert ours.finish_reason == reasons[theirs.stop_reason or ""]


def test_anthropic_turns_alternate_and_hold_every_tool_result(http_free_call: ProviderCall) -> None:
    turns = anthropic_body(http_free_call)["messages"]

    assert [turn["role"] for turn in turns] == ["user", "assistant", "user"]
    assert [block["type"] for block in turns[2]["content"]] == ["tool_result", "tool_result", "text"]


@pytest.fixture
def http_free_call() -> ProviderCall:
    choice = ModelChoice("anthropic", "fake-model")
    return ProviderCall(None, get_provider("anthropic"), "", "", choice, ANSWERED, [TOOL])  # type: ignore[arg-type]


async def test_the_sdks_list_the_models(model_server: ModelServer) -> None:
    one = openai.AsyncOpenAI(api_key="sk-test", base_url=model_server.base_url, max_retries=0)
    two = anthropic.AsyncAnthropic(api_key="sk-test", base_url=model_server.url, max_retries=0)

    assert "fake-model" in {model.id for model in (await one.models.list()).data}
    assert "fake-model" in {model.id for model in (await two.models.list()).data}
    await one.close()
    await two.close()


async def test_the_sdks_read_the_errors_as_their_own(model_server: ModelServer) -> None:
    model_server.script(Reply(status=429, headers={"Retry-After": "1"}), repeat=True)
    one = openai.AsyncOpenAI(api_key="sk-test", base_url=model_server.base_url, max_retries=0)
    two = anthropic.AsyncAnthropic(api_key="sk-test", base_url=model_server.url, max_retries=0)

    with pytest.raises(openai.RateLimitError):
        await one.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}])
    with pytest.raises(anthropic.RateLimitError):
        await two.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "x"}])
    await one.close()
    await two.close()


@pytest.mark.parametrize("events", [
    [{"tool_calls": [{"id": "a", "function": {"name": "f", "arguments": "{}"}}]},
     {"tool_calls": [{"id": "b", "function": {"name": "g", "arguments": "{}"}}]}],
    [{"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}]},
     {"tool_calls": [{"index": 0, "id": "b", "function": {"name": "g", "arguments": "{}"}}]}],
    [{"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": ""}},
                     {"index": 1, "id": "b", "function": {"name": "g", "arguments": ""}}]},
     {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}, {"index": 0, "function": {"arguments": "{}"}}]}],
    [{"reasoning_content": "hm", "tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": {}}},
                                                {"index": 1, "id": "b", "function": {"name": "g"}}]}],
], ids=["no index", "index always 0", "interleaved", "arguments as an object"])
async def test_tool_calls_are_joined_however_a_vendor_numbers_them(
    outgoing: Http, model_server: ModelServer, events: list[dict[str, Any]]
) -> None:
    lines = [b'data: {"choices":[{"delta":' + orjson.dumps(event) + b"}]}\r\n\r\n" for event in events]
    lines.append(b'data: {"choices":[{"delta":{},"finish_reason":"tool_calls"}]}\r\n\r\ndata: [DONE]')
    model_server.script(Reply(body=b": hello\n\n" + b"".join(lines), content_type="text/event-stream"))

    answer = await OpenAIProvider().stream(call_of(outgoing, model_server, "openai", ASKED), lambda _: None)

    assert [(c.id, c.name, c.arguments) for c in answer.tool_calls] == [("a", "f", "{}"), ("b", "g", "{}")]
    assert answer.text == ""
