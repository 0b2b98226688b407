"""Whatever bytes come, the takers of bytes answer or refuse; none of them crashes. BYTE_FUZZ=20000 looks longer."""

import os
import zlib
from contextlib import suppress
from itertools import pairwise

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from automatos.kernel.documents import DocumentInvalid, read_documents
from automatos.kernel.errors import Problem
from automatos.kernel.remote_bytes import decode, read_page
from automatos.llm.errors import ModelProblem
from automatos.llm.providers.openai import ChatReader
from automatos.llm.providers.sse import EventReader
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.providers.written import _Gate
from automatos.llm.providers.written_calls import OPENINGS, read_calls
from automatos.recipes.placeholders import TooLong, find
from automatos.recipes.step_runner import fill
from automatos.skills.archive import read_archive
from automatos.skills.git.packs import unpack
from automatos.skills.package import check_package
from tests.byte_inputs import archive, entry, number, pack
from tests.byte_takers import TOOLS, call, read_stream

EXAMPLES = int(os.environ.get("BYTE_FUZZ", "100"))
bounded = settings(max_examples=EXAMPLES, deadline=None, derandomize=EXAMPLES == 100, database=None,
                   suppress_health_check=list(HealthCheck))
MARKUP = st.lists(st.sampled_from([
    "<", ">", "</", "<a ", "<nav>", "</nav>", "<script>", "</script>", "<title>", "</title>", "<!--", "-->", "<!", "<?",
    "=",
    "\"", "'", "&#", "9999999999", "&amp;", "&#x110000;", "&#xd800;", "/", " ", "\n", "x", "é", "\0", "<p>", "=\"",
    "='",
]), max_size=60).map("".join)
HEADS = st.lists(st.sampled_from([
    "a", ":", " ", "\n", "- ", "[", "]", "{", "}", "&a", "*a", "!!int", "|", ">", "'", "\"", "#", "---", "...", "\t",
    "? ",
    "<<", "name: x\n", "description: y\n", "é", ",", "%", "\\u0041", "1e999", "0x",
]), max_size=50).map("".join)


MARKS = st.lists(st.sampled_from([
    *OPENINGS, "</tool_call>", "add", "{", "}", "[", "]", '"name":"add"', '"arguments":{}', ",", "<arg_key>",
    "</arg_key>", "<arg_value>", "</arg_value>", "<parameter=a>", "</parameter>", "</function>", ">", "\n", "```", " ",
    "x", ".", ":",
    "<|tool_call_argument_begin|>", "[ARGS]", "[CALL_ID]", "<|message|>", "commentary to=",
]), max_size=40).map("".join)


@bounded
@given(MARKUP, st.sampled_from(["utf-8", "utf-16", "shift_jis", "punycode", "x" * 50, "", None]))
def test_pages(written: str, charset: str | None) -> None:
    title, text = read_page(written.encode(), charset)
    assert len(title) <= 500
    assert "\n\n" not in text


@bounded
@given(st.binary(max_size=300), st.text(max_size=20))
def test_characters(content: bytes, charset: str) -> None:
    assert isinstance(decode(content, charset), str)
    assert isinstance(read_page(content, charset)[1], str)


@bounded
@given(st.lists(st.one_of(st.binary(max_size=20), st.sampled_from(
    [b"data:", b"\r", b"\n", b"\n\n", b"event:", b"{", b"}", b"[DONE]", b"\xef\xbb\xbf", b":",
     b'data: {"a":1}\n\n', b'data: {"a":1}\n\ndata: {"b":2} \n\n', b'data: {"a":1}\n\ndata: \n\ndata: {}\n\n'])),
    max_size=40))
def test_event_streams_say_the_same_however_they_are_cut(pieces: list[bytes]) -> None:
    def read(parts: list[bytes]) -> list[tuple[bytes, bytes]]:
        reader = EventReader()
        return [event for part in parts for event in reader.feed(part)] + reader.close()

    whole = b"".join(pieces)
    assert read(pieces) == read([whole]) == read([whole[at:at + 1] for at in range(len(whole))])


@bounded
@given(HEADS)
def test_front_matter_and_documents(head: str) -> None:
    checked = check_package("s", {"SKILL.md": f"---\n{head}\n---\nbody\n".encode()})
    assert (checked.package is None) == bool(checked.problems)
    with suppress(DocumentInvalid):
        read_documents(head)


@bounded
@given(st.binary(max_size=60), st.binary(max_size=60), st.integers(0, 200), st.integers(0, 200))
def test_packs(base: bytes, changes: bytes, base_size: int, size: int) -> None:
    first = entry(3, base)
    delta = number(base_size) + number(size) + changes
    refused_or_read(lambda: unpack(pack([first, entry(6, delta, bytes([len(first) & 127]))])))
    refused_or_read(lambda: unpack(pack([changes])))
    refused_or_read(lambda: unpack(pack([b"\x3f" + zlib.compress(base)])))


@bounded
@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.binary(max_size=40)), max_size=5),
       st.lists(st.tuples(st.integers(0, 2_000), st.integers(0, 255)), max_size=6))
def test_archives(files: list[tuple[str, bytes]], changes: list[tuple[int, int]]) -> None:
    kept = {"f" + path.encode("utf-8", "replace").decode().replace("\0", ""): content for path, content in files}
    written = bytearray(archive(kept.items()))
    for at, value in changes:
        written[at % len(written)] = value
    refused_or_read(lambda: read_archive(bytes(written)))


def refused_or_read(work: object) -> None:
    with suppress(Problem):
        work()  # type: ignore[operator]


@bounded
@given(st.lists(st.sampled_from(["{", "}", "{{", "}}", "\\", "a", "{a}", "{{a}}", "{input.x}", "\\{a}", "é", " "]),
                max_size=40).map("".join), st.text(max_size=10))
def test_placeholders_become_no_longer_than_was_counted(template: str, value: str) -> None:
    values = {found.name: value for found in find(template)} | {"a": value}
    made = fill(template, values)
    assert fill(template, values, limit=len(template) + len(value) * template.count("{")) == made
    if made:
        with pytest.raises(TooLong) as caught:
            fill(template, values, limit=len(made) - 1)
        assert caught.value.size >= len(made)


@bounded
@given(MARKS, st.lists(st.integers(0, 60), max_size=6))
def test_calls_in_a_text_are_read_or_not_and_the_text_is_handed_on_whole(text: str, cuts: list[int]) -> None:
    found = read_calls(text, TOOLS)
    if found:
        before, calls = found
        assert text.startswith(before)
        assert {each.name for each in calls} <= {tool.name for tool in TOOLS}
    told: list[str] = []
    gate = _Gate(told.append)
    places = sorted({0, *(cut for cut in cuts if cut < len(text)), len(text)})
    for start, end in pairwise(places):
        gate.feed(text[start:end])
    gate.open()
    assert "".join(told) == text


FIELDS = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "}", "{}", "add", " "]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([
        "content", "tool_calls", "index", "id", "function", "name", "arguments", "reasoning", "details", "type", "text",
        "thinking", "refusal"]), inner, max_size=4), max_leaves=12)


@bounded
@given(st.lists(FIELDS, max_size=8))
def test_answers_of_models_are_read_or_refused(deltas: list[object]) -> None:
    end: list[object] = [{"choices": [{"delta": {}, "finish_reason": "stop"}]}]
    events = [{"choices": [{"delta": delta}]} for delta in deltas]
    with suppress(ModelProblem):
        read_stream(ChatReader(call(), ThinkTags(is_on=True)),
                    b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in events + end))
