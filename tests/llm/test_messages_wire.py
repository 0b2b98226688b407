"""Messages: thinking comes back unchanged and in order, what was sent before is cached, there is room to think."""

import orjson
import pytest

from automatos.kernel.http import Http
from automatos.llm.providers.anthropic import AnthropicProvider, request_body
from automatos.llm.types import AnswerEnd, Message, ModelTraits, ToolCall
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.model_strict import strict
from tests.llm.wire_calls import ASKED, ask, call_to, next_call

WIRE = AnthropicProvider()
THINKS = ModelTraits(efforts=("low", "medium", "high"), takes_sampling=False, max_output_tokens=128_000)


@pytest.mark.parametrize("reasoning", ["I look outside.", ""], ids=["readable", "redacted"])
async def test_three_turns_with_tools_pass_the_strict_provider(
    outgoing: Http, model_server: ModelServer, reasoning: str
) -> None:
    model_server.strict = strict("anthropic")
    model_server.script(
        Reply(tool_calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})], reasoning=reasoning),
        Reply(text="One more.", tool_calls=[("weather", {})], reasoning=reasoning), Reply(text="Sunny."))
    call = call_to(outgoing, model_server, "anthropic", "claude-sonnet-5-5", traits=THINKS, reasoning_effort="max",
                   temperature=0.3)

    first = await ask(WIRE, call)
    second = await ask(WIRE, call := next_call(call, first, "sun", "snow"))
    third = await ask(WIRE, next_call(call, second, "rain"))

    kind = "thinking" if reasoning else "redacted_thinking"
    said = [[block["type"] for block in message["content"]] for message in model_server.calls[2].body["messages"]]
    assert model_server.refused == []
    assert said == [["text"], [kind, "tool_use", "tool_use"], ["tool_result", "tool_result"],
                    [kind, "text", "tool_use"], ["tool_result"]]
    assert (third.text, third.end, first.reasoning) == ("Sunny.", AnswerEnd.COMPLETE, reasoning)


async def test_a_model_that_thinks_is_asked_to_and_is_not_sampled(outgoing: Http, model_server: ModelServer) -> None:
    call = call_to(outgoing, model_server, "anthropic", "claude-opus-5-5", traits=THINKS, reasoning_effort="max",
                   temperature=0.3)

    body = request_body(call)

    assert body["thinking"] == {"type": "adaptive", "display": "summarized"}
    assert body["output_config"] == {"effort": "high"}
    assert "temperature" not in body


async def test_an_older_model_is_asked_as_it_was(outgoing: Http, model_server: ModelServer) -> None:
    model_server.strict = strict("anthropic")
    call = call_to(outgoing, model_server, "anthropic", "claude-haiku-4-5", traits=ModelTraits(efforts=()),
                   temperature=0.3, top_p=0.9, reasoning_effort="high")

    assert (await ask(WIRE, call)).text
    assert model_server.refused == []
    assert model_server.calls[0].body["temperature"] == 0.3
    assert not {"thinking", "output_config", "top_p"} & set(model_server.calls[0].body)


@pytest.mark.parametrize(("model_id", "limit", "chosen", "room"), [
    ("claude-opus-5-5", 128_000, None, 32_000), ("claude-3-haiku", 4096, None, 4096),
    ("claude-opus-9", None, None, 32_000),
    ("someone-elses", None, None, 8192), ("claude-opus-5-5", 128_000, 100, 100),
])
async def test_there_is_room_to_think(
    outgoing: Http, model_server: ModelServer, model_id: str, limit: int | None, chosen: int | None, room: int
) -> None:
    traits = ModelTraits(max_output_tokens=limit)

    body = request_body(call_to(outgoing, model_server, "anthropic", model_id, traits=traits, max_tokens=chosen))

    assert body["max_tokens"] == room


async def test_what_was_sent_before_is_marked_for_the_cache(outgoing: Http, model_server: ModelServer) -> None:
    said = [*ASKED]
    for n in range(4):
        said += [Message("assistant", "", (ToolCall(f"c{n}", "weather", "{}"),)),
                 Message("tool", "sun", tool_call_id=f"c{n}")]

    body = request_body(call_to(outgoing, model_server, "anthropic", "claude-opus-5-5", messages=said))
    marked = [at for at, message in enumerate(body["messages"]) if "cache_control" in message["content"][-1]]

    assert "cache_control" in body["tools"][-1]
    assert "cache_control" in body["system"][-1]
    assert marked == [6, 8]
    assert orjson.dumps(body).count(b"cache_control") == 4


async def test_one_question_without_tools_is_not_cached(outgoing: Http, model_server: ModelServer) -> None:
    body = request_body(call_to(outgoing, model_server, "anthropic", "claude-opus-5-5", tools=()))

    assert b"cache_control" not in orjson.dumps(body)


async def test_what_the_cache_gave_is_counted(outgoing: Http, model_server: ModelServer) -> None:
    model_server.script(Reply(text="Sunny.", usage=(10, 5), cached_tokens=900))

    answer = await ask(WIRE, call_to(outgoing, model_server, "anthropic", "claude-opus-5-5"))

    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.cache_read_tokens) == (910, 900)


@pytest.mark.parametrize(("model_id", "comes_back"), [("claude-opus-5-1", True), ("claude-sonnet-5-5", False)])
async def test_thinking_goes_to_its_own_family_only(
    outgoing: Http, model_server: ModelServer, model_id: str, comes_back: bool
) -> None:
    model_server.script(Reply(tool_calls=[("weather", {})], reasoning="I look."))
    call = call_to(outgoing, model_server, "anthropic", "claude-opus-5-5", traits=THINKS)

    answer = await ask(WIRE, call)
    sent = request_body(next_call(call, answer, "sun", model_id=model_id))["messages"][1]["content"]

    assert [block["type"] for block in sent] == ["thinking", "tool_use"] if comes_back else ["tool_use"]


@pytest.mark.parametrize("call_id", ["functions.weather:0", "call|1|x", "a" * 90, "ok_id-1"])
async def test_ids_of_calls_that_another_provider_made_are_taken(
    outgoing: Http, model_server: ModelServer, call_id: str
) -> None:
    model_server.strict = strict("anthropic", without=["thinking_comes_back"])
    said = [*ASKED, Message("assistant", "", (ToolCall(call_id, "weather", "{"),)),
            Message("tool", "sun", tool_call_id=call_id)]

    assert (await ask(WIRE, call_to(outgoing, model_server, "anthropic", "claude-opus-5-5", messages=said))).text
    assert model_server.refused == []
