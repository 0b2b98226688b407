"""Chat Completions: what vendors add comes back to them, calls are told apart by what they bring."""

from typing import Any

import orjson
import pytest

from automatos.kernel.http import Http
from automatos.llm.errors import ModelProblem, ModelUnavailable
from automatos.llm.providers.merging import merge_fields, whole
from automatos.llm.providers.openai import OpenAIProvider, request_body
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.types import AnswerEnd, Message, ModelTraits, ToolCall
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.model_strict import strict
from tests.llm.wire_calls import ASKED, ask, call_to, chunks, next_call, streamed

WIRE = OpenAIProvider()
FIRST, SECOND = '{"city": "Rome"}', '{"city": "Oslo"}'


def part(arguments: Any = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    function = ({"name": name} if name else {}) | ({"arguments": arguments} if arguments is not None else {})
    return {"function": function} | more


@pytest.mark.parametrize(("name", "provider", "model_id"), [
    ("gemini", "google", "gemini-3.8-flash"), ("deepseek", "custom", "deepseek-v4-pro"),
    ("kimi", "custom", "kimi-k2.6"), ("openrouter", "openrouter", "anthropic/claude-sonnet-5.5"),
    ("groq", "groq", "openai/gpt-oss-120b"), ("mistral", "mistral", "mistral-small-latest"),
    ("vllm", "vllm", "qwen3-32b"), ("ollama", "ollama", "qwen3:32b"), ("huggingface", "huggingface", "zai-org/GLM-5.3"),
])
async def test_three_turns_with_tools_pass_a_strict_provider(
    outgoing: Http, model_server: ModelServer, name: str, provider: str, model_id: str
) -> None:
    model_server.strict = strict(name)
    model_server.script(Reply(tool_calls=[("weather", {"city": "Rome"}), ("weather", {"city": "Oslo"})]),
                        Reply(text="One more.", tool_calls=[("weather", {"city": "Bonn"})]), Reply(text="Sunny."))
    call = call_to(outgoing, model_server, provider, model_id, max_tokens=500)

    first = await ask(WIRE, call)
    second = await ask(WIRE, call := next_call(call, first, "sun", "snow"))
    third = await ask(WIRE, next_call(call, second, "rain"))

    assert model_server.refused == []
    assert (third.text, third.end) == ("Sunny.", AnswerEnd.COMPLETE)
    assert third.reasoning == "" if name in {"gemini", "mistral"} else third.reasoning.startswith("Thought 3")


@pytest.mark.parametrize(("name", "provider", "model_id"), [
    ("gemini", "google", "gemini-3.8-flash"), ("deepseek", "custom", "deepseek-v4-pro"),
    ("kimi", "custom", "kimi-k2.6"), ("mistral", "mistral", "mistral-small-latest"),
])
async def test_a_turn_of_another_model_is_taken_without_its_items(
    outgoing: Http, model_server: ModelServer, name: str, provider: str, model_id: str
) -> None:
    model_server.script(Reply(tool_calls=[("weather", {})], reasoning="Elsewhere I thought.", style="reasoning"))
    call = call_to(outgoing, model_server, "openrouter", "qwen/qwen3-32b")
    first = await ask(WIRE, call)
    model_server.strict = strict(name)

    answer = await ask(WIRE, next_call(call, first, "sun", provider=provider, model_id=model_id))

    assert first.items is not None
    assert model_server.refused == []
    assert answer.end is AnswerEnd.COMPLETE
    assert b"Elsewhere" not in orjson.dumps(model_server.calls[-1].body)


async def test_fields_that_nobody_here_knows_go_back_where_they_stood(
    outgoing: Http, model_server: ModelServer
) -> None:
    signed = {"vendor": {"sig": "abc", "n": 1}}
    model_server.script(chunks(
        {"role": "assistant", "content": None, "mood": "gl"}, {"mood": "ad"}, {"trace": [{"index": 0, "text": "a"}]},
        {"trace": [{"index": 1, "text": "x"}, {"index": 0, "text": "b"}]},
        {"tool_calls": [part("", "weather", index=0, id="c1", extra_content=signed)]},
        {"tool_calls": [part(FIRST, index=0) | {"function": {"arguments": FIRST, "note": "n"}}]}))
    call = call_to(outgoing, model_server, "custom", "m")

    answer = await ask(WIRE, call)
    sent = request_body(next_call(call, answer, "sun"))["messages"][2]

    assert sent["mood"] == "glad"
    assert sent["trace"] == [{"index": 0, "text": "ab"}, {"index": 1, "text": "x"}]
    assert sent["tool_calls"] == [{"id": "c1", "type": "function", "extra_content": signed,
                                   "function": {"name": "weather", "arguments": FIRST, "note": "n"}}]


async def test_a_whole_answer_keeps_what_a_streamed_one_keeps(outgoing: Http, model_server: ModelServer) -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": None, "reasoning_content": "hm", "annotations": [],
                                     "tool_calls": [part(FIRST, "weather", id="c1", extra_content={"a": 1})]},
                         "finish_reason": "tool_calls"}]}
    model_server.script(Reply(body=orjson.dumps(body)))

    answer = await ask(WIRE, call_to(outgoing, model_server, "custom", "m"))

    assert answer.reasoning == "hm"
    assert answer.items
    assert answer.items.items == ({"reasoning_content": "hm", "tool_calls": [{"extra_content": {"a": 1}}]},)


