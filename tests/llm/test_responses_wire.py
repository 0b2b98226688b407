"""Responses: asked without state, its items sent back in order; an address without it is asked over chat."""

from typing import Any

import openai
import orjson
import pytest

from automatos.kernel.http import Http
from automatos.llm.errors import ModelAnswerInvalid, ModelProblem, ModelRefused, ModelUnavailable, RateLimited
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.responses import ResponsesProvider, request_body
from automatos.llm.types import AnswerEnd, ModelTraits
from automatos.llm.wires import SwitchingProvider, lacks_responses, wants_responses
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.model_strict import strict
from tests.llm.wire_calls import ask, call_to, next_call

WIRE = ResponsesProvider()
TWO_CALLS = Reply(tool_calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})])


@pytest.fixture
def server(model_server: ModelServer) -> ModelServer:
    model_server.serves_responses = True
    return model_server


@pytest.mark.parametrize(("name", "model_id"), [
    ("openai", "gpt-6.1-terra"), ("azure", "gpt-6.1-terra"), ("xai", "grok-4.7"), ("openrouter", "openai/gpt-6.1"),
    ("openai", "gpt-4.1-mini"),
])
async def test_three_turns_with_tools_pass_a_strict_provider(
    outgoing: Http, server: ModelServer, name: str, model_id: str
) -> None:
    server.strict = strict(name)
    server.script(TWO_CALLS, Reply(text="One more.", tool_calls=[("weather", {})]), Reply(text="Sunny."))
    call = call_to(outgoing, server, name, model_id, max_tokens=5, reasoning_effort="low",
                   traits=ModelTraits(efforts=() if "4.1" in model_id else None))

    first = await ask(WIRE, call)
    second = await ask(WIRE, call := next_call(call, first, "sun", "snow"))
    third = await ask(WIRE, next_call(call, second, "rain"))

    kinds = [item.get("type", item.get("role")) for item in server.calls[2].body["input"]]
    thinks = ["reasoning"] if "4.1" not in model_id else []
    assert server.refused == []
    assert kinds == ["user", *thinks, "function_call", "function_call", *["function_call_output"] * 2, *thinks,
                     "message", "function_call", "function_call_output"]
    assert (third.text, third.end) == ("Sunny.", AnswerEnd.COMPLETE)
    assert third.reasoning == ("Thought 3 of " + model_id + "." if thinks else "")


async def test_items_come_back_as_they_were_and_not_to_another_family(outgoing: Http, server: ModelServer) -> None:
    server.script(Reply(text="Wait.", tool_calls=[("weather", {})], reasoning="I look."))
    call = call_to(outgoing, server, "openai", "gpt-6.1-terra")

    answer = await ask(WIRE, call)
    same = request_body(next_call(call, answer, "sun", model_id="gpt-6.1-sol"))["input"]
    other = request_body(next_call(call, answer, "sun", model_id="gpt-5-mini"))["input"]

    assert answer.items
    assert tuple(same[1:4]) == answer.items.items
    assert [item.get("type") or item["role"] for item in other] == [
        "user", "assistant", "function_call", "function_call_output"]
    assert b"encrypted_content" not in orjson.dumps(other)


async def test_reasoning_that_cannot_be_read_again_is_left_out_with_the_ids_that_lean_on_it(
    outgoing: Http, server: ModelServer
) -> None:
    server.script(Reply(tool_calls=[("weather", {})], reasoning="x"))
    call = call_to(outgoing, server, "openai", "gpt-6.1-terra")
    answer = await ask(WIRE, call)
    assert answer.items
    answer.items.items[0]["encrypted_content"] = None

    sent = request_body(next_call(call, answer, "sun"))["input"]

    assert [item.get("type") for item in sent] == [None, "function_call", "function_call_output"]
    assert "id" not in sent[1]


async def test_what_is_asked_is_stateless_and_fits_the_model(outgoing: Http, server: ModelServer) -> None:
    thinking = request_body(call_to(outgoing, server, "openai", "gpt-6.1-terra", reasoning_effort="high", max_tokens=3,
                                    temperature=0.3, traits=ModelTraits(efforts=("low", "high"), takes_sampling=False)))
    plain = request_body(call_to(outgoing, server, "openai", "gpt-4.1", temperature=0.3))

    assert (thinking["store"], thinking["include"]) == (False, ["reasoning.encrypted_content"])
    assert thinking["reasoning"] == {"summary": "auto", "effort": "high"}
    assert (thinking["max_output_tokens"], thinking["instructions"]) == (16, "Be brief.")
    assert thinking["prompt_cache_key"] == "run"
    assert "temperature" not in thinking
    assert plain["temperature"] == 0.3
    assert not {"include", "reasoning", "previous_response_id"} & set(plain)


@pytest.mark.parametrize(("reply", "end"), [
    (Reply(text="Half", finish_reason="length"), AnswerEnd.CUT_OFF),
    (Reply(text="Half", finish_reason="content_filter"), AnswerEnd.REFUSED),
    (Reply(text="I will not.", is_refusal=True), AnswerEnd.REFUSED),
    (Reply(text="Done"), AnswerEnd.COMPLETE), (TWO_CALLS, AnswerEnd.TOOL_CALLS),
])
async def test_ends_are_judged(outgoing: Http, server: ModelServer, reply: Reply, end: AnswerEnd) -> None:
    server.script(reply)
    pieces: list[str] = []

    answer = await ask(WIRE, call_to(outgoing, server, "openai", "m"), pieces)

    assert answer.end is end
    assert "".join(pieces) == answer.text == (reply.text or "")


