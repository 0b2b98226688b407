"""When a heartbeat is due: exact intervals from an anchor, kept inside hours of the day. Pure.

Intervals are counted in absolute time, so a change of the clocks neither loses nor doubles a beat. Hours are local
times: one that a change skips or repeats is read as RFC 5545 does, with the offset before the change.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import count
from typing import NamedTuple

from automatos.heartbeats.types import Hours

DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Beats every `interval` from `anchor_at` on, the first one interval later; without `hours`, around the clock."""

    anchor_at: datetime
    interval: timedelta
    hours: Hours | None = None


class _Window(NamedTuple):
    opens: datetime
    closes: datetime


def next_due(schedule: Schedule, after: datetime) -> datetime:
    """Return the first due time later than `after`, in UTC.

    A beat that falls outside the hours moves to the first beat inside them; where the next window has none of its own,
    because the interval is longer than the window, it happens when the window opens.
    """
    passed = (after - schedule.anchor_at) // schedule.interval
    for number in count(max(passed, 1)):
        due = _inside(schedule, schedule.anchor_at + number * schedule.interval)
        if due > after:
            return due.astimezone(UTC)
    raise AssertionError("counting never ends")


def is_within(hours: Hours | None, at: datetime) -> bool:
    """Say whether a moment lies inside the hours; the end is outside."""
    if hours is None or hours.start == hours.end:
        return True
    windows = _windows(hours, at)
    return any(opens <= at < closes for opens, closes in (next(windows), next(windows), next(windows)))


def _inside(schedule: Schedule, due: datetime) -> datetime:
    hours = schedule.hours
    if hours is None or is_within(hours, due):
        return due
    opens, closes = next(one for one in _windows(hours, due) if one.opens > due and one.opens < one.closes)
    waited = -((schedule.anchor_at - opens) // schedule.interval)
    first = schedule.anchor_at + waited * schedule.interval
    return first if first < closes else opens


def _windows(hours: Hours, around: datetime) -> Iterator[_Window]:
    """Yield the windows of each day from the day before a moment on; a change of the clocks may leave one empty."""
    first = around.astimezone(hours.zone).date() - DAY
    crosses_midnight = hours.end <= hours.start
    for number in count():
        day = first + number * DAY
        yield _Window(_moment(day, hours.start, hours),
                      _moment(day + DAY if crosses_midnight else day, hours.end, hours))


def _moment(day: date, clock: time, hours: Hours) -> datetime:
    return datetime.combine(day, clock, tzinfo=hours.zone).astimezone(UTC)