async def test_thinking_in_typed_parts_is_reasoning_and_goes_back_in_parts(
    outgoing: Http, model_server: ModelServer
) -> None:
    model_server.script(chunks(
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "I "}]}]},
        {"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "look."}]}]},
        {"content": [{"type": "text", "text": "Sun"}]}, {"content": [{"type": "text", "text": "ny."}]}, finish="stop"))
    call = call_to(outgoing, model_server, "mistral", "magistral-small")

    answer = await ask(WIRE, call)
    sent = request_body(next_call(call, answer))["messages"][2]

    assert (answer.text, answer.reasoning) == ("Sunny.", "I look.")
    assert sent["content"] == [{"type": "thinking", "thinking": [{"type": "text", "text": "I look."}]},
                               {"type": "text", "text": "Sunny."}]


@pytest.mark.parametrize("deltas", [
    [part(FIRST, "weather", id=""), part(SECOND, "weather", id="")],
    [part(FIRST, "weather"), part(SECOND, "weather")],
    [part(FIRST, "weather", index=0), part(SECOND, "weather", index=0)],
    [part("", "weather"), part('{"city"', None), part(': "Rome"}', None), part(SECOND, "weather")],
    [part('{"city"', "weather"), part(': "Rome"}', "weather"), part(SECOND, "weather")],
    [part(FIRST, "weather", id="a"), part(SECOND, "weather", id="a")],
    [part('{"city"', "weather", id="a"), part(': "Rome"}', "weather", id="a"), part(SECOND, "weather", id="b")],
    [part("", "weather", id="a"), part("", "weather", id="b"), part(FIRST, id="a"), part(SECOND, id="b")],
    [part('{"city"', "weather", index=0, id="a"), part('{"city": ', "weather", index=1, id="b"),
     part(': "Rome"}', index=0), part('"Oslo"}', index=1)],
    [part({"city": "Rome"}, "weather", index="0"), part({"city": "Oslo"}, "weather", index="1")],
    [part(None, None, index=0, id="a"), part(None, "weather", index=0), part(FIRST, index=0),
     part(SECOND, "weather", index=1)],
], ids=["empty ids", "no ids", "all numbered 0", "streamed unnumbered", "name repeated", "one id for both",
        "id repeated", "by id alone", "interleaved", "objects and text as numbers", "id before name"])
async def test_parallel_calls_are_told_apart_by_what_their_pieces_bring(
    outgoing: Http, model_server: ModelServer, deltas: list[dict[str, Any]]
) -> None:
    model_server.script(chunks(*({"tool_calls": [delta]} for delta in deltas)))

    answer = await ask(WIRE, call_to(outgoing, model_server, "custom", "m"))

    assert [orjson.loads(c.arguments) for c in answer.tool_calls] == [{"city": "Rome"}, {"city": "Oslo"}]
    assert [c.name for c in answer.tool_calls] == ["weather", "weather"]
    ids = [c.id for c in answer.tool_calls]
    assert all(ids)
    assert len(set(ids)) == 2


@pytest.mark.parametrize("arguments", ['{"city": "Rome"', "[1]", "null", "", "not at all", '"text"'])
async def test_arguments_that_are_no_object_never_go_back(
    outgoing: Http, model_server: ModelServer, arguments: str
) -> None:
    said = [*ASKED, Message("assistant", "", (ToolCall("c1", "weather", arguments),)),
            Message("tool", "not JSON", tool_call_id="c1")]

    sent = request_body(call_to(outgoing, model_server, "custom", "m", messages=said))["messages"]

    assert sent[2]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize("written", ["weather<|channel|>commentary", "functions.weather", " weather\n", "weather"])
async def test_a_tools_name_loses_what_models_leave_around_it(
    outgoing: Http, model_server: ModelServer, written: str
) -> None:
    model_server.script(chunks({"tool_calls": [part(FIRST, written, index=0, id="c1")]}))

    answer = await ask(WIRE, call_to(outgoing, model_server, "vllm", "gpt-oss"))

    assert [c.name for c in answer.tool_calls] == ["weather"]


