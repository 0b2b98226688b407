"""Reading server-sent events however they are cut."""

import time
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automatos.llm.providers.sse import MAX_EVENT_BYTES, EventReader, EventTooLong

STREAM = (b": comment\n\nevent: a\ndata: one\n\ndata:two\r\n\r\nid: 3\ndata: three\ndata: lines\n\n"
          b"retry: 5\n\ndata: last")
EVENTS = [b"one", b"two", b"three\nlines", b"last"]


@given(st.lists(st.integers(0, len(STREAM)), max_size=30))
def test_the_events_are_the_same_wherever_the_bytes_are_cut(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    reader = EventReader()

    found = [event for a, b in pairwise(edges) for event in reader.feed(STREAM[a:b])] + reader.close()

    assert [data for data, _ in found] == EVENTS


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("between", [1, 2, 3])
@pytest.mark.parametrize("bom", [b"", b"\xef\xbb\xbf"])
def test_events_are_read_whatever_ends_their_lines(end: str, between: int, bom: bytes) -> None:
    documents = [b'{"a":1}', b'{"b":{"c":[2]}}', b"[DONE]"]
    stream = bom + b"".join(b"data: " + each + end.encode() * between for each in documents)

    for size in (1, 2, 3, 7, len(stream)):
        reader = EventReader()
        found = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at:at + size])]
        assert [data for data, _ in found + reader.close()] == documents


def test_a_document_over_several_lines_stays_one() -> None:
    reader = EventReader()

    found = reader.feed(b'data: {"a": [{"b": 1},\ndata: {"c": 2}]\ndata: }\n\n')

    assert [data for data, _ in found] == [b'{"a": [{"b": 1},\n{"c": 2}]\n}']


def test_names_stay_with_their_events_and_bare_documents_are_events() -> None:
    reader = EventReader()

    found = reader.feed(b'event: error\ndata: no room\n\ndata: x\n\n{"error": 1}\n{"error": 2}\n\n')

    assert found == [(b"no room", b"error"), (b"x", b""), (b'{"error": 1}', b""), (b'{"error": 2}', b"")]


def test_one_event_without_end_is_refused_before_it_fills_the_memory() -> None:
    reader = EventReader()
    for _ in range(MAX_EVENT_BYTES // 65536):
        reader.feed(b"x" * 65536)

    with pytest.raises(EventTooLong):
        reader.feed(b"x")


@pytest.mark.parametrize("pieces", [
    lambda n: [b"data:x\n" * (n // 7)], lambda n: [b"data:x\n"] * (n // 7),
    lambda n: [b"data:", *[b"x" * 16] * (n // 16)],
], ids=["many lines at once", "line by line", "one line in small pieces"])
def test_eight_times_as_many_bytes_of_one_event_cost_about_eight_times_as_much(
    pieces: Callable[[int], list[bytes]]
) -> None:
    """Joining what came so far again and again would cost sixty times as much."""
    few, many = spent(pieces(400_000)), spent(pieces(3_200_000))
    assert many < 24 * few, f"{few} s, {many} s"


def spent(pieces: list[bytes]) -> float:
    """Return the least processor time of three readings."""
    costs: list[float] = []
    for _ in range(3):
        reader, began = EventReader(), time.process_time()
        for piece in pieces:
            reader.feed(piece)
        assert len(reader.close()) == 1
        costs.append(time.process_time() - began)
    return min(costs)
