"""Tool calls that a model wrote into its text, because its server did not read them out of it.

A call counts only where it is meant as one: the calls are the end of the answer, with nothing but marks of the format
between and after them; they begin a line or follow a finished sentence, outside of code; or a JSON call, bare or in one
fence, is the whole answer. All of them must name tools that were offered.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from automatos.llm.providers.tool_calls import plain_name
from automatos.llm.types import ToolSpec

Read = tuple[str, Any]
OPENINGS = (
    "<tool_call>", "<tool_calls>", "<toolcall>", "<function_call>", "<function_calls>", "<function=", "<tools>",
    "<invoke name=", "<minimax:tool_call>", "<longcat_tool_call>", "<|tool_call|>", "<|tool_call_begin|>",
    "<|tool_calls_section_begin|>", "<|python_tag|>", "<|channel|>commentary", "<|start|>assistant",
    "<\uff5ctool▁calls▁begin\uff5c>", "<\uff5ctool▁call▁begin\uff5c>", "<\uff5cDSML\uff5c", "[TOOL_CALLS]",
)
"""What a written call begins with, in the formats of the model families."""
LONGEST_OPENING = max(map(len, OPENINGS))
SENTENCE_ENDS = (".", "!", "?", "…", "。", "\uff01", "\uff1f", "</think>", "</thinking>")
MAX_LOOKS, MAX_CALLS = 40, 100
_OPENING = re.compile("|".join(map(re.escape, OPENINGS)))
_SKIPPED = re.compile(
    r"\s+|</?(?:tool_calls?|toolcall|function_calls?|tools|minimax:tool_call|longcat_tool_call)>|</function>|</s>|"
    r"<\|/?(?:tool_call|python_tag|tool_calls_section_begin|tool_calls_section_end|tool_call_end|im_end|eot_id|eom_id|"
    r"end|endoftext|call|user)\|>|<\uff5c(?:tool▁calls▁begin|tool▁calls▁end|tool▁call▁end|end▁of▁sentence)\uff5c>|"
    r"\[/?TOOL_CALLS\]|<\|start\|>assistant")
_NAME = r"([\w.\-:/]{1,200}+)"
_BEFORE_JSON = tuple(re.compile(pattern) for pattern in (
    rf"<function={_NAME}>\s*+(?=\{{)",
    rf"<\|tool_call_begin\|>\s*+{_NAME}\s*+<\|tool_call_argument_begin\|>\s*+",
    rf"<\uff5ctool▁call▁begin\uff5c>(?:function<\uff5ctool▁sep\uff5c>)?{_NAME}(?:<\uff5ctool▁sep\uff5c>|\s)\s*+(?:```json\s*+)?",
    rf"<\|channel\|>\s*+commentary\s++to=(?:functions\.)?{_NAME}\s*+(?:<\|constrain\|>\s*+\w++\s*+)?<\|message\|>\s*+",
    rf"{_NAME}\s*+(?:\[CALL_ID\]\w++\s*+)?+(?:\[ARGS\]\s*+)?+(?=\{{)",
))
"""A call whose name stands before its arguments, which are JSON."""
_ELEMENT = re.compile(rf"<(function|invoke)(?:=| name=[\"']){_NAME}[\"']?\s*+>(.*?)(?:</\1>|\Z)", re.DOTALL)
_PARAMETER = re.compile(
    r"<parameter(?:=|\s{1,9}name=)[\"']?([^\"'>\s]{1,200}+)[\"']?+[^>]{0,200}+>(.*?)"
    r"(?:</parameter>(?=\s*+(?:<parameter[\s=]|\Z))|(?=<parameter[\s=]))", re.DOTALL)
_ONE_PAIR = r"<arg_key>(?>.*?</arg_key>)\s*+<arg_value>(?>.*?</arg_value>)\s*+"
_PAIRS = re.compile(rf"{_NAME}\s*+((?:{_ONE_PAIR})++|(?=</tool_call>))", re.DOTALL)
_PAIR = re.compile(r"<arg_key>(?>(.*?)</arg_key>)\s*+<arg_value>(?>(.*?)</arg_value>)", re.DOTALL)
_AFTER_JSON = re.compile(r"\s*```")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
_FENCED = re.compile(r"(`{3,}|~{3,})[ \t]{0,8}[\w+-]{0,20}[ \t]{0,8}\n")
_EXAMPLE = re.compile(
    r"(?i)\b(?:examples?|e\.g\.|instance|format|syntax|looks?|like|write|writes|written|would|follow\w*|template)\b.*:\s*\Z")
"""The line before something that is shown, not meant."""
_NAMES = ("name", "tool_name", "tool", "function_name")
_ARGUMENTS = ("arguments", "parameters", "args", "input", "tool_input", "params")
_KNOWN = frozenset({*_NAMES, *_ARGUMENTS, "function", "type", "id"})
_JSON = json.JSONDecoder(strict=False)


@dataclass(frozen=True, slots=True)
class WrittenCall:
    """One call as it was read; `arguments` is JSON, `written` the text it was read from."""

    name: str
    arguments: str
    written: str


def read_calls(text: str, tools: Sequence[ToolSpec]) -> tuple[str, tuple[WrittenCall, ...]] | None:
    """Return the text before the calls that an answer ends with, and the calls; None when it ends with none."""
    offered = {tool.name: tool.parameters for tool in tools}
    if calls := _whole(text, offered):
        return "", calls
    for start in _places(text):
        if calls := _calls_of(text[start:], offered):
            return text[:start].rstrip(), calls
    return None


def _whole(text: str, offered: Mapping[str, Any]) -> tuple[WrittenCall, ...]:
    """Read an answer that is nothing but a call: bare JSON, or anything readable inside of one fence."""
    written = text.strip()
    fenced = _FENCED.match(written)
    if fenced and written.endswith(fenced[1]) and written.count(fenced[1]) == 2:
        written = written[fenced.end():-len(fenced[1])].strip()
        if _OPENING.match(written):
            return _calls_of(written, offered)
    if written[:1] not in {"{", "["}:
        return ()
    try:
        value, end = _JSON.raw_decode(written)
    except (ValueError, RecursionError):
        return ()
    listed = value if isinstance(value, list) else [value]
    are_calls = listed and all(isinstance(each, dict) and each.keys() <= _KNOWN and _arguments_in(each) is not None
                               for each in listed)
    if not are_calls or written[end:].strip():
        return ()
    return _checked([(read, written) for read in _in_json(value)], offered)


def _places(text: str) -> Iterator[int]:
    """Yield where calls may begin: at a line's beginning or after a finished sentence, outside of code."""
    fences = [found.start() for found in _FENCE.finditer(text)]
    for found, _ in zip(_OPENING.finditer(text), range(MAX_LOOKS), strict=False):
        start = found.start()
        line = text[text.rfind("\n", 0, start) + 1:start]
        before = line.rstrip(" ")
        if before:
            is_placed = before.endswith(SENTENCE_ENDS) and before.count("`") % 2 == 0 and before.lstrip()[0] != ">"
        else:
            above = text[:start - len(line)].rstrip()[-200:].rpartition("\n")[2]
            is_placed = len(line) < 4 and not _EXAMPLE.search(above)
        if is_placed and sum(at < start for at in fences) % 2 == 0:
            yield start


