"""What providers refuse of a request: recognised in their words, asked again without, remembered, never for ever."""

from typing import Any

import orjson
import pytest

from automatos.kernel.error_bodies import read_error
from automatos.llm.errors import FeatureRefused, ModelRefused, ToolsRefused
from automatos.llm.providers.features import find_refused, refuses_tools, without
from automatos.llm.types import ModelChoice, ToolSpec
from automatos.llm.wires import MAX_REMEMBERED, REMEMBERED_S, RefusedFeatures
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.conftest import Asker

SCHEMA = {"type": "object", "additionalProperties": False, "properties": {
    "title": {"type": "string", "format": "date-time", "exclusiveMinimum": 1}, "unit": {"const": "km"}, "note": {"type": ["string", "null"]},
    "of": {"enum": ["a", 1]}}}
BODY = {
    "model": "m", "stream": True, "stream_options": {"include_usage": True}, "temperature": 0.3, "top_p": 0.9,
    "frequency_penalty": 0.1, "presence_penalty": 0.1, "max_tokens": 100, "parallel_tool_calls": True,
    "reasoning_effort": "high", "reasoning": {"effort": "high", "summary": "auto"},
    "include": ["reasoning.encrypted_content"], "tool_choice": "none",
    "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": SCHEMA}}],
    "messages": [
        {"role": "system", "content": "Be brief."}, {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": "Hello", "name": "ann"},
        {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [{"id": "c"}]},
        {"role": "tool", "tool_call_id": "c", "content": "x"},
    ],
}


def openai(message: str, param: str | None = None, code: str | None = None) -> bytes:
    return orjson.dumps({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}})


