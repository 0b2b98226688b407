"""Who takes what models, tools and people write: answers as they are streamed, texts of answers, schemas, logs."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast
from unittest.mock import Mock

import aiohttp
import orjson

from automatos.agents.documents import read_yaml
from automatos.credentials import api_call, probe
from automatos.credentials.errors import CredentialInvalidHere
from automatos.credentials.seed import shipped_types
from automatos.credentials.service import get_provider
from automatos.credentials.validation import checked_fields
from automatos.heartbeats.findings import read_findings
from automatos.kernel.telemetry import hide_secrets, show_controls
from automatos.llm.errors import scrub
from automatos.llm.providers import ProviderCall, anthropic, responses
from automatos.llm.providers.demo import wanted_tool, write_answer
from automatos.llm.providers.openai import ChatReader
from automatos.llm.providers.references import inlined
from automatos.llm.providers.sse import EventReader
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.providers.transport import MALFORMED, AnswerReader
from automatos.llm.providers.written import _Gate
from automatos.llm.providers.written_calls import read_calls
from automatos.llm.types import ModelChoice, ToolSpec
from automatos.recipes import nested, outputs, planning
from automatos.recipes.types import Step
from automatos.runs.types import StepUnready
from automatos.runtime import loop
from automatos.runtime.runtime import find_invoked
from automatos.runtime.transcript import fence, storable
from automatos.skills.tool_schema import read_tools
from automatos.tools.builtin import text_stats
from automatos.tools.registry import handed_definition
from automatos.tools.service import read_arguments
from automatos.tools.types import Effect, HandedTool
from tests.byte_inputs import Taker, numbered, repeated

Make = Callable[[int], Any]
TOOLS = tuple(ToolSpec(name, "", {"type": "object", "properties": {"a": {"type": "string"}}})
              for name in ("add", "calculator", "current_datetime"))


def call() -> ProviderCall:
    return ProviderCall(cast("aiohttp.ClientSession", Mock()), get_provider("custom"), "http://x", "k",
                        ModelChoice("custom", "m"), (), TOOLS, on_reasoning=lambda _: None)


def read_stream(reader: AnswerReader, content: bytes) -> object:
    """Read an answer as a wire does, in pieces of a socket's size, to its end."""
    events = EventReader()
    with suppress(*MALFORMED):
        for start in range(0, len(content), 65_536):
            for data, _ in events.feed(content[start:start + 65_536]):
                reader.take(data)
        for data, _ in events.close():
            reader.take(data)
        return reader.finish()
    return None


