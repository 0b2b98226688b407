"""The pieces that most of an answer consists of are read a short way, which finds what the general one finds."""

from typing import Any, cast
from unittest.mock import Mock

import aiohttp
import orjson
import pytest

from automatos.credentials.service import get_provider
from automatos.kernel.errors import Problem
from automatos.llm.providers import ProviderCall, openai, transport
from automatos.llm.providers.openai import ChatReader
from automatos.llm.providers.think_tags import ThinkTags
from automatos.llm.types import Answer, ModelChoice

PLAIN = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
END = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
ODD: list[Any] = [
    {"choices": [PLAIN | {"index": 1}]}, {"choices": [PLAIN | {"index": None}]}, {"choices": [PLAIN | {"index": "0"}]},
    {"choices": [PLAIN, PLAIN | {"index": 1}]}, {"choices": PLAIN}, {"choices": None}, {"choices": []},
    {"choices": ["word"]}, {"choices": [None, PLAIN]}, {"choices": [PLAIN], "usage": {"prompt_tokens": 7}},
    {"choices": [PLAIN | {"usage": {"completion_tokens": 3}}]}, {"choices": [PLAIN], "usage": None},
    {"choices": [PLAIN], "x_groq": {"usage": {"prompt_tokens": 9}}}, {"choices": [PLAIN | {"finish_reason": "length"}]},
    {"choices": [PLAIN | {"finish_reason": 0}]}, {"choices": [PLAIN | {"finish_reason": ""}]},
    {"choices": [PLAIN | {"error": {"message": "no room"}}]}, {"choices": [PLAIN | {"logprobs": None}]},
    {"choices": [PLAIN | {"delta": "word"}]}, {"choices": [PLAIN | {"delta": None, "message": {"content": "whole"}}]},
    {"choices": [PLAIN | {"delta": {"content": None}}]}, {"choices": [PLAIN | {"delta": {"content": 7}}]},
    {"choices": [PLAIN | {"delta": {"content": [{"type": "text", "text": "part"}]}}]},
    {"choices": [PLAIN | {"delta": {"content": "a\x00b"}}]}, {"choices": [PLAIN | {"delta": {"content": "<think>x"}}]},
    {"choices": [PLAIN | {"delta": {"refusal": "no"}}]}, {"choices": [PLAIN | {"delta": {"reasoning": "hm"}}]},
    {"choices": [PLAIN | {"delta": {"role": "assistant", "content": "x"}}]}, {"type": "ping"}, {"choices": True},
]


async def read(content: list[Any]) -> tuple[list[str], Answer | type[Problem]]:
    """Return what is told of an answer, and the answer."""
    told: list[str] = []
    call = ProviderCall(cast("aiohttp.ClientSession", Mock()), get_provider("custom"), "http://x", "k",
                        ModelChoice("custom", "m"), (), ())
    reader = ChatReader(call, ThinkTags(is_on=True))
    stream = transport._Stream(call, reader, told.append)
    try:
        for each in content:
            await stream.take(b"data: " + orjson.dumps(each) + b"\n\n")
        return told, reader.finish()
    except Problem as problem:
        return told, type(problem)


@pytest.mark.parametrize("odd", ODD, ids=lambda odd: orjson.dumps(odd).decode()[:60])
async def test_a_piece_of_any_shape_is_read_as_the_general_way_reads_it(
    odd: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = [odd, {"choices": [PLAIN]}, odd, END]
    found = await read(content)
    monkeypatch.setattr(openai, "_plain_text", lambda _: "")

    assert found == await read(content)


async def test_usual_pieces_take_the_short_way_wherever_the_connection_cuts_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    general: list[object] = []
    take_choice = ChatReader._take_choice

    def noticed(self: ChatReader, *given: Any) -> str:
        general.append(given)
        return take_choice(self, *given)

    monkeypatch.setattr(ChatReader, "_take_choice", noticed)
    told, answer = await read([{"choices": [PLAIN]}] * 200 + [END])

    assert isinstance(answer, Answer)
    assert answer.text == "".join(told) == "word " * 200
    assert len(general) == 1


async def test_much_that_comes_at_once_is_taken_in_pieces_of_whole_events(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    monkeypatch.setattr(transport._Stream, "_tell", lambda _, __, piece: pieces.append(piece))
    call = cast("ProviderCall", Mock())
    stream = transport._Stream(call, Mock(size=0, is_done=False), lambda _: None)
    content = b"data: {1}\n\n" * 1000 + b"x" * 5000 + b"\n\n" + b"\n" * 5001

    await stream.take(content)

    assert b"".join(pieces) == content
    assert max(map(len, pieces)) <= transport.PIECE_BYTES
    assert len(pieces) <= 2 * (len(content) // transport.PIECE_BYTES + 1)
    assert all(piece.endswith(b"\n\n") for piece in pieces[:5])
