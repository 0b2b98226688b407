"""Identifiers sort by the order in which they were made, and are UUIDs to everybody."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from automatos.kernel import ids
from automatos.kernel.clock import now
from automatos.kernel.ids import new_id


def test_ids_are_version_7_and_carry_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
    monkeypatch.setattr(ids, "now", lambda: at)
    made = new_id()
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == at.timestamp() * 1000


def test_ids_sort_in_the_order_they_were_made_also_within_a_millisecond() -> None:
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert [str(each) for each in made] == sorted(str(each) for each in made)


def test_threads_never_make_the_same_id() -> None:
    with ThreadPoolExecutor(8) as pool:
        batches = list(pool.map(lambda _: [new_id() for _ in range(2000)], range(8)))
    assert len({each for batch in batches for each in batch}) == 16_000


@pytest.mark.parametrize("back_s", [0.1, 9])
def test_a_clock_that_goes_back_a_little_does_not_bring_ids_back(
    monkeypatch: pytest.MonkeyPatch, back_s: float
) -> None:
    first, at = new_id(), now()
    monkeypatch.setattr(ids, "now", lambda: at - timedelta(seconds=back_s))
    assert new_id() > first


def test_a_clock_that_was_an_hour_ahead_is_not_followed_any_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    at = now()
    monkeypatch.setattr(ids, "now", lambda: at + timedelta(hours=1))
    wrong = new_id()
    monkeypatch.setattr(ids, "now", lambda: at)
    assert new_id() < wrong
