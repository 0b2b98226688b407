"""The scripted server: strict stand-ins of providers, whose refusals and answers the official SDKs understand."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import anthropic
import openai
import orjson
import pytest

from tests.fakes.model_rules import RULES, Refusal, Request
from tests.fakes.model_server import ModelServer, Reply
from tests.fakes.model_strict import PROVIDERS, strict

CHAT_TOOL = {"type": "function", "function": {"name": "weather", "description": "Tells the weather.",
                                              "parameters": {"type": "object", "properties": {}}}}
TOOL = {"type": "function", "name": "weather", "description": "Tells the weather.", "strict": False,
        "parameters": {"type": "object", "properties": {}}}
USER = {"role": "user", "content": "Weather in Rome?"}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
ASKED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "sunny"}
MARK = {"cache_control": {"type": "ephemeral"}}


def chat(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "messages": list(messages)} | more


def block_turn(*blocks: dict[str, Any]) -> dict[str, Any]:
    used = [block["id"] for block in blocks if block["type"] == "tool_use"]
    results = [{"type": "tool_result", "tool_use_id": one, "content": "sunny"} for one in used]
    return chat(USER, {"role": "assistant", "content": list(blocks)}, {"role": "user", "content": results},
                max_tokens=50)


def item_turn(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m", "input": [USER, *items], "store": False} | more


USE = {"type": "tool_use", "id": "t1", "name": "weather", "input": {}}
THINKING = {"type": "thinking", "thinking": "hm", "signature": "s"}
REASONED = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "s"}
CALLED = {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": "{}"}
GIVEN = {"type": "function_call_output", "call_id": "c1", "output": "sunny"}
SIGNED = CALL | {"extra_content": {"google": {"thought_signature": "s"}}}
ISSUED = frozenset({"s", "hm"})

CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    # rule: wire, a request that it refuses, one like it that it lets pass
    "unknown_fields": ("chat", chat(USER, thinking={}), chat(USER, seed=1)),
    "tool_choice_needs_tools": ("chat", chat(USER, tool_choice="none"),
                                chat(USER, tool_choice="none", tools=[CHAT_TOOL])),
    "tool_names": ("responses", item_turn(tools=[TOOL | {"name": "a.b"}]), item_turn(tools=[TOOL])),
    "schema_is_a_plain_object": ("messages", chat(USER, tools=[{"name": "a", "input_schema": {"anyOf": []}}]),
                                 chat(USER, tools=[{"name": "a", "input_schema": {"type": "object"}}])),
    "schema_keywords": ("chat", chat(USER, tools=[{"function": {"name": "a", "parameters": {
        "properties": {"n": {"exclusiveMinimum": 0}}}}}]), chat(USER, tools=[CHAT_TOOL])),
    "no_sampling": ("responses", item_turn(temperature=0.2), item_turn(temperature=1)),
    "results_match_calls": ("chat", chat(USER, ASKED), chat(USER, ASKED, RESULT)),
    "call_ids_are_unique": ("chat", chat(USER, ASKED, RESULT, ASKED, RESULT), chat(USER, ASKED, RESULT)),
    "arguments_are_objects": ("chat", chat(USER, {"role": "assistant", "tool_calls": [
        {"id": "c1", "function": {"name": "a", "arguments": "{"}}]}, RESULT), chat(USER, ASKED, RESULT)),
    "content_is_not_empty": ("chat", chat(USER, {"role": "assistant", "content": ""}), chat(USER, ASKED)),
    "content_is_not_null": ("chat", chat(ASKED), chat(USER)),
    "roles_alternate": ("chat", chat(USER, USER), chat(USER, ASKED, RESULT)),
    "last_message_is_not_the_assistants": ("messages", chat(USER, {"role": "assistant", "content": "So"}), chat(USER)),
    "no_system_role": ("chat", chat({"role": "system", "content": "x"}, USER), chat(USER)),
    "no_developer_role": ("chat", chat({"role": "developer", "content": "x"}, USER), chat(USER)),
    "no_stream_options": ("chat", chat(USER, stream_options={}), chat(USER)),
    "max_completion_tokens_only": ("chat", chat(USER, max_tokens=9), chat(USER, max_completion_tokens=9)),
    "max_tokens_only": ("chat", chat(USER, max_completion_tokens=9), chat(USER, max_tokens=9)),
    "no_penalties": ("chat", chat(USER, presence_penalty=0.5), chat(USER)),
    "tools_with_reasoning": ("chat", chat(USER, tools=[CHAT_TOOL]),
                             chat(USER, tools=[CHAT_TOOL], reasoning_effort="none")),
    "thought_signature": ("chat", chat(USER, ASKED, RESULT), chat(USER, ASKED | {"tool_calls": [SIGNED]}, RESULT)),
    "reasoning_content": ("chat", chat(USER, ASKED, RESULT), chat(USER, ASKED | {"reasoning_content": "hm"}, RESULT)),
    "reasoning_details": ("chat", chat(USER, ASKED, RESULT),
                          chat(USER, ASKED | {"reasoning_details": [{"data": "s"}]}, RESULT)),
    "no_reasoning_fields": ("chat", chat(USER, ASKED | {"reasoning_content": "hm"}), chat(USER, ASKED)),
    "call_ids_of_nine": ("chat", chat(USER, ASKED), chat(USER, {"role": "assistant", "tool_calls": [
        CALL | {"id": "abcdEF123"}]})),
    "max_tokens_required": ("messages", chat(USER), chat(USER, max_tokens=9)),
    "blocks_are_known": ("messages", block_turn({"type": "text", "text": " "}), block_turn(USE)),
    "uses_have_results": ("messages", chat(USER, {"role": "assistant", "content": [USE]}), block_turn(USE)),
    "thinking_comes_back": ("messages", block_turn(THINKING | {"signature": "forged"}, USE),
                            block_turn(THINKING, USE)),
    "cache_marks": ("messages", block_turn(THINKING | MARK, USE), block_turn(THINKING, USE | MARK)),
    "adaptive_thinking_only": ("messages", chat(USER, thinking={"type": "enabled", "budget_tokens": 2000}),
                               chat(USER, thinking={"type": "adaptive"})),
    "items_are_known": ("responses", item_turn(CALLED | {"extra": 1}, GIVEN), item_turn(CALLED, GIVEN)),
    "outputs_match_calls": ("responses", item_turn(CALLED), item_turn(CALLED, GIVEN)),
    "reasoning_items": ("responses", item_turn(REASONED | {"encrypted_content": None}, CALLED, GIVEN),
                        item_turn(REASONED, CALLED, GIVEN)),
    "calls_keep_their_reasoning": ("responses", item_turn(CALLED, GIVEN), item_turn(REASONED, CALLED, GIVEN)),
    "stateless": ("responses", item_turn(store=True), item_turn()),
    "enough_room": ("responses", item_turn(max_output_tokens=5), item_turn(max_output_tokens=16)),
}
PLAIN_CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "reasoning_effort_only_where_there_is_reasoning": ("chat", chat(USER, reasoning_effort="low"), chat(USER)),
    "no_thinking_where_there_is_none": ("messages", chat(USER, thinking={"type": "adaptive"}), chat(USER)),
    "no_encrypted_content": ("responses", item_turn(include=["reasoning.encrypted_content"]), item_turn()),
}


def test_every_rule_has_a_case_and_is_used_by_a_provider_or_at_hand_for_one() -> None:
    assert set(CASES) | set(PLAIN_CASES) == set(RULES)
    assert not set(CASES) & set(PLAIN_CASES)


@pytest.mark.parametrize(("name", "case", "reasons"), [
    *((name, case, True) for name, case in CASES.items()), *((name, case, False) for name, case in PLAIN_CASES.items()),
], ids=[*CASES, *PLAIN_CASES])
def test_a_rule_refuses_what_it_names_and_lets_its_neighbour_pass(
    name: str, case: tuple[Any, dict[str, Any], dict[str, Any]], reasons: bool
) -> None:
    wire, refused, taken = case

    assert isinstance(RULES[name](Request(wire, refused, ISSUED, reasons)), Refusal)
    assert RULES[name](Request(wire, taken, ISSUED, reasons)) is None


@pytest.fixture
def sdk(model_server: ModelServer) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(api_key="sk-test", base_url=model_server.base_url, max_retries=0)


@pytest.fixture
async def claude(model_server: ModelServer) -> AsyncIterator[anthropic.AsyncAnthropic]:
    async with anthropic.AsyncAnthropic(api_key="sk-test", base_url=model_server.url, max_retries=0) as opened:
        yield opened


async def test_a_strict_provider_serves_its_own_wires_alone(
    model_server: ModelServer, sdk: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic
) -> None:
    model_server.strict = strict("google")

    with pytest.raises(openai.NotFoundError):
        await sdk.responses.create(model="m", input="Hello")
    with pytest.raises(anthropic.NotFoundError):
        await claude.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "x"}])
    assert (await sdk.chat.completions.create(**chat(USER))).choices[0].message.content
    assert model_server.refused == ["404 /v1/responses", "404 /v1/messages"]


@pytest.mark.parametrize("name", sorted(PROVIDERS))
async def test_the_sdks_understand_every_providers_refusal(
    model_server: ModelServer, sdk: openai.AsyncOpenAI, claude: anthropic.AsyncAnthropic, name: str
) -> None:
    refuse: Callable[[Request], Refusal] = lambda _: Refusal("No such luck today.")  # noqa: E731
    model_server.strict = strict(name, extra=[refuse], without=list(RULES))

    asking = (claude.messages.create(model="m", max_tokens=5, messages=[{"role": "user", "content": "x"}])
              if "messages" in PROVIDERS[name].serves else sdk.chat.completions.create(**chat(USER)))
    with pytest.raises((openai.BadRequestError, anthropic.BadRequestError)) as caught:
        await asking

    assert b"No such luck today." in caught.value.response.content


@pytest.mark.parametrize("reply", [
    Reply(text="Sunny: ☀️ 漢字.", chunks=5), Reply(text="Sunny.", reasoning="I look outside."),
    Reply(tool_calls=[("weather", {"city": "Rome"}), ("weather", {})], reasoning="", text="One moment."),
    Reply(text="I will not.", is_refusal=True), Reply(text="A long", finish_reason="length"),
], ids=["text", "reasoning", "calls and hidden reasoning", "refusal", "cut off"])
async def test_the_openai_sdk_reads_the_same_from_both_kinds_of_responses(
    model_server: ModelServer, sdk: openai.AsyncOpenAI, reply: Reply
) -> None:
    model_server.script(reply, repeat=True)
    model_server.serves_responses = True

    whole = await sdk.responses.create(model="m", input="Hello", store=False)
    async with sdk.responses.stream(model="m", input="Hello") as stream:
        streamed = [event async for event in stream]
    final = streamed[-1].response

    assert [kind(item) for item in final.output] == [kind(item) for item in whole.output]
    assert final.output_text == whole.output_text == ("" if reply.is_refusal else reply.text)
    assert (final.status, final.incomplete_details) == (whole.status, whole.incomplete_details)
    assert whole.usage
    assert whole.usage.input_tokens > 0
    deltas = "".join(event.delta for event in streamed if event.type == "response.output_text.delta")
    assert deltas == whole.output_text


def kind(item: Any) -> dict[str, Any]:
    shape = orjson.loads(item.model_dump_json(exclude={"id", "parsed_arguments", "encrypted_content", "call_id"}))
    for part in shape.get("content") or ():
        part.pop("parsed", None)
    return shape


async def test_the_anthropic_sdk_reads_thinking_and_takes_it_back(
    model_server: ModelServer, claude: anthropic.AsyncAnthropic
) -> None:
    model_server.strict = strict("anthropic")
    model_server.script(Reply(tool_calls=[("weather", {})], reasoning="I look outside."), Reply(text="Sunny."))
    asked: dict[str, Any] = {"model": "claude-sonnet-5-5", "max_tokens": 500, "thinking": {"type": "adaptive"}}
    asked["tools"] = [
        {"name": "weather", "description": "Tells.", "input_schema": {"type": "object", "properties": {}}}]
    said: list[dict[str, Any]] = [{"role": "user", "content": "Weather?"}]

    async with claude.messages.stream(**asked, messages=said) as stream:
        first = await stream.get_final_message()
    said += [{"role": "assistant", "content": first.model_dump(exclude_none=True, exclude={"content": {"__all__": {
        "caller"}}})["content"]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": first.content[1].id, "content": "sun"}]}]
    second = await claude.messages.create(**asked, messages=said)

    assert [block.type for block in first.content] == ["thinking", "tool_use"]
    assert [block.type for block in second.content] == ["thinking", "text"]
    said[1]["content"][0]["thinking"] += " (altered)"
    with pytest.raises(anthropic.BadRequestError, match="cannot be modified"):
        await claude.messages.create(**asked, messages=said)
