"""Paths of steps and pauses between tries."""

from datetime import timedelta

import pytest

from automatos.runs.types import RetryPolicy, StepPath


@pytest.mark.parametrize(("backoff", "pauses"), [
    ("fixed", [2, 2, 2]), ("linear", [2, 4, 6]), ("exponential", [2, 4, 8]),
])
def test_pauses_grow_as_the_policy_says(backoff: str, pauses: list[int]) -> None:
    policy = RetryPolicy(9, timedelta(seconds=2), backoff)
    assert [policy.delay_after(attempt).total_seconds() for attempt in (1, 2, 3)] == pauses


@pytest.mark.parametrize("policy", [
    RetryPolicy(20, timedelta(seconds=2)), RetryPolicy(20, timedelta(days=10_000_000)),
])
def test_no_pause_is_longer_than_a_minute(policy: RetryPolicy) -> None:
    assert policy.delay_after(1_000_000) == timedelta(minutes=1)


def test_a_path_tells_how_deep_its_step_stands() -> None:
    assert [StepPath(path).depth for path in ("a", "rows[3].check", "plan.x.rows[0].y")] == [1, 2, 4]
