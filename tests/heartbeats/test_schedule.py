"""When heartbeats are due: exact intervals, hours of the day, changes of the clocks."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automatos.heartbeats.schedule import Schedule, is_within, next_due
from automatos.heartbeats.types import Hours

GREENWICH, BERLIN, NEW_YORK, KOLKATA = (
    ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"))
ZONES = [ZoneInfo(name) for name in (
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Pacific/Apia", "Africa/Cairo")]


def at(written: str) -> datetime:
    """A moment in UTC."""
    return datetime.fromisoformat(written).replace(tzinfo=UTC)


def hours(start: str, end: str, zone: ZoneInfo = GREENWICH) -> Hours:
    return Hours(time.fromisoformat(start), time.fromisoformat(end), zone)


def every(minutes: int, within: Hours | None = None, anchor: str = "2026-03-02T08:17") -> Schedule:
    return Schedule(at(anchor), timedelta(minutes=minutes), within)


def first(schedule: Schedule, count: int) -> list[datetime]:
    """The first due times after the anchor."""
    found: list[datetime] = []
    after = schedule.anchor_at
    for _ in range(count):
        after = next_due(schedule, after)
        found.append(after)
    return found


@pytest.mark.parametrize(("minutes", "expected"), [
    (1, ["2026-03-02T08:18", "2026-03-02T08:19", "2026-03-02T08:20"]),
    (7, ["2026-03-02T08:24", "2026-03-02T08:31", "2026-03-02T08:38"]),
    (60, ["2026-03-02T09:17", "2026-03-02T10:17", "2026-03-02T11:17"]),
    (90, ["2026-03-02T09:47", "2026-03-02T11:17", "2026-03-02T12:47"]),
    (2880, ["2026-03-04T08:17", "2026-03-06T08:17", "2026-03-08T08:17"]),
    (43_200, ["2026-04-01T08:17", "2026-05-01T08:17", "2026-05-31T08:17"]),
])
def test_intervals_are_exact_whatever_their_length(minutes: int, expected: list[str]) -> None:
    assert first(every(minutes), 3) == [at(one) for one in expected]


def test_missed_times_are_passed_over() -> None:
    assert next_due(every(90), at("2026-03-05T00:00")) == at("2026-03-05T00:47")


def test_a_due_time_is_not_due_again() -> None:
    assert next_due(every(60), at("2026-03-02T09:17")) == at("2026-03-02T10:17")


def test_a_beat_outside_the_hours_waits_for_the_first_one_inside() -> None:
    schedule = every(60, hours("08:00", "20:00"))

    assert next_due(schedule, at("2026-03-02T19:17")) == at("2026-03-03T08:17")


def test_the_end_of_the_hours_is_outside_and_their_start_inside() -> None:
    schedule = every(60, hours("08:00", "20:00"), anchor="2026-03-02T08:00")

    assert next_due(schedule, at("2026-03-02T19:00")) == at("2026-03-03T08:00")


def test_hours_may_cross_midnight() -> None:
    schedule = every(120, hours("22:00", "03:00"), anchor="2026-03-02T20:30")

    assert first(schedule, 4) == [
        at("2026-03-02T22:30"), at("2026-03-03T00:30"), at("2026-03-03T02:30"), at("2026-03-03T22:30")]


def test_the_same_start_and_end_mean_the_whole_day() -> None:
    assert first(every(60, hours("08:00", "08:00")), 48)[-1] == at("2026-03-04T08:17")


def test_a_daily_beat_that_always_falls_outside_happens_when_the_hours_open() -> None:
    schedule = every(1440, hours("08:00", "20:00"), anchor="2026-03-02T22:00")

    assert first(schedule, 3) == [at("2026-03-04T08:00"), at("2026-03-05T08:00"), at("2026-03-06T08:00")]


def test_every_second_day_stays_every_second_day_when_it_is_moved_into_the_hours() -> None:
    schedule = every(2880, hours("08:00", "20:00"), anchor="2026-03-02T22:00")

    assert first(schedule, 3) == [at("2026-03-05T08:00"), at("2026-03-07T08:00"), at("2026-03-09T08:00")]


def test_several_times_outside_one_window_are_made_up_for_once() -> None:
    schedule = every(600, hours("08:00", "08:30"), anchor="2026-03-02T14:00")

    assert len({due.date() for due in first(schedule, 10)}) == 10


def test_hours_are_those_of_their_time_zone() -> None:
    schedule = every(60, hours("08:00", "20:00", KOLKATA), anchor="2026-03-02T00:00")

    assert next_due(schedule, at("2026-03-02T00:00")) == at("2026-03-02T03:00")  # 08:30 in Kolkata
    assert next_due(schedule, at("2026-03-02T14:00")) == at("2026-03-03T03:00")


@pytest.mark.parametrize(("day", "expected"), [
    ("2026-03-28", 12), ("2026-03-29", 12), ("2026-03-30", 12),  # clocks go forward on the 29th
    ("2026-10-24", 12), ("2026-10-25", 12), ("2026-10-26", 12),  # and back on the 25th
])
def test_a_change_of_the_clocks_outside_the_hours_costs_and_adds_nothing(day: str, expected: int) -> None:
    schedule = every(60, hours("08:00", "20:00", BERLIN), anchor="2026-01-01T00:00")
    due = beats_of(schedule, day, BERLIN)

    assert len(due) == expected
    assert [one.astimezone(BERLIN).hour for one in due] == list(range(8, 20))


@pytest.mark.parametrize(("zone", "day", "hours_of_day"), [
    (BERLIN, "2026-03-29", 23), (BERLIN, "2026-10-25", 25), (NEW_YORK, "2026-03-08", 23), (NEW_YORK, "2026-11-01", 25),
    (BERLIN, "2026-06-01", 24),
])
def test_around_the_clock_each_hour_that_passes_has_one_beat(zone: ZoneInfo, day: str, hours_of_day: int) -> None:
    due = beats_of(every(60, hours("00:00", "00:00", zone), anchor="2026-01-01T00:30"), day, zone)

    assert len(due) == hours_of_day
    assert {later - earlier for earlier, later in pairwise(due)} == {timedelta(hours=1)}


def test_hours_that_begin_in_the_skipped_hour_begin_after_it() -> None:
    night = hours("02:30", "05:00", BERLIN)

    assert not is_within(night, at("2026-03-29T00:59"))  # 01:59
    assert not is_within(night, at("2026-03-29T01:00"))  # 03:00, the clocks just went forward
    assert is_within(night, at("2026-03-29T01:30"))  # as long after midnight as on any other day
    assert not is_within(night, at("2026-03-29T03:00"))  # 05:00


def test_an_hour_that_comes_twice_opens_and_closes_the_hours_once() -> None:
    night = hours("02:30", "04:00", BERLIN)
    inside = [minute for minute in range(0, 300, 5)
              if is_within(night, at("2026-10-24T23:00") + timedelta(minutes=minute))]

    assert [inside[0], inside[-1]] == [90, 235]  # from the first 02:30 to 04:00
    assert inside == list(range(90, 240, 5))


def beats_of(schedule: Schedule, day: str, zone: ZoneInfo) -> list[datetime]:
    """Every due time of one local day."""
    began = datetime.fromisoformat(day).replace(tzinfo=zone)
    ends = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC)
    due, after = [], began.astimezone(UTC) - timedelta(microseconds=1)
    while (after := next_due(schedule, after)) < ends:
        due.append(after)
    return due


clock_times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 29, 30, 59]))
schedules = st.builds(
    Schedule,
    st.integers(0, 3 * 366 * 24 * 60).map(lambda minutes: at("2024-01-01") + timedelta(minutes=minutes)),
    st.integers(1, 43_200).map(lambda minutes: timedelta(minutes=minutes)),
    st.none() | st.builds(Hours, clock_times, clock_times, st.sampled_from(ZONES)),
)
waits = st.timedeltas(timedelta(0), timedelta(days=400))


@settings(max_examples=300, deadline=None)
@given(schedules, waits)
def test_a_due_time_lies_ahead_and_inside_the_hours(schedule: Schedule, wait: timedelta) -> None:
    now = schedule.anchor_at + wait
    due = next_due(schedule, now)

    assert due > now
    assert is_within(schedule.hours, due)


@settings(max_examples=300, deadline=None)
@given(schedules, waits, st.floats(0, 1))
def test_what_is_next_does_not_depend_on_when_one_asks(schedule: Schedule, wait: timedelta, part: float) -> None:
    now = schedule.anchor_at + wait
    due = next_due(schedule, now)
    meanwhile = now + (due - now) * part

    assert meanwhile >= due or next_due(schedule, meanwhile) == due


@settings(max_examples=300, deadline=None)
@given(schedules, waits)
def test_no_interval_is_lost_and_none_comes_early(schedule: Schedule, wait: timedelta) -> None:
    due = next_due(schedule, schedule.anchor_at + wait)
    following = next_due(schedule, due)
    is_on_the_grid = (due - schedule.anchor_at) % schedule.interval == timedelta(0)

    assert following - due <= schedule.interval + timedelta(days=3)
    if is_on_the_grid and schedule.hours is None:
        assert following - due == schedule.interval