# ruff: noqa: E501, ISC004 - texts as providers and servers send them, with what must be left out or replaced
REFUSALS = [
    (openai("The temperature parameter is fixed at 1 for reasoning models"), {"temperature"}),
    (openai("top_p and temperature may not both be set"), {"temperature", "top_p"}),
    (openai("thinking mode does not support temperature"), {"temperature"}),
    (openai("`temperature` may only be set to 1 when thinking is enabled."), {"temperature"}),
    (openai("Unsupported parameter: 'reasoning.summary' is not supported with this model."), {"reasoning.summary"}),
    (openai("Your organization must be verified to generate reasoning summaries."), {"reasoning.summary"}),
    (openai("Unsupported parameter: 'reasoning.effort'"), {"reasoning.effort", "reasoning_effort"}),
    (openai("Conversation roles must alternate user/assistant/user/assistant/..."), {"role:system"}),
    (openai("Only user and assistant roles are supported!"), {"role:system"}),
    (openai("Unexpected role 'developer'. Expected 'user', 'assistant', 'system' or 'tool'"), {"role:developer"}),
    (openai("messages.1.role: Input should be 'user' or 'assistant'"), {"role:developer"}),
    (openai("messages.2.name: Extra inputs are not permitted"), {"message:name"}),
    (openai("messages[3].reasoning_content: Extra inputs are not permitted"), {"message:reasoning_content"}),
    (openai("Proto field is not repeating, cannot start list. at 'tools[0].parameters.properties[1].value' (type)"),
     {"schema:type:list"}),
    (openai("schema.type must be a string, not an array"), {"schema:type:list"}),
    (openai("Invalid value at 'tools[0].parameters.properties[4].value.enum[1]' (TYPE_STRING), 1"), {"schema:enum"}),
    (openai("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
            "max_tokens", "unsupported_parameter"), {"limit:max_tokens"}),
    (openai("Unrecognized request argument supplied: max_tokens"), {"limit:max_tokens"}),
    (openai("Argument not supported on this model: maxTokens"), {"limit:max_tokens"}),
    (openai("Unsupported value: 'temperature' does not support 0.3 with this model. Only the default (1) value is "
            "supported.", "temperature", "unsupported_value"), {"temperature"}),
    (openai("invalid temperature: only 1 is allowed for this model"), {"temperature"}),
    (openai("`temperature` is deprecated for this model."), {"temperature"}),
    (openai("`temperature` and `top_p` cannot both be specified for this model. Please use only one."),
     {"temperature", "top_p"}),
    (openai("Penalty is not enabled for models/gemini-pro"), {"frequency_penalty", "presence_penalty"}),
    (b'[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \\"frequency_penalty\\": Cannot find '
     b'field.","status":"INVALID_ARGUMENT"}}]', {"frequency_penalty"}),
    (openai("gemini does not support parameters: {'frequency_penalty': 0.5}, for model=x"), {"frequency_penalty"}),
    (openai("Argument not supported on this model: presencePenalty"), {"presence_penalty"}),
    (openai("该模型不支持 temperature 参数"), {"temperature"}),
    (openai("Le paramètre top_p n'est pas pris en charge par ce modèle"), {"top_p"}),
    (openai("Unrecognized request argument supplied: stream_options"), {"stream_options"}),
    (b'{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted",'
     b'"input":{"include_usage":true,"temperature":1}}]}', {"stream_options"}),
    (b'{"object":"error","message":"[{\'type\': \'extra_forbidden\', \'loc\': (\'body\', \'stream_options\'), \'msg\': '
     b'\'Extra inputs are not permitted\'}]","type":"BadRequestError","code":400}', {"stream_options"}),
    (b'{"detail":[{"loc":["body","stream_options"],"msg":"Extra inputs are not permitted"},{"loc":["body","top_p"],"msg":'
     b'"Extra inputs are not permitted"}]}', {"stream_options", "top_p"}),
    (openai("Unsupported value: 'messages[0].role' does not support 'system' with this model.", "messages[0].role",
            "unsupported_value"), {"role:system"}),
    (openai("System role not supported"), {"role:system"}),
    (openai("Developer instruction is not enabled for models/gemma-3-27b-it"), {"role:developer"}),
    (openai("'messages.1' : for 'role:developer' the following must be satisfied[('messages.1.role' : one of system, user)]",
            "messages[1].role"), {"role:developer"}),
    (openai("Unsupported parameter: 'parallel_tool_calls' is not supported with this model.", "parallel_tool_calls"),
     {"parallel_tool_calls"}),
    (openai("Parallel function calling is disabled for this deployment"), {"parallel_tool_calls"}),
    (openai("tool_choice is not supported for this model"), {"tool_choice"}),
    (b'{"object":"error","message":{"detail":[{"type":"enum","loc":["body","tool_choice"],"msg":"Input should be '
     b'\'auto\' or \'any\'","input":"none"}]}}', {"tool_choice"}),
    (openai("Invalid value for 'content': expected a string, got null.", "messages.[3].content"), {"content:null"}),
    (openai("invalid message content type: <nil>"), {"content:null"}),
    (openai("'messages.3' : for 'role:assistant' the following must be satisfied[('messages.3' : property "
            "'reasoning_content' is unsupported)]"), {"message:reasoning_content"}),
    (b'{"detail":[{"loc":["body","messages",2,"name"],"msg":"Extra inputs are not permitted"}]}', {"message:name"}),
    (openai("Unsupported value: 'reasoning_effort' does not support 'high' with this model.", "reasoning_effort"),
     {"reasoning_effort"}),
    (openai("Your organization must be verified to generate reasoning summaries.", "reasoning.summary",
            "unsupported_value"), {"reasoning.summary"}),
    (openai("Encrypted content is not supported with this model.", "include"), {"include"}),
    (openai("Your organization must be verified to stream this model.", "stream", "unsupported_value"), {"stream"}),
    (b'[{"error":{"code":400,"message":"Invalid JSON payload received. Unknown name \\"additionalProperties\\" at '
     b'\'tools[0].function_declarations[0].parameters\': Cannot find field."}}]', {"schema:additionalProperties"}),
    (openai("tools.0.custom.input_schema.properties.title.format: only 'enum' and 'date-time' are supported"),
     {"schema:format"}),
    (openai("Invalid schema for function 'f': 'exclusiveMinimum' is not permitted.", "tools[0].function.parameters"),
     {"schema:exclusiveMinimum"}),
]


@pytest.mark.parametrize(("answer", "expected"), REFUSALS, ids=[str(n) for n in range(len(REFUSALS))])
def test_a_refused_feature_is_recognised_in_a_providers_own_words(answer: bytes, expected: set[str]) -> None:
    refused = find_refused(BODY, read_error(answer))

    assert refused == expected
    before = orjson.dumps(BODY)
    assert without(BODY, refused) != BODY
    assert orjson.dumps(BODY) == before
    assert not find_refused(without(BODY, refused), read_error(answer)) & refused


@pytest.mark.parametrize("answer", [
    openai("max_tokens is too large: 20000. This model supports at most 16384 completion tokens.", "max_tokens",
           "invalid_value"),
    openai("This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4900 in the "
           "messages, 100 in the completion)."),
    openai("'max_tokens' must be less than or equal to 8192"),
    openai("messages: at least one message is required"),
    openai("The response was filtered due to the prompt triggering the content management policy."),
    openai("Insufficient system resources"),
    openai("An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'."),
    b"<html><title>temperature</title></html>",
])
def test_an_error_about_something_else_leaves_the_request_as_it_is(answer: bytes) -> None:
    plain = {**BODY, "messages": BODY["messages"][:1] + BODY["messages"][2:3]}

    assert not find_refused(plain, read_error(answer))
    assert not refuses_tools(plain, read_error(answer))


