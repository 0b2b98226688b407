"""The one place that reads the clock. The database's counts, for all processes, once this one has asked it.

Machines disagree about the time. What one process writes (a deadline, the end of a session) another compares, so that
all of them count from what the database told, on a clock that nobody can set.
"""

import time
from datetime import UTC, datetime, timedelta

TOLERANCE_S = 0.1
"""A difference that a busy moment explains; following it would let time run back and forth."""


class _Followed:
    """A time that the database told, and this process's moment for it; both None until then."""

    at: datetime | None = None
    moment: float = 0.0


def now() -> datetime:
    """Return the current time, aware and in UTC, by the database's clock; by this machine's before it was asked."""
    if _Followed.at is None:
        return machine_now()
    return _Followed.at + timedelta(seconds=time.monotonic() - _Followed.moment)


def machine_now() -> datetime:
    """Return the time that this machine believes it is, aware and in UTC."""
    return datetime.now(UTC)


def follow(told_at: datetime, asked: float, answered: float) -> None:
    """Go by what the database told; it was asked and it answered at these moments of `time.monotonic()`."""
    moment = (asked + answered) / 2
    expected = now() - timedelta(seconds=time.monotonic() - moment)
    if _Followed.at is None or abs(told_at - expected).total_seconds() > max(TOLERANCE_S, answered - asked):
        _Followed.at, _Followed.moment = told_at, moment
