"""Answers in shapes that no documentation names and servers send all the same; what they mean is read."""

import zlib
from typing import Any

import orjson
import pytest

from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.llm.errors import ModelAnswerInvalid, ModelProblem
from automatos.llm.providers.tool_calls import meant_arguments, plain_name
from automatos.llm.types import Answer, AnswerEnd
from automatos.llm.wires import open_wires
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.wire_calls import call_to

ARGUMENTS = '{"city":"Rome"}'
MESSAGE = {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]}


def stream(*events: dict[str, Any] | bytes, mark: bytes = b"data: [DONE]\n\n") -> bytes:
    lines = (event if isinstance(event, bytes) else orjson.dumps(event) for event in events)
    return b"".join(b"data: " + line + b"\n\n" for line in lines) + mark


def choice(delta: Any = None, finish: Any = None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta or {}, "finish_reason": finish} | more]}


def call(**part: Any) -> bytes:
    return stream(choice({"tool_calls": [part]}), choice(finish="tool_calls"))


def function(arguments: Any, **more: Any) -> bytes:
    return call(index=0, id="a", function={"name": "weather", "arguments": arguments} | more)


def block(*events: dict[str, Any] | bytes, end: str | None = "end_turn") -> bytes:
    start = {"type": "message_start", "message": {"usage": {"input_tokens": 3}}}
    ending = [{"type": "message_delta", "delta": {"stop_reason": end}, "usage": {"output_tokens": "5"}}] if end else []
    return stream(start, *events, *ending, mark=b"")


