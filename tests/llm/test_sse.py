"""Reading server-sent events however they are cut."""

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

    found = [event for a, b in pairwise(edges) for event in reader.feed(STREAM[a:b])]

    assert found + reader.close() == EVENTS


def test_one_event_without_end_is_refused_before_it_fills_the_memory() -> None:
    reader = EventReader()
    for _ in range(MAX_EVENT_BYTES // 65536):
        reader.feed(b"x" * 65536)

    with pytest.raises(EventTooLong):
        reader.feed(b"x")
