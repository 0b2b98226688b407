"""Places in traces: read as the W3C writes them, made of a run's id so that samplers treat runs evenly."""

from uuid import UUID

import pytest

from automatos.kernel.ids import new_id
from automatos.kernel.tracing import (
    SpanPlace,
    Within,
    current_traceparent,
    read_traceparent,
    span_id_of,
    trace_id_of,
)

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(("text", "is_sampled"), [
    (f"00-{TRACE}-{SPAN}-01", True), (f"00-{TRACE}-{SPAN}-00", False), (f" 00-{TRACE}-{SPAN}-03 ", True),
    (f"cc-{TRACE}-{SPAN}-01-what-the-future-will-bring", True),
])
def test_a_traceparent_is_read(text: str, is_sampled: bool) -> None:
    assert read_traceparent(text) == SpanPlace(int(TRACE, 16), int(SPAN, 16), is_sampled)


@pytest.mark.parametrize("text", [
    "", "00", f"00-{TRACE}-{SPAN}", f"ff-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01-more", f"00-{'0' * 32}-{SPAN}-01",
    f"00-{TRACE}-{'0' * 16}-01", f"00-{TRACE.upper()}-{SPAN}-01", f"00-{TRACE}{'a' * 100_000}-{SPAN}-01",
])
def test_what_is_none_is_not(text: str) -> None:
    assert read_traceparent(text) is None


def test_a_place_is_written_as_it_is_read() -> None:
    for is_sampled in (True, False):
        place = SpanPlace(trace_id_of(new_id()), span_id_of(new_id(), "run"), is_sampled)
        assert read_traceparent(place.traceparent) == place


def test_ids_are_the_same_wherever_they_are_made_and_others_for_others() -> None:
    first, second = UUID(int=1), UUID(int=2)
    assert trace_id_of(first) == trace_id_of(UUID(int=1)) != trace_id_of(second)
    places = [span_id_of(run, place) for run in (first, second) for place in ("run", "step a", "step b", "event 1")]
    assert len(set(places)) == 8


def test_a_sampler_that_keeps_half_of_all_traces_keeps_about_half_of_the_runs() -> None:
    """Ids of runs tell the time, and the library's sampler compares the lower half with its bound."""
    kept = sum((trace_id_of(new_id()) & (2**64 - 1)) < 2**63 for _ in range(2_000))
    assert 850 < kept < 1_150


def test_only_within_a_request_there_is_one() -> None:
    place = SpanPlace(1, 2)
    with Within(place):
        assert current_traceparent() == place.traceparent
    assert current_traceparent() is None