CAUSE = {"code": 502, "message": "Provider disconnected"}
BROKEN_OFF: dict[str, list[dict[str, Any]]] = {
    "in the choice": [{"choices": [{"delta": {}, "finish_reason": "error", "error": CAUSE}]}],
    "in the delta": [{"choices": [{"delta": {"content": "", "error": CAUSE}, "finish_reason": "error"}]}],
    "a text in the delta": [{"choices": [{"delta": {"error": "502: Provider disconnected, overloaded"}}]}],
    "in a later chunk": [{"choices": [{"delta": {}, "finish_reason": "error"}]},
                         {"choices": [], "error": CAUSE}],
    "beside choices": [{"choices": [{"delta": {}, "finish_reason": "error"}], "error": CAUSE}],
    "deeper": [{"choices": [{"delta": {}, "error": {
        "code": 502, "message": "Provider returned error",
        "metadata": {"raw": '{"error": {"message": "Provider disconnected"}}'}}}]}],
}


@pytest.mark.parametrize("events", BROKEN_OFF.values(), ids=BROKEN_OFF)
async def test_the_cause_of_a_broken_answer_is_told_and_it_is_asked_again(
    outgoing: Http, model_server: ModelServer, events: list[dict[str, Any]]
) -> None:
    model_server.script(streamed({"choices": [{"delta": {"content": "Half"}}]}, *events))

    with pytest.raises(ModelUnavailable, match="Provider disconnected"):
        await ask(WIRE, call_to(outgoing, model_server, "openrouter", "m"))


@pytest.mark.parametrize("choice", [{"message": {"content": "Half"}, "error": CAUSE},
                                    {"message": {"content": "Half", "error": CAUSE}}])
async def test_the_cause_in_a_whole_answer_is_told(
    outgoing: Http, model_server: ModelServer, choice: dict[str, Any]
) -> None:
    model_server.script(Reply(body=orjson.dumps({"choices": [choice | {"finish_reason": "error"}]}),
                              content_type="application/json"))

    with pytest.raises(ModelUnavailable, match="Provider disconnected"):
        await ask(WIRE, call_to(outgoing, model_server, "openrouter", "m"))


@pytest.mark.parametrize(("pieces", "text", "reasoning"), [
    (["<think>I add.</think>\n\nFour"], "Four", "I add."),
    (["\n<thi", "nk>I ", "add.</th", "ink>", "\n", "\nFour", "."], "Four.", "I add."),
    (["<thinking>a < b</thinking>Four"], "Four", "a < b"), (["<thought>x</thought>y"], "y", "x"),
    (["<THINK>x</Think>y"], "y", "x"), (["[THINK]x[/THINK]\ny"], "y", "x"), (["<reasoning>x</reasoning>y"], "y", "x"),
    (["\u25c1think\u25b7x\u25c1/think\u25b7y"], "y", "x"), (["<seed:think>x</seed:think>y"], "y", "x"),
    (["<think>a</think>\n<think>b</think>y"], "y", "ab"),
    (["<|channel|>analysis<|message|>x<|end|><|start|>assistant<|chan", "nel|>final<|message|>y"], "y", "x"),
    (["<think>I never stop"], "", "I never stop"), (["<think></think>Four"], "Four", ""),
    (["Use <think> tags.</think>"], "Use <think> tags.</think>", ""), (["<", "3"], "<3", ""), (["<th"], "<th", ""),
    (["<table>", "x"], "<table>x", ""), ([" ", "Hi"], " Hi", ""),
])
def test_think_tags_at_the_beginning_are_reasoning(pieces: list[str], text: str, reasoning: str) -> None:
    tags = ThinkTags(is_on=True)

    written = "".join([*(tags.feed(piece) for piece in pieces), tags.close()])

    assert (written, tags.reasoning) == (text, reasoning)


@pytest.mark.parametrize("cut", range(1, 30))
def test_think_tags_may_be_cut_anywhere(cut: int) -> None:
    whole = "<think>I add.</think>\nIt is 4"
    tags = ThinkTags(is_on=True)

    assert tags.feed(whole[:cut]) + tags.feed(whole[cut:]) + tags.close() == "It is 4"
    assert tags.reasoning == "I add."


@pytest.mark.parametrize(("written", "text", "reasoning"), [
    ("I add.\n</think>\n\nIt is 4.", "It is 4.", "I add."), ("</think>\nIt is 4.", "It is 4.", ""),
    ("I add.\n</thinking>\nIt is 4.", "It is 4.", "I add."),
    ("Close it with </think> at the end.", "Close it with </think> at the end.", ""),
    ("```\na\n</think>\n```", "```\na\n</think>\n```", ""),
])
async def test_reasoning_whose_tag_was_opened_in_the_prompt_is_no_part_of_the_answer(
    outgoing: Http, model_server: ModelServer, written: str, text: str, reasoning: str
) -> None:
    model_server.script(Reply(text=written, chunks=3))

    answer = await ask(OpenAIProvider(), call_to(outgoing, model_server, "vllm", "m"))

    assert (answer.text, answer.reasoning) == (text, reasoning)