def _calls_of(body: str, offered: Mapping[str, Any]) -> tuple[WrittenCall, ...]:
    """Read calls until the end of a text; empty when anything else stands there."""
    body = body.replace("\uff5cDSML\uff5c", "")
    read: list[tuple[Read, str]] = []
    at = 0
    while at < len(body):
        if skipped := _SKIPPED.match(body, at):
            at = skipped.end()
            continue
        try:
            found, end = _next(body, at, offered)
        except (ValueError, RecursionError):
            return ()
        if not found:
            return ()
        read += [(each, body[at:end]) for each in found]
        at = end
    return _checked(read, offered)


def _next(body: str, at: int, offered: Mapping[str, Any]) -> tuple[list[Read], int]:
    """Read what stands at a place, one call or a JSON list of them, and where it ends; raises ValueError."""
    if body[at] in "{[":
        value, end = _JSON.raw_decode(body, at)
        return list(_in_json(value)), end
    for pattern in _BEFORE_JSON:
        if named := pattern.match(body, at):
            value, end = _JSON.raw_decode(body, named.end())
            after = _AFTER_JSON.match(body, end)
            return [(named[1], value)], after.end() if after else end
    if element := _ELEMENT.match(body, at):
        given = {name: _typed(value, name, _properties(element[2], offered))
                 for name, value in _PARAMETER.findall(element[3])}
        is_read = not _PARAMETER.sub("", element[3]).strip()
        return [(element[2], given)] if is_read else [], element.end()
    if pairs := _PAIRS.match(body, at):
        given = {name.strip(): _typed(value, name.strip(), _properties(pairs[1], offered))
                 for name, value in _PAIR.findall(pairs[2])}
        return [(pairs[1], given)], pairs.end()
    return [], at


def _in_json(value: Any) -> Iterator[Read]:
    """Yield the calls of a JSON value; what is none yields a call without a name, which is offered by nobody."""
    for each in value if isinstance(value, list) else [value]:
        if not isinstance(each, dict):
            yield "", None
            continue
        inner: Any = each.get("function")
        holder: dict[str, Any] = inner if isinstance(inner, dict) else each
        named = next((holder[key] for key in _NAMES if isinstance(holder.get(key), str)), inner)
        arguments = _arguments_in(each)
        yield (named if isinstance(named, str) else ""), {} if arguments is None else arguments


def _arguments_in(call: Mapping[str, Any]) -> Any:
    inner: Any = call.get("function")
    holder: Mapping[str, Any] = inner if isinstance(inner, dict) else call
    return next((holder[key] for key in _ARGUMENTS if holder.get(key) is not None), None)


def _checked(read: Sequence[tuple[Read, str]], offered: Mapping[str, Any]) -> tuple[WrittenCall, ...]:
    """Return calls with the names and arguments of tools that were offered; empty when one of them was not."""
    calls: list[WrittenCall] = []
    if len(read) > MAX_CALLS:
        return ()
    for (written_name, given), written in read:
        name = plain_name(re.sub(r":\d+$", "", written_name.strip()), offered)
        arguments = given
        if isinstance(given, str):
            try:
                arguments = orjson.loads(given or "{}")
            except orjson.JSONDecodeError:
                arguments = None
        if name not in offered or not isinstance(arguments, dict):
            return ()
        calls.append(WrittenCall(name, orjson.dumps(arguments).decode(), written))
    return tuple(calls)


def _properties(name: str, offered: Mapping[str, Any]) -> Mapping[str, Any]:
    schema = offered.get(plain_name(name, offered)) or {}
    properties: Any = schema.get("properties")
    return properties if isinstance(properties, dict) else {}


def _typed(value: str, name: str, properties: Mapping[str, Any]) -> Any:
    """Return a parameter written as text as what the tool's schema takes: text stays text, all else is JSON."""
    text = value.removeprefix("\n").removesuffix("\n")
    schema: Any = properties.get(name)
    kind: Any = schema.get("type") if isinstance(schema, dict) else None
    if kind == "string" or (isinstance(kind, list) and "string" in kind):
        return text
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"true": True, "false": False, "none": None}.get(text.strip().lower(), text)
