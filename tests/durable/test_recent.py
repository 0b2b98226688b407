"""The beginnings of streams that this process keeps: true to the table, bounded, forgotten when others write."""

from uuid import UUID

import pytest

from automatos.durable import bus as recent
from automatos.durable.bus import RecentStreams
from automatos.durable.types import StoredEvent

PLACE = (UUID(int=1), "run:x")
OTHER = (UUID(int=2), "run:x")


def events(*numbers: int, data: str = "{}") -> list[StoredEvent]:
    return [StoredEvent("run:x", number, "step.started", "", data) for number in numbers]


def kept_of(*batches: list[StoredEvent]) -> list[int]:
    streams = RecentStreams()
    for batch in batches:
        streams.note(PLACE, batch)
    return [event.seq for event in streams.find(PLACE)]


@pytest.mark.parametrize(("batches", "kept"), [
    ([events(1)], [1]),
    ([events(1, 2, 3), events(4), events(5, 6)], [1, 2, 3, 4, 5, 6]),
    ([events(4)], []),
    ([events(1, 2), events(4)], []),
    ([events(1, 2), events(4), events(3)], []),
    ([events(1, 2), events(2, 3)], []),
    ([events(1), events(2, data="x" * (recent.MOST_BYTES + 1))], []),
], ids=["first", "goes on", "began elsewhere", "a hole", "out of order", "repeated", "too large"])
def test_a_stream_is_known_from_its_first_event_without_a_hole_or_not_at_all(
    batches: list[list[StoredEvent]], kept: list[int]
) -> None:
    assert kept_of(*batches) == kept


def test_a_stream_is_its_workspaces_alone() -> None:
    streams = RecentStreams()
    streams.note(PLACE, events(1))

    assert streams.find(OTHER) == []


def test_streams_are_forgotten_after_a_while_when_there_are_many_and_when_others_write() -> None:
    moment = [0.0]
    streams = RecentStreams(lambda: moment[0])
    places = [(UUID(int=number), "run:x") for number in range(recent.MOST_STREAMS + 1)]
    for place in places:
        streams.note(place, events(1))
    streams.forget(places[2])

    assert [bool(streams.find(place)) for place in (*places[:4], places[-1])] == [False, True, False, True, True]
    moment[0] = recent.KEPT_S
    assert streams.find(places[1]) == []
    streams.forget_all()
    moment[0] = 0.0
    assert streams.find(places[3]) == []