@pytest.mark.parametrize("message", [
    "registry.ollama.ai/library/gemma3:4b does not support tools",
    "No endpoints found that support tool use. To learn more about provider routing, visit the documentation.",
    "`tool calling` is not supported with this model",
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
    "tools param requires --jinja flag", "Function calling is not enabled for this model", "该模型不支持工具调用",
])
def test_a_model_without_tools_is_told_as_such(message: str) -> None:
    body = {name: value for name, value in BODY.items() if name not in {"tool_choice", "parallel_tool_calls"}}

    assert refuses_tools(body, read_error(openai(message)))
    assert not find_refused(body, read_error(openai(message)))


def test_what_is_sent_instead() -> None:
    other = without(BODY, frozenset({"limit:max_tokens"}))
    assert (other.get("max_tokens"), other["max_completion_tokens"]) == (None, 100)
    none = without(other, frozenset({"limit:max_tokens", "limit:max_completion_tokens"}))
    assert not {"max_tokens", "max_completion_tokens"} & none.keys()

    merged = without(BODY, frozenset({"role:system", "role:developer"}))["messages"]
    assert [message["role"] for message in merged] == ["user", "assistant", "tool"]
    assert merged[0]["content"] == "Be brief.\n\nBe kind.\n\nHello"
    as_system = without(BODY, frozenset({"role:developer"}))["messages"]
    assert [message["role"] for message in as_system[:2]] == ["system", "system"]

    no_choice = without(BODY, frozenset({"tool_choice"}))
    assert not {"tool_choice", "tools", "parallel_tool_calls"} & no_choice.keys()
    assert without(BODY, frozenset({"content:null"}))["messages"][3]["content"] == ""
    assert without(BODY, frozenset({"reasoning.summary"}))["reasoning"] == {"effort": "high"}
    assert "stream_options" not in without(BODY, frozenset({"stream"}))


def test_a_list_of_types_becomes_the_one_that_is_not_null() -> None:
    tools = without(BODY, frozenset({"schema:type:list"}))["tools"]

    assert tools[0]["function"]["parameters"]["properties"]["note"] == {"type": "string"}


def test_a_keyword_goes_from_every_depth_and_a_property_of_its_name_stays() -> None:
    tools = without(BODY, frozenset({"schema:title", "schema:format", "schema:additionalProperties", "schema:const"}))["tools"]

    assert tools[0]["function"]["parameters"] == {"type": "object", "properties": {
        "title": {"type": "string", "exclusiveMinimum": 1}, "unit": {"enum": ["km"]},
        "note": {"type": ["string", "null"]}, "of": {"enum": ["a", 1]}}}


async def test_several_refusals_in_one_call_cost_no_retry_and_the_next_call_knows_them(
    ask: Asker, model_server: ModelServer
) -> None:
    choice = ModelChoice("openai", "picky", temperature=0.5, max_tokens=100)
    for name in ("temperature", "max_completion_tokens", "stream_options"):
        model_server.script(Reply(status=400, message=f"Unknown parameter: '{name}'."),
                            match=lambda call, name=name: name in call.body, repeat=True)

    first = await ask(choice=choice, retries=0)
    asked = len(model_server.calls)
    second = await ask(choice=choice, retries=0)
    other = await ask(choice=ModelChoice("openai", "other", temperature=0.5), retries=0)

    assert asked == 4
    assert len(model_server.calls) == 8  # the second call is one request; the other model finds out for itself
    assert first.left_out == second.left_out == ("limit:max_completion_tokens", "stream_options", "temperature")
    assert model_server.calls[4].body["max_tokens"] == 100
    assert other.left_out == ("stream_options", "temperature")


async def test_a_server_that_refuses_whatever_it_is_sent_is_not_asked_for_ever(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=400, message="Unsupported: temperature, max_tokens, max_completion_tokens, top_p, "
                                                  "stream_options, stream, system role, user"), repeat=True)

    with pytest.raises(ModelRefused):
        await ask(choice=ModelChoice("openai", "odd", temperature=0.5, max_tokens=9, top_p=0.5), retries=3)

    assert len(model_server.calls) <= 4


async def test_a_model_without_tools_ends_the_call_with_what_to_do(ask: Asker, model_server: ModelServer) -> None:
    model_server.script(Reply(status=400, message="library/gemma does not support tools"), repeat=True)

    with pytest.raises(ToolsRefused) as caught:
        await ask(tools=[ToolSpec("add", "Adds.", {"type": "object", "properties": {}})])

    assert "library/gemma" in caught.value.detail
    assert "--enable-auto-tool-choice" in caught.value.next_step
    assert len(model_server.calls) == 1