def events_of(made: Callable[[int], object], size: int, end: object) -> Make:
    """Return a maker of streams of about n bytes of events of a size."""
    return lambda n: b"".join(b"data: " + orjson.dumps(event) + b"\n\n"
                              for event in [*(made(at) for at in range(n // size)), end])


def one_event(made: Callable[[int], object], around: Callable[[list[object]], object], size: int, end: object) -> Make:
    return lambda n: b"".join(b"data: " + orjson.dumps(event) + b"\n\n"
                              for event in (around([made(at) for at in range(n // size)]), end))


def delta(**fields: object) -> object:
    return {"choices": [{"delta": fields}]}


def chat_streams() -> dict[str, Make]:
    end = {"choices": [{"delta": {}, "finish_reason": "stop"}]}
    calls: Callable[..., object] = lambda **fields: delta(tool_calls=[fields])  # noqa: E731
    return {
        "tiny pieces": events_of(lambda _: delta(content="x"), 45, end),
        "spaces at the beginning": events_of(lambda _: delta(content=" "), 45, end),
        "an open thought": events_of(lambda at: delta(content="<think>" if at == 0 else "<"), 45, end),
        "thoughts": lambda n: events_of(
            lambda _: delta(content="<think></think>" * (n // 15) + "x"), n + 40, end)(n + 40),
        "blanks before an end": lambda n: events_of(
            lambda _: delta(content="x" + " " * n + "\n</think>\n"), n + 60, end)(n + 60),
        "fenced arguments": lambda n: events_of(lambda _: calls(
            index=0, id="a", function={"name": "add", "arguments": "```" + "\n" * n + "x"}), n + 90, end)(n + 90),
        "brackets": events_of(lambda _: delta(content="[<"), 45, end),
        "pieces of arguments": events_of(lambda _: calls(function={"arguments": "}"}), 75, end),
        "blank pieces of arguments": events_of(lambda _: calls(function={"arguments": " "}), 75, end),
        "numbered pieces of arguments": events_of(
            lambda _: calls(index=0, id="a", function={"name": "add", "arguments": "}"}), 100, end),
        "calls with ids": events_of(
            lambda at: calls(id=f"c{at}", function={"name": "add", "arguments": "{}"}), 95, end),
        "calls with numbers": events_of(
            lambda at: calls(index=at, function={"name": "add", "arguments": "{}"}), 95, end),
        "a field that grows": events_of(lambda _: delta(other="x" * 40), 85, end),
        "reasoning that grows": events_of(lambda _: delta(reasoning_content="x"), 55, end),
        "parts": events_of(lambda _: delta(content=[{"type": "thinking", "thinking": "x"}]), 80, end),
        "many numbered details": one_event(
            lambda at: {"index": at}, lambda parts: delta(reasoning_details=parts), 12, end),
        "numbered details of one number": one_event(
            lambda at: {"index": 0, "id": f"{at}"}, lambda parts: delta(reasoning_details=parts), 22, end),
        "nested": lambda n: b"data: " + b"[" * n + b"\n\n",
        "long number": lambda n: b'data: {"choices":' + b"9" * n + b"}\n\n",
        "many keys": lambda n: b'data: {"choices":[{"delta":{' + b",".join(
            b'"k%d":"x"' % at for at in range(n // 12)) + b"}}]}\n\n",
    }


def message_streams() -> dict[str, Make]:
    end = {"type": "message_stop"}
    block: Callable[[int], object] = lambda at: {  # noqa: E731
        "type": "content_block_start", "index": at, "content_block": {"type": "text", "text": ""}}
    piece: Callable[..., object] = lambda **fields: {"type": "content_block_delta", "index": 0, "delta": fields}  # noqa: E731
    return {
        "blocks": events_of(block, 95, end),
        "tiny pieces": events_of(lambda at: piece(type="text_delta", text="x") if at else block(0), 85, end),
        "pieces of arguments": events_of(
            lambda at: piece(type="input_json_delta", partial_json="}") if at else block(0), 95, end),
        "usages": events_of(lambda at: {"type": "message_delta", "delta": {}, "usage": {f"u{at}": 1}}, 60, end),
    }


def response_streams() -> dict[str, Make]:
    end = {"type": "response.completed", "response": {"status": "completed"}}
    return {
        "tiny pieces": events_of(lambda _: {"type": "response.output_text.delta", "delta": "x"}, 55, end),
        "items": events_of(lambda at: {"type": "response.output_item.done", "output_index": at,
                                       "item": {"type": "message", "content": []}}, 100, end),
        "items without a number": events_of(lambda _: {"type": "response.output_item.done",
                                                       "item": {"type": "reasoning"}}, 70, end),
        "reasoning": events_of(lambda _: {"type": "response.reasoning_text.delta", "delta": "x"}, 58, end),
    }


def gate(text: bytes) -> None:
    held = _Gate(lambda _: None)
    for character in text.decode():
        held.feed(character)
    held.open()


def written_texts() -> dict[str, Make]:
    return {
        "openings": repeated("<tool_call>\n"), "fences": repeated("```\n"), "braces": repeated('{"name":'),
        "lists": repeated("[", "<tool_call>"), "names and spaces": repeated(" ", "<tool_call>" + "a" * 200),
        "spaces before arguments": repeated(" ", "<tool_call>\nadd", "x"),
        "pairs without an end": repeated("</arg_key><arg_value>", "<tool_call>add<arg_key>"),
        "pairs": repeated("<arg_key>a</arg_key><arg_value>b</arg_value>", "<tool_call>add"),
        "keys": repeated("<arg_key>", "<tool_call>add"), "parameters": repeated("<parameter=", "<function=add>"),
        "open parameters": repeated("<parameter=a>", "<function=add>"),
        "closed parameters": repeated("</parameter> ", "<function=add><parameter=a>"),
        "long parameters": repeated("<parameter=" + "a" * 400, "<function=add>"),
        "whole calls": repeated('{"name":"add","arguments":{}}', "<tool_call>"),
        "marks": repeated("</s>", "<tool_call>"), "quotes": repeated("`", "", "<tool_call>{}"),
        "channels": repeated("<|channel|>commentary to=add", "<tool_call>"),
        "examples": repeated("example ", "", ":\n\n<tool_call>{}"),
    }


def schema_tool(schema: dict[str, Any]) -> Any:
    return handed_definition(HandedTool(ToolSpec("t", "", schema), Mock(), Effect.READ, 1.0))


def references(n: int) -> dict[str, Any]:
    """Return a schema each of whose parts names the next one twice."""
    count = max(n // 60, 1)
    parts: dict[str, Any] = {f"a{at}": {"allOf": [{"$ref": f"#/$defs/a{at + 1}"}] * 2} for at in range(count)}
    return {"type": "object", "$ref": "#/$defs/a0", "$defs": {**parts, f"a{count}": {}}}


def check_against(schema: dict[str, Any]) -> Callable[[bytes], object]:
    return lambda given: read_arguments(schema_tool(schema), given.decode())


LIST = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "integer"}}}}
SCHEMAS: dict[str, dict[str, Any]] = {
    "a pattern": {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}},
    "unique items": {"type": "object", "properties": {"a": {"type": "array", "uniqueItems": True}}},
    "list": LIST, "nothing else": {"type": "object", "additionalProperties": False},
    "not evaluated": {"type": "object", "allOf": [{"properties": {"a": {}}}] * 10, "unevaluatedProperties": False},
}
ARGUMENTS: dict[str, Make] = {
    "a pattern": repeated("a", '{"a":"', '!"}'),
    "unique items": lambda n: orjson.dumps({"a": [[at] for at in range(n // 8)]}),
    "list": repeated("1,", '{"a":[', "1]}"),
    "nothing else": lambda n: orjson.dumps({f"k{at}": 1 for at in range(n // 12)}),
    "not evaluated": lambda n: orjson.dumps({f"k{at}": 1 for at in range(n // 12)}),
}


def tools_file(parameters: object) -> bytes:
    return orjson.dumps([{"name": "t", "description": "d", "parameters": parameters, "command": "scripts/x.py"}])


def tools_files() -> dict[str, Make]:
    wrapped: Callable[[bytes], bytes] = lambda inner: (  # noqa: E731
        b'[{"name":"t","description":"d","command":"scripts/x.py","parameters":{"type":"object",' + inner + b"}}]")
    return {
        "nested": lambda n: wrapped(b'"not":' + b'{"not":' * (n // 7) + b"{}" + b"}" * (n // 7)),
        "many properties": lambda n: wrapped(b'"properties":{' + b",".join(
            b'"p%d":{}' % at for at in range(n // 11)) + b"}"),
        "patterns": lambda n: wrapped(b'"pattern":"' + b"(a+)+" * (n // 5) + b'"'),
        "deep patterns": lambda n: wrapped(b'"pattern":"' + b"(" * (n // 2) + b")" * (n // 2) + b'"'),
        "references": lambda n: tools_file(references(n)), "names": repeated('{"name":"a"},', "[", "{}]"),
        "choices": lambda n: wrapped(b'"enum":[' + b",".join(b"%d" % at for at in range(n // 7)) + b"]"),
    }


def yaml_texts() -> dict[str, Make]:
    return {
        "documents": repeated("---\na: 1\n"), "anchors": repeated("- &a\n"), "aliases": repeated("- *a\n", "- &a b\n"),
        "alias bomb": lambda n: "".join(f"a{at}: &a{at} [{f'*a{at - 1}, ' * 9}]\n" if at else "a0: &a0 [x]\n"
                                        for at in range(n // 60 + 1)).encode(),
        "merges": repeated("<<: {a: 1}\n"), "tags": repeated("- !!int 1\n"), "unknown tags": repeated("- !x 1\n"),
        "long number": repeated("9", "a: "), "sexagesimal": repeated(":1", "a: 1"),
        "hexadecimal": repeated("F", "a: 0x"),
        "numbers as keys": numbered("{}: v\n"), "equal hashes": lambda n: "".join(
            f"{at * (2**61 - 1)}: v\n" for at in range(n // 24)).encode(),
        "flow maps": repeated("{a: ", "b: "), "folded": repeated("\n ", "a: >\n"), "tabs": repeated("\t"),
        "single quotes": repeated("''", "a: '"), "carriage returns": repeated("\r"),
        "key": repeated("k" * 10, "", ": v"),
    }


def stats(text: bytes) -> object:
    work = text_stats.run({"text": text.decode()}, Mock())
    try:
        work.send(None)
    except StopIteration as ended:
        return ended.value
    raise AssertionError


def given(text: bytes) -> object:
    with suppress(StepUnready):
        nested._read_json("x", text.decode())
    return None


def produced(text: bytes) -> object:
    step = Step("s", 1, 1, "", "a")
    return outputs.produce({"x": {"type": "object"}}, [(step, text.decode())])


def secrets() -> dict[str, Make]:
    return {
        "keys": repeated("sk-"), "letters": repeated("sk-" + "a" * 50), "cookies": repeated("automatos_a="),
        "tokens": repeated("?token="), "addresses": repeated("://a:"), "private keys": repeated("-----BEGIN "),
        "headers of keys": repeated("-----BEGIN PRIVATE KEY-----"), "web tokens": repeated("eyJaaaaaaaaa."),
        "beginnings of web tokens": repeated("-eyJaaaaaaaaa"), "rows": repeated("DETAIL:  "),
        "shapes": repeated("xox.xox"),
        "names": repeated("token"), "queries": repeated("invalid input for query argument $1"),
        "types": repeated("invalid input syntax for type a "), "one letter": repeated("A"), "spaces": repeated(" "),
        "signs": repeated("eyJ" + "a" * 60), "dashes": repeated("a-"), "passwords": repeated("password "),
    }


def told(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda given: read(given.decode())


def fields(given: bytes) -> object:
    for one in shipped_types():
        for name in one["schema"].get("properties") or {}:
            try:
                checked_fields(one["schema"], {name: given.decode()})
            except CredentialInvalidHere:
                continue
    return None


def prompts() -> dict[str, Make]:
    return {
        "digits": repeated("1 "), "sums": repeated("1+"), "open sums": repeated("1+("), "points": repeated(". "),
        "now": repeated("now "), "what": repeated("what "), "use": repeated("use the tool "), "spaces": repeated(" "),
        "fences": repeated("<data>"), "marks": repeated("#"), "lines": repeated("\n"), "slash": repeated("a", "/"),
        "closings": repeated("</ "), "stops": repeated("!", "", "x"), "blocks": repeated("```\n"),
        "blocks and spaces": repeated("``` \n \n"), "block": repeated("\n", "```json", "```"), "open": repeated("[{"),
        "spaces after a block": repeated(" \n", "```json\n{}\n```", "x"),
    }


def answers() -> dict[str, Make]:
    return {
        "names": repeated('{"id":"a"},', '{"data":[', "{}]}"), "nested": repeated("["), "text": repeated("a", '"', '"'),
        "many keys": lambda n: orjson.dumps({f"k{at}": at for at in range(n // 14)}), "number": repeated("9"),
    }


def takers_of_texts() -> Sequence[Taker]:
    """Return them with their inputs."""
    answered: list[tuple[str, Any, Callable[[], AnswerReader], dict[str, Make]]] = [
        ("chat", ChatReader, lambda: ChatReader(call(), ThinkTags(is_on=True)), chat_streams()),
        ("messages", anthropic._Reader, lambda: anthropic._Reader(call(), ThinkTags(is_on=True)), message_streams()),
        ("responses", responses._Reader, lambda: responses._Reader(call(), ThinkTags(is_on=True)), response_streams()),
    ]
    texts: list[tuple[str, Any, Callable[[bytes], object], dict[str, Make]]] = [
        ("calls in a text", read_calls, told(lambda text: read_calls(text, TOOLS)), written_texts()),
        ("text held back", _Gate, gate, {**written_texts(), "spaces": repeated(" "), "open": repeated("<")}),
        ("agents' YAML", read_yaml, told(read_yaml), yaml_texts()),
        ("tools of a skill", read_tools, lambda given: read_tools(given, "s", ["scripts/x.py"]), tools_files()),
        ("demo's choice of a tool", wanted_tool, told(lambda text: wanted_tool(text, TOOLS)), prompts()),
        ("demo's answer", write_answer, told(lambda text: write_answer(text, [text])), prompts()),
        ("statistics of a text", text_stats.run, stats, prompts()),
        ("findings", read_findings, told(read_findings), prompts()),
        ("outputs", outputs.produce, produced, prompts()),
        ("lists of items", planning._read, told(planning._read), prompts()),
        ("inputs of runs", nested._read_json, given, prompts()),
        ("material", fence, told(fence), prompts()),
        ("what can be stored", storable, told(storable), prompts()),
        ("a skill that is called", find_invoked, told(lambda text: find_invoked((), text)), prompts()),
        ("secrets in a log", hide_secrets, told(hide_secrets), secrets()),
        ("controls in a log", show_controls, told(show_controls), {
            "escapes": repeated("\x1b[2J"), "text": repeated("é")}),
        ("secrets in an error", scrub, told(scrub), secrets()),
        ("arguments that are compared", loop._arguments, told(loop._arguments), answers()),
        ("names of models", probe._names, probe._names, answers()),
        ("answer to a credential", api_call._is_as_expected,
         lambda given: api_call._is_as_expected(given, {"ok": True}), answers()),
        ("fields of a credential", checked_fields, fields, {
            "letters": repeated("a"), "spaces": repeated(" "), "dashes": repeated("us-", "", "!"),
            "colons": repeated(":")}),
    ]
    return [
        *(Taker(f"{name} stream, {kind}", taken, lambda given, made=made: read_stream(made(), given), make)
          for name, taken, made, streams in answered for kind, make in streams.items()),
        *(Taker(f"{name}, {kind}", taken, read, make)
          for name, taken, read, made in texts for kind, make in made.items()),
        *(Taker(f"arguments, {name}", read_arguments, check_against(SCHEMAS[name]), make)
          for name, make in ARGUMENTS.items()),
        Taker("arguments, references", read_arguments,
              lambda schema: read_arguments(schema_tool(schema), "{}"), references),
        Taker("references written out", inlined, inlined, references),
    ]