def events(*said: dict[str, Any]) -> Reply:
    return Reply(body=b"".join(b"data: " + orjson.dumps(one) + b"\n\n" for one in said),
                 content_type="text/event-stream")


def failed(code: str, message: str) -> dict[str, Any]:
    return {"type": "response.failed", "response": {"status": "failed", "error": {"code": code, "message": message}}}


@pytest.mark.parametrize(("reply", "kind", "words"), [
    (Reply(text="Half", finish_reason="error"), ModelUnavailable, "broke off"),
    (events(failed("rate_limit_exceeded", "Too many requests")), RateLimited, "Too many"),
    (events({"type": "error", "code": "server_error", "message": "Out of luck"}), ModelUnavailable, "Out of luck"),
    (events({"type": "response.output_text.delta", "output_index": 0, "delta": "Half"}), ModelAnswerInvalid, "cut off"),
    (events({"type": "response.cancelled", "response": {"status": "cancelled", "output": []}}), ModelProblem, "cancel"),
])
async def test_an_answer_that_broke_off_is_none(
    outgoing: Http, server: ModelServer, reply: Reply, kind: type[ModelProblem], words: str
) -> None:
    server.script(reply)

    with pytest.raises(kind, match=words):
        await ask(WIRE, call_to(outgoing, server, "openai", "m"))


async def test_text_that_comes_only_with_the_finished_item_is_handed_on_once(
    outgoing: Http, server: ModelServer
) -> None:
    item = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Sunny."}]}
    server.script(events({"type": "response.output_item.done", "output_index": 0, "item": item},
                         {"type": "response.completed", "response": {"status": "completed", "output": [item]}}))
    pieces: list[str] = []

    answer = await ask(WIRE, call_to(outgoing, server, "vllm", "m"), pieces)

    assert (answer.text, pieces) == ("Sunny.", ["Sunny."])


@pytest.mark.parametrize("reply", [
    Reply(text="Sunny.", reasoning="I look.", usage=(90, 7), cached_tokens=80), TWO_CALLS,
], ids=["text", "calls"])
async def test_the_official_sdk_reads_what_we_read_and_takes_what_we_send(
    outgoing: Http, server: ModelServer, reply: Reply
) -> None:
    server.script(reply, repeat=True)
    call = call_to(outgoing, server, "openai", "gpt-6.1-terra", reasoning_effort="low")

    ours = await ask(WIRE, call)
    async with openai.AsyncOpenAI(api_key="sk-test", base_url=server.base_url, max_retries=0) as sdk:
        final = None
        async for event in await sdk.responses.create(**request_body(call)):
            final = event.response if event.type == "response.completed" else final

    assert final
    assert final.usage
    assert final.output_text == ours.text
    assert [(i.name, i.arguments) for i in final.output if i.type == "function_call"] == [
        (c.name, c.arguments) for c in ours.tool_calls]
    assert ours.usage
    assert (final.usage.input_tokens, final.usage.output_tokens, final.usage.input_tokens_details.cached_tokens) == (
        ours.usage.input_tokens, ours.usage.output_tokens, ours.usage.cache_read_tokens)
    assert server.calls[0].body == server.calls[1].body


def both() -> tuple[SwitchingProvider, SwitchingProvider]:
    return (SwitchingProvider(WIRE, OpenAIProvider(), lacks_responses),
            SwitchingProvider(OpenAIProvider(), WIRE, wants_responses))


async def test_an_address_without_responses_is_asked_over_chat_and_remembered(
    outgoing: Http, model_server: ModelServer
) -> None:
    model_server.strict = strict("vllm")
    responses_first, _ = both()

    for _ in range(2):
        assert (await ask(responses_first, call_to(outgoing, model_server, "openai", "my-model"))).text

    assert model_server.refused == ["404 /v1/responses"]
    assert [call.path for call in model_server.calls] == [
        "/v1/responses", "/v1/chat/completions", "/v1/chat/completions"]


async def test_a_missing_model_is_no_missing_address(outgoing: Http, model_server: ModelServer) -> None:
    model_server.serves_responses = True
    model_server.script(Reply(status=404, message="The model `m` does not exist", code="model_not_found"))

    with pytest.raises(ModelRefused, match="does not exist"):
        await ask(both()[0], call_to(outgoing, model_server, "openai", "m"))

    assert len(model_server.calls) == 1


async def test_a_model_that_wants_responses_behind_a_chat_address_gets_it(
    outgoing: Http, model_server: ModelServer
) -> None:
    model_server.strict = strict("openai", without=["unknown_fields"])
    _, chat_first = both()

    for _ in range(2):
        assert (await ask(chat_first, call_to(outgoing, model_server, "custom", "gpt-6.1-terra"))).text

    assert [call.path.rpartition("/")[2] for call in model_server.calls] == ["completions", "responses", "responses"]


async def test_a_server_that_answers_every_address_with_a_chat_completion_is_read(
    outgoing: Http, server: ModelServer
) -> None:
    chunk = {"choices": [{"delta": {"content": "Hello"}}]}
    server.script(events(chunk, {"choices": [{"delta": {}, "finish_reason": "stop"}]}),
                  Reply(body=orjson.dumps({"choices": [{"message": {"content": "Hello"}, "finish_reason": "stop"}]})))

    for _ in range(2):
        assert (await ask(WIRE, call_to(outgoing, server, "openai", "m"))).text == "Hello"