async def test_think_tags_are_left_alone_where_the_setting_says_so(outgoing: Http, model_server: ModelServer) -> None:
    model_server.script(Reply(text="<think>I add.</think>Four"))

    answer = await ask(OpenAIProvider(reads_think_tags=False), call_to(outgoing, model_server, "vllm", "m"))

    assert (answer.text, answer.reasoning) == ("<think>I add.</think>Four", "")


@pytest.mark.parametrize("reply", [
    Reply(text="<think>I never stop"), chunks({"reasoning_content": "I only think."}, finish="stop"),
    chunks({"reasoning_details": [{"type": "reasoning.text", "text": "hm", "index": 0}], "reasoning": "hm"},
           finish="stop"),
], ids=["tag", "field", "details"])
async def test_reasoning_alone_is_no_answer(outgoing: Http, model_server: ModelServer, reply: Reply) -> None:
    model_server.script(reply)

    with pytest.raises(ModelProblem, match="reasoning and no answer") as caught:
        await ask(WIRE, call_to(outgoing, model_server, "ollama", "m"))

    assert caught.value.is_retryable


@pytest.mark.parametrize(("chosen", "taken", "sent"), [
    (None, ("low",), None), ("high", None, "high"), ("high", ("low", "high"), "high"), ("max", ("low", "high"), "high"),
    ("medium", ("low", "high"), "low"), ("none", ("low", "high"), "low"), ("low", (), None),
])
async def test_the_nearest_effort_that_the_model_takes_is_asked_for(
    outgoing: Http, model_server: ModelServer, chosen: str | None, taken: tuple[str, ...] | None, sent: str | None
) -> None:
    call = call_to(outgoing, model_server, "groq", "m", traits=ModelTraits(efforts=taken), reasoning_effort=chosen)

    assert request_body(call).get("reasoning_effort") == sent


async def test_a_model_that_takes_no_sampling_is_sent_none(outgoing: Http, model_server: ModelServer) -> None:
    call = call_to(outgoing, model_server, "groq", "m", traits=ModelTraits(takes_sampling=False), temperature=0.2)

    assert "temperature" not in request_body(call)


@pytest.mark.parametrize(("usage", "read"), [
    ({"prompt_tokens": 9, "completion_tokens": 5, "total_tokens": 20}, (9, 11, 0)),
    ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_cache_hit_tokens": 4}, (9, 5, 4)),
    ({"prompt_tokens": 9, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 3}}, (9, 5, 3)),
], ids=["reasoning left out", "DeepSeek", "OpenAI"])
async def test_tokens_are_read_as_each_vendor_tells_them(
    outgoing: Http, model_server: ModelServer, usage: dict[str, Any], read: tuple[int, int, int]
) -> None:
    model_server.script(chunks({"content": "Hi"}, finish="stop", usage=usage))

    answer = await ask(WIRE, call_to(outgoing, model_server, "custom", "m"))

    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens, answer.usage.cache_read_tokens) == read


@pytest.mark.parametrize(("pieces", "merged"), [
    ([{"d": [{"type": "t", "text": "a"}]}, {"d": [{"type": "t", "text": "b"}]}], {"d": [{"type": "t", "text": "ab"}]}),
    ([{"d": [{"type": "t", "text": "a", "id": "1"}]}, {"d": [{"type": "t", "text": "b", "id": "2"}]}],
     {"d": [{"type": "t", "text": "a", "id": "1"}, {"type": "t", "text": "b", "id": "2"}]}),
    ([{"d": [{"type": "reasoning.encrypted", "data": "x"}]}, {"d": [{"type": "reasoning.encrypted", "data": "y"}]}],
     {"d": [{"type": "reasoning.encrypted", "data": "x"}, {"type": "reasoning.encrypted", "data": "y"}]}),
    ([{"d": [{"type": "t", "text": "a", "index": 0, "signature": None}]},
      {"d": [{"type": "t", "index": 0, "signature": "s"}]}],
     {"d": [{"type": "t", "text": "a", "index": 0, "signature": "s"}]}),
    ([{"e": {"google": {"sig": "s"}}}, {"e": {"google": {"sig": "s"}, "n": 2}}],
     {"e": {"google": {"sig": "s"}, "n": 2}}),
    ([{"s": "a"}, {"s": ""}, {"s": "b"}], {"s": "ab"}),
])
def test_pieces_of_unread_fields_are_joined(pieces: list[dict[str, Any]], merged: dict[str, Any]) -> None:
    into: dict[str, Any] = {}
    for piece in pieces:
        merge_fields(into, piece)

    assert whole(into) == merged