async def test_a_refusal_of_the_role_moves_the_instructions_into_the_first_message(
    ask: Asker, model_server: ModelServer
) -> None:
    model_server.script(Reply(status=500, message="Jinja Exception: System role not supported"),
                        match=lambda call: call.messages[0]["role"] == "system", repeat=True)

    await ask("Hello", retries=0)

    assert [m["content"] for m in model_server.calls[-1].messages] == ["Be brief.\n\nHello"]
    assert len(model_server.calls) == 2


def test_what_is_known_is_bounded_and_forgotten_after_an_hour() -> None:
    moment = [0.0]
    known = RefusedFeatures(lambda: moment[0])
    for number in range(MAX_REMEMBERED + 5):
        known.add("key", f"model-{number}", frozenset({"temperature"}))

    assert known.of("key", "model-0") == frozenset()
    assert known.of("key", f"model-{MAX_REMEMBERED}") == {"temperature"}
    assert known.of("another key", f"model-{MAX_REMEMBERED}") == frozenset()
    moment[0] = REMEMBERED_S
    assert known.of("key", f"model-{MAX_REMEMBERED}") == frozenset()


def test_the_error_of_a_feature_that_cannot_be_left_out_names_it() -> None:
    problem = FeatureRefused("It answered 400.", features=frozenset({"temperature"}), provider="openai")

    assert problem.code == "feature_refused"
    assert "model configuration" in problem.detail


def referring(defs: str = "$defs") -> list[dict[str, Any]]:
    """A tool that takes a tree of nodes, each with a place that two properties share."""
    schema = {
        "type": "object", "properties": {"root": {"$ref": f"#/{defs}/Node"}, "$ref": {"type": "string"},
                                         "at": {"$ref": f"#/{defs}/A~1B", "description": "Where."}},
        defs: {"Node": {"type": "object", "title": "Node", "properties": {
                   "next": {"anyOf": [{"$ref": f"#/{defs}/Node"}, {"type": "null"}]},
                   "at": {"$ref": f"#/{defs}/A~1B"}, "far": {"$ref": "https://example.com/x", "type": "string"}}},
               "A/B": {"type": "array", "description": "A place.", "items": {"type": "number"}}}}
    return [{"type": "function", "function": {"name": "grow", "description": "", "parameters": schema}}]


@pytest.mark.parametrize("word", ["$ref", "$defs"])
def test_what_a_schema_refers_to_is_written_in_place_of_references_that_are_refused(word: str) -> None:
    tools = without({"model": "m", "tools": referring()}, frozenset({f"schema:{word}"}))["tools"]

    place = {"type": "array", "items": {"type": "number"}}
    assert tools[0]["function"]["parameters"] == {"type": "object", "properties": {
        "$ref": {"type": "string"}, "at": place | {"description": "Where."},
        "root": {"type": "object", "title": "Node", "properties": {
            "at": place | {"description": "A place."}, "far": {"type": "string"}, "next": {"anyOf": [
                {"type": "object", "description": "Of the form Node again, as described above."}, {"type": "null"}]}}}}}


def test_older_definitions_and_other_refused_words_are_written_out_together() -> None:
    refused = frozenset({"schema:definitions", "schema:title"})

    tools = without({"model": "m", "tools": referring("definitions")}, refused)["tools"]

    assert "title" not in tools[0]["function"]["parameters"]["properties"]["root"]
    assert "definitions" not in str(tools)
    assert "Node again" in str(tools)


def test_references_that_nobody_refuses_stay() -> None:
    assert without({"model": "m", "tools": referring()}, frozenset({"schema:title"}))["tools"][0]["function"][
        "parameters"]["properties"]["root"] == {"$ref": "#/$defs/Node"}


@pytest.mark.parametrize("defs", [
    {f"n{at}": {"type": "object", "properties": {"a": {"$ref": f"#/$defs/n{at + 1}"}, "b": {"$ref": f"#/$defs/n{at + 1}"}}}
     for at in range(60)},
    {f"n{at}": {"$ref": f"#/$defs/n{(at + 1) % 500}"} for at in range(500)}, {"n0": {"$ref": "#/$defs/n0"}},
], ids=["doubling", "a long circle", "itself"])
def test_a_schema_made_to_grow_is_written_out_within_bounds(defs: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"x": {"$ref": "#/$defs/n0"}}, "$defs": defs}
    body = {"model": "m", "tools": [{"name": "t", "input_schema": schema}]}

    written = str(without(body, frozenset({"schema:$ref"})))

    assert "'$ref'" not in written
    assert len(written) < 600_000
