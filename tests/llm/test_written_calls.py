"""Tool calls that a model wrote into its text: read where they are meant, never where they are shown."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from automatos.kernel.config import Settings
from automatos.kernel.http import Http
from automatos.llm.providers.openai import OpenAIProvider
from automatos.llm.providers.written import WrittenCallsProvider
from automatos.llm.providers.written_calls import read_calls
from automatos.llm.types import Answer, AnswerEnd, Message, ToolCall, ToolSpec
from automatos.llm.wires import open_wires
from tests.fakes.model_server import ModelServer, Reply
from tests.llm.wire_calls import ASKED, WEATHER, ask, call_to, chunks, next_call

WIRE = WrittenCallsProvider(OpenAIProvider())
HERMES = '<tool_call>\n{"name": "weather", "arguments": {"city": "Rome"}}\n</tool_call>'
QWEN = "<tool_call>\n<function=weather>\n<parameter=city>\nRome\n</parameter>\n</function>\n</tool_call>"
ROME = [("weather", {"city": "Rome"})]
COUNT = ToolSpec("count", "Counts.", {"type": "object", "properties": {
    "times": {"type": "integer"}, "word": {"type": "string"}, "each": {"type": "array"}, "loud": {"type": "boolean"}}})

MEANT: dict[str, str] = {
    "Hermes": HERMES,
    "Hermes, never closed": HERMES.removesuffix("</tool_call>"),
    "Hermes, arguments as text": '<tool_call>{"name":"weather","arguments":"{\\"city\\":\\"Rome\\"}"}</tool_call>',
    "Hermes, as OpenAI writes it":
        '<tool_call>{"type":"function","function":{"name":"weather","arguments":{"city":"Rome"}}}</tool_call>',
    "mark of the end": HERMES + "<|im_end|>",
    "Qwen coder": QWEN,
    "Qwen coder, bare": QWEN.replace("<tool_call>\n", "").replace("\n</tool_call>", ""),
    "Llama": '<function=weather>{"city": "Rome"}</function>',
    "Llama, python tag": '<|python_tag|>{"name": "weather", "parameters": {"city": "Rome"}}<|eom_id|>',
    "Llama, bare JSON": '{"name": "weather", "parameters": {"city": "Rome"}}',
    "a fence": 'x```json\n{"tool": "weather", "args": {"city": "Rome"}}\n```'[1:],
    "a fence around marks": "```xml\n" + HERMES + "\n```",
    "invoke": '<function_calls>\n<invoke name="weather">\n<parameter name="city">Rome</parameter>\n</invoke>\n'
              "</function_calls>",
    "MiniMax": '<minimax:tool_call><invoke name="weather"><parameter name="city">Rome</parameter></invoke>'
               "</minimax:tool_call>",
    "GLM": "<tool_call>weather\n<arg_key>city</arg_key>\n<arg_value>Rome</arg_value>\n</tool_call>",
    "Mistral": '[TOOL_CALLS] [{"name": "weather", "arguments": {"city": "Rome"}}]',
    "Mistral, newer": '[TOOL_CALLS]weather[ARGS]{"city": "Rome"}',
    "Kimi": "<|tool_calls_section_begin|><|tool_call_begin|>functions.weather:0<|tool_call_argument_begin|>"
            '{"city": "Rome"}<|tool_call_end|><|tool_calls_section_end|>',
    "DeepSeek": "<\uff5ctool▁calls▁begin\uff5c><\uff5ctool▁call▁begin\uff5c>"
                "function<\uff5ctool▁sep\uff5c>weather\n```json\n"
                '{"city": "Rome"}\n```<\uff5ctool▁call▁end\uff5c><\uff5ctool▁calls▁end\uff5c>',
    "DeepSeek, newer": '<\uff5cDSML\uff5cfunction_calls><\uff5cDSML\uff5cinvoke name="weather">'
                       '<\uff5cDSML\uff5cparameter name="city" string="true">Rome</\uff5cDSML\uff5cparameter>'
                       "</\uff5cDSML\uff5cinvoke>"
                       "</\uff5cDSML\uff5cfunction_calls>",
    "gpt-oss": '<|channel|>commentary to=functions.weather <|constrain|>json<|message|>{"city": "Rome"}<|call|>',
    "Granite": '<|tool_call|>[{"name": "weather", "arguments": {"city": "Rome"}}]',
}
SHOWN: dict[str, str] = {
    "in a fence": "It looks so:\n```\n" + HERMES + "\n```\nThen the tool answers.",
    "in a fence that ends the answer": "It looks so:\n```xml\n" + HERMES + "\n```",
    "in a fence that is still open": "It looks so:\n~~~\n" + HERMES,
    "in line": 'Write `<tool_call>{"name": "weather", "arguments": {"city": "Rome"}}</tool_call>`',
    "in the middle of a sentence": 'Write <tool_call>{"name": "weather", "arguments": {}}</tool_call>',
    "in quotation marks": f'"{HERMES}"',
    "in a quotation": "> " + HERMES.replace("\n", "\n> "),
    "in indented code": "So:\n\n    " + HERMES.replace("\n", "\n    "),
    "with words after it": HERMES + "\nThis is how a call looks.",
    "as an example": "For example, a call may look like this:\n" + HERMES,
    "of a tool that nobody offered": HERMES.replace("weather", "delete_all"),
    "one of two that nobody offered": HERMES + HERMES.replace("weather", "delete_all"),
    "JSON after words": 'Here you are:\n{"name": "weather", "arguments": {"city": "Rome"}}',
    "JSON in a fence after words": 'So:\n```json\n{"name": "weather", "arguments": {"city": "Rome"}}\n```',
    "JSON that only has a name": '{"name": "weather"}',
    "JSON with more than a call": '{"name": "weather", "arguments": {}, "price": 3}',
    "JSON of something else": '[{"name": "Rome"}, {"name": "Paris"}]',
    "JSON that breaks off": '<tool_call>{"name": "weather", "arguments": {"city": "Ro',
    "a parameter that breaks off": "<function=weather>\n<parameter=city>\nRo",
    "arguments that are no object": '<tool_call>{"name": "weather", "arguments": [1]}</tool_call>',
    "the word alone": "The tags are <tool_call> and </tool_call>.",
    "nothing but marks": "<tool_call></tool_call>",
}


def called(calls: tuple[ToolCall, ...]) -> list[tuple[str, Any]]:
    return [(call.name, orjson.loads(call.arguments)) for call in calls]


async def told(outgoing: Http, server: ModelServer, text: str, size: int, **more: Any) -> tuple[Answer, str]:
    """Ask for a text that comes in pieces of a size; returns the answer and what was shown of it."""
    server.script(chunks(*({"content": text[at:at + size]} for at in range(0, len(text), size)), finish="stop"))
    pieces: list[str] = []
    answer = await ask(WIRE, call_to(outgoing, server, "ollama", "m", **more), pieces)
    return answer, "".join(pieces)


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(("kind", "before"), [
    (kind, before) for kind, text in MEANT.items() for before in ("", "I look it up.\n", "<think>Hm.</think>\n")
    if before[:1] != "I" or text[0] not in "{`"])
async def test_a_call_at_the_end_of_the_text_is_a_call_and_not_shown(
    outgoing: Http, model_server: ModelServer, kind: str, before: str, size: int
) -> None:
    answer, shown = await told(outgoing, model_server, before + MEANT[kind], size)

    assert called(answer.tool_calls) == ROME
    assert (answer.end, answer.calls_from_text) == (AnswerEnd.TOOL_CALLS, True)
    assert answer.text == shown.rstrip() == ("I look it up." if before.startswith("I") else "")


@pytest.mark.parametrize("size", [1, 10_000])
@pytest.mark.parametrize("kind", SHOWN)
async def test_a_call_that_is_shown_or_is_none_stays_text_and_arrives_whole(
    outgoing: Http, model_server: ModelServer, kind: str, size: int
) -> None:
    answer, shown = await told(outgoing, model_server, SHOWN[kind], size)

    assert answer.tool_calls == ()
    assert answer.text == shown == SHOWN[kind]
    assert (answer.end, answer.calls_from_text) == (AnswerEnd.COMPLETE, False)


@pytest.mark.parametrize("asked", [
    Message("user", f"Read the page and quote it: {HERMES}"), Message("tool", f"A page. {HERMES}", tool_call_id="c"),
], ids=["user", "tool"])
async def test_a_call_that_the_material_holds_word_for_word_is_a_quotation(
    outgoing: Http, model_server: ModelServer, asked: Message
) -> None:
    answer, shown = await told(outgoing, model_server, "The page says.\n" + HERMES, 9, messages=[*ASKED, asked])

    assert (answer.tool_calls, shown) == ((), "The page says.\n" + HERMES)


async def test_several_calls_are_read_with_the_types_of_the_schema(outgoing: Http, model_server: ModelServer) -> None:
    text = "\n".join([HERMES, "<function=count>", "<parameter=times>3</parameter>",
                      "<parameter=word>\n42\n</parameter>",
                      '<parameter=each>["a </parameter> b"]</parameter>',
                      "<parameter=loud>True</parameter></function>"])

    answer, _ = await told(outgoing, model_server, text, 5, tools=(WEATHER, COUNT))

    assert called(answer.tool_calls) == [
        *ROME, ("count", {"times": 3, "word": "42", "each": ["a </parameter> b"], "loud": True})]
    assert len({call.id for call in answer.tool_calls}) == 2


async def test_what_is_read_goes_back_as_native_calls(outgoing: Http, model_server: ModelServer) -> None:
    call = call_to(outgoing, model_server, "vllm", "m")
    model_server.script(Reply(text="Wait.\n" + HERMES), Reply(text="Sunny"))

    answer = await ask(WIRE, call)
    await ask(WIRE, next_call(call, answer, "sun"))

    said = model_server.calls[1].body["messages"]
    assert said[2]["content"] == "Wait."
    assert [each["function"]["name"] for each in said[2]["tool_calls"]] == ["weather"]
    assert said[3]["tool_call_id"] == said[2]["tool_calls"][0]["id"]


@pytest.mark.parametrize("change", [{"tools": ()}, {"may_call_tools": False}], ids=["no tools", "last turn"])
async def test_without_tools_to_call_nothing_is_read(
    outgoing: Http, model_server: ModelServer, settings: Settings, change: dict[str, Any]
) -> None:
    call = replace(call_to(outgoing, model_server, "ollama", "m"), **change)
    model_server.script(Reply(text=HERMES))

    answer = await ask(open_wires(settings).choose(call), call)

    assert (answer.text, answer.tool_calls) == (HERMES, ())


async def test_models_at_their_providers_own_address_call_natively(
    outgoing: Http, model_server: ModelServer, settings: Settings
) -> None:
    call, wires = call_to(outgoing, model_server, "anthropic", "m"), open_wires(settings)

    at_home = wires.choose(replace(call, base_url=str(call.provider.base_url)))
    assert (at_home, wires.choose(call)) == (wires.plain["anthropic"], wires.reading["anthropic"])


async def test_native_calls_and_answers_that_were_cut_off_are_left_alone(
    outgoing: Http, model_server: ModelServer
) -> None:
    model_server.script(Reply(text=HERMES, tool_calls=[("weather", {"city": "Paris"})]),
                        Reply(text=HERMES, finish_reason="length"))

    native = await ask(WIRE, call_to(outgoing, model_server, "ollama", "m"))
    cut_off = await ask(WIRE, call_to(outgoing, model_server, "ollama", "m"))

    assert called(native.tool_calls) == [("weather", {"city": "Paris"})]
    assert (cut_off.tool_calls, cut_off.text, cut_off.end) == ((), HERMES, AnswerEnd.CUT_OFF)


@pytest.mark.parametrize("wire", ["openai", "responses", "anthropic"])
@pytest.mark.parametrize("is_on", [True, False])
async def test_every_wire_reads_them_unless_the_setting_says_no(
    outgoing: Http, model_server: ModelServer, settings: Settings, wire: str, is_on: bool
) -> None:
    wires = open_wires(settings.model_copy(update={"written_tool_calls": is_on}))
    model_server.serves_responses = True
    model_server.script(Reply(text=HERMES, reasoning="hm"))

    provider = {"openai": "ollama", "responses": "openai", "anthropic": "anthropic"}[wire]
    call = call_to(outgoing, model_server, provider, "m")
    answer = await ask(wires.choose(call), call)

    assert called(answer.tool_calls) == (ROME if is_on else [])
    assert answer.text == ("" if is_on else HERMES)


async def test_pieces_before_a_call_are_told_as_they_come(outgoing: Http, model_server: ModelServer) -> None:
    model_server.script(chunks({"content": "One "}, {"content": "two <b"}, {"content": "r> three"}, finish="stop"))
    pieces: list[str] = []

    await ask(WIRE, call_to(outgoing, model_server, "ollama", "m"), pieces)

    assert len(pieces) >= 1
    assert "".join(pieces) == "One two <br> three"


@pytest.mark.parametrize("text", [
    "<parameter=a" * 20_000, "<function=weather>" + "<parameter=a>" * 20_000, "```" + " " * 200_000,
    '<tool_call>' + "[" * 100_000, "<tool_call>" * 50_000, "<tool_call>weather" + "<arg_key>x</arg_key>" * 20_000,
], ids=["parameters", "open parameters", "spaces", "brackets", "tags", "pairs"])
def test_a_text_made_to_be_hard_to_read_is_read_as_none(text: str) -> None:
    assert read_calls(text, (WEATHER,)) is None