def begun(begins: Any, *deltas: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"type": "content_block_start", "index": 0, "content_block": begins},
            *({"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas)]


def response(*items: Any, **more: Any) -> bytes:
    return stream({"type": "response.completed", "response": {"status": "completed", "output": list(items)} | more})


@pytest.fixture
def wires(tmp_path):
    return open_wires(Settings(home=tmp_path))


async def read(wires, outgoing: Http, server: ModelServer, provider: str, body: bytes, **more: Any) -> Answer:
    server.script(Reply(body=body, content_type="text/event-stream", **more))
    server.serves_responses = True
    wire = {"openai": "only responses", "anthropic": "anthropic"}.get(provider, "only openai")
    return await wires.plain[wire].stream(call_to(outgoing, server, provider, "m"), lambda _: None)


TEXT = begun({"type": "text", "text": ""}, {"type": "text_delta", "text": "Hi"})


@pytest.mark.parametrize(("provider", "body"), [
    ("custom", stream(choice({"content": "Hi"}), choice(finish="null"), mark=b"data: [done]\n\n")),
    ("custom", stream(choice({"content": "Hi"}, "null"), choice(finish="None"))),
    ("custom", stream(choice({"content": "Hi"}), choice(finish={"type": "stop"}))),
    ("custom", stream(choice({"content": "Hi"}), choice(finish="FINISH_REASON_STOP"))),
    ("custom", stream(choice({"content": ["H", "i"]}), choice(finish="stop"))),
    ("custom", stream(choice({"content": [{"type": "output_text", "text": "Hi"}]}), choice(finish="stop"))),
    ("custom", stream(choice({"content": {"text": "Hi"}}), choice(finish="stop"))),
    ("custom", stream({"choices": [None]}, choice({"content": "Hi"}), choice(finish="stop"))),
    ("custom", stream({"choices": [{"index": "0", "delta": {"content": "Hi"}, "finish_reason": "stop"}]})),
    ("custom", stream({"choices": [{"message": {"content": "Hi"}, "finish_reason": "stop"}]})),
    ("custom", stream({"choices": [{"text": "Hi", "finish_reason": "stop"}]})),
    ("custom", stream(b'{"choices":[{"delta":{"content":"Hi"},"logprobs":[-Infinity,NaN],"finish_reason":"stop"}]}')),
    ("custom", b" " + stream(choice({"content": "Hi"}, "stop"))),
    ("custom", stream(choice({"content": "Hi"}, "stop"), {"choices": [], "usage": "n/a"})),
    ("anthropic", block(b"{}", *TEXT)), ("anthropic", block({"unknown": 1}, *TEXT)),
    ("anthropic", block(*TEXT, {"type": "message_delta", "delta": None})),
    ("anthropic", block(*TEXT) + b"data: [DONE]\n\n"),
    ("anthropic", block(*TEXT[1:])), ("anthropic", block(*[event | {"index": "0"} for event in TEXT])),
    ("anthropic", block(*begun({"type": "text", "text": ""}, {"type": "text_delta", "text": None}), *TEXT)),
    ("anthropic", b'{"content": "Hi", "stop_reason": "end_turn"}'),
    ("openai", response({"type": "message", "content": "Hi"})), ("openai", response(None, MESSAGE)),
    ("openai", stream({"type": "response.output_text.delta", "delta": None}, mark=b"") + response(MESSAGE)),
    ("openai", response({"type": "reasoning", "summary": ["hm"]}, MESSAGE)),
    ("openai", response(MESSAGE, usage={"input_tokens": "3"})),
])
async def test_a_text_is_read(wires, outgoing: Http, model_server: ModelServer, provider: str, body: bytes) -> None:
    answer = await read(wires, outgoing, model_server, provider, body)

    assert (answer.text, answer.end) == ("Hi", AnswerEnd.COMPLETE)


@pytest.mark.parametrize(("provider", "body"), [
    ("custom", function({"city": "Rome"})), ("custom", function(orjson.dumps(ARGUMENTS).decode())),
    ("custom", function(f"```json\n{ARGUMENTS}\n```")), ("custom", function("{}" + ARGUMENTS)),
    ("custom", call(index=0, id="a", name="weather", arguments=ARGUMENTS)),
    ("custom", call(index=0, id=7, function="weather", arguments=ARGUMENTS)),
    ("custom", function(ARGUMENTS, name="Weather()")),
    ("custom", stream(choice({"tool_calls": {"id": "a", "function": {"name": "weather", "arguments": ARGUMENTS}}}),
                      choice(finish="tool_calls"))),
    ("custom", stream(choice({"function_call": {"name": "weather", "arguments": '{"city":'}}),
                      choice({"function_call": {"arguments": '"Rome"}'}}), choice(finish="function_call"))),
    ("anthropic", block(*begun({"type": "tool_use", "name": "weather", "input": {}},
                               {"type": "input_json_delta", "partial_json": ARGUMENTS}), end="tool_use")),
    ("anthropic", block(*begun({"type": "tool_use", "id": "a", "name": "weather", "input": ARGUMENTS}))),
    ("openai", response({"type": "function_call", "call_id": "a", "name": "weather", "arguments": {"city": "Rome"}})),
])
async def test_a_call_is_read(wires, outgoing: Http, model_server: ModelServer, provider: str, body: bytes) -> None:
    answer = await read(wires, outgoing, model_server, provider, body)

    assert [(each.name, orjson.loads(each.arguments)) for each in answer.tool_calls] == [("weather", {"city": "Rome"})]
    assert all(each.id for each in answer.tool_calls)


@pytest.mark.parametrize("delta", [
    {"reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}]}, {"thinking": "hm"},
    {"reasoning_details": [{"type": "reasoning.summary", "summary": "hm"}]}, {"reasoning": {"content": "hm"}},
    {"reasoning_content": [{"type": "text", "text": "hm"}]}, {"content": [{"type": "reasoning", "text": "hm"}]},
])
async def test_reasoning_is_shown_wherever_it_stands(
    wires, outgoing: Http, model_server: ModelServer, delta: dict[str, Any]
) -> None:
    answer = await read(wires, outgoing, model_server, "custom",
                        stream(choice(delta), choice({"content": "Hi"}), choice(finish="stop")))

    assert (answer.reasoning, answer.text) == ("hm", "Hi")


@pytest.mark.parametrize(("provider", "body"), [
    ("anthropic", block(*begun({"type": "text", "text": ""}, {"type": "text_delta", "text": "<think>hm</think>Hi"}))),
    ("openai", response({"type": "message", "content": [{"type": "output_text", "text": "<think>hm</think>Hi"}]})),
])
async def test_think_tags_are_read_over_every_wire_of_a_server_of_ones_own(
    wires, outgoing: Http, model_server: ModelServer, provider: str, body: bytes
) -> None:
    answer = await read(wires, outgoing, model_server, provider, body)

    assert (answer.reasoning, answer.text) == ("hm", "Hi")


@pytest.mark.parametrize("body", [
    stream(choice({"content": [{"type": "refusal", "refusal": "No."}]}), choice(finish="stop")),
    stream(choice({"refusal": "No."}), choice(finish="stop")),
])
async def test_a_part_that_declines_is_a_refusal(wires, outgoing: Http, model_server: ModelServer, body: bytes) -> None:
    answer = await read(wires, outgoing, model_server, "custom", body)

    assert (answer.end, answer.text) == (AnswerEnd.REFUSED, "No.")


@pytest.mark.parametrize(("provider", "body"), [
    ("custom", stream(choice({"content": "Hi"}), choice(finish=1))), ("custom", stream({"choices": [{"delta": 5}]})),
    ("anthropic", block(*begun({"type": "tool_use", "id": "a", "input": {}}))),
    ("anthropic", block(*TEXT, end=None)), ("openai", stream({"type": "response.completed"})),
])
async def test_what_means_nothing_is_an_invalid_answer_and_no_crash(
    wires, outgoing: Http, model_server: ModelServer, provider: str, body: bytes
) -> None:
    with pytest.raises(ModelAnswerInvalid):
        await read(wires, outgoing, model_server, provider, body)


async def test_an_encoding_that_nobody_asked_for_is_named(wires, outgoing: Http, model_server: ModelServer) -> None:
    with pytest.raises(ModelProblem, match=r"cannot read as HTTP.*zstd"):
        await read(wires, outgoing, model_server, "custom", zlib.compress(b"x"), headers={"Content-Encoding": "zstd"})


@pytest.mark.parametrize(("written", "meant"), [
    ("", "{}"), ("  ", "{}"), ("null", "{}"), ('""', "{}"), ("{}", "{}"), (' {"a":1} ', '{"a":1}'),
    ('{"a":"x\ny"}', '{"a":"x\\ny"}'), ("[1]", "[1]"), ("no", "no"), ('"no"', '"no"'), ("{}{}", "{}"), ("7", "7"),
])
def test_arguments_are_read_as_meant_or_left_as_they_are(written: str, meant: str) -> None:
    assert meant_arguments(written) == meant


@pytest.mark.parametrize(("written", "name"), [
    ("weather()", "weather"), ("functions.weather:0", "weather"), ("WEATHER", "weather"), ("climate", "climate"),
])
def test_a_name_is_that_of_the_tool_that_is_meant(written: str, name: str) -> None:
    assert plain_name(written, {"weather", "Time", "time"}) == name
    assert plain_name("TIME", {"Time", "time"}) == "TIME"
