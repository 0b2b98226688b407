"""How long services ask to wait, in every place and manner that they ask in."""

from datetime import UTC, datetime, timedelta

import pytest

from automatos.kernel.error_bodies import error_of
from automatos.kernel.pauses import MOST_S, pause_in_document, pause_in_headers, pause_in_words


@pytest.mark.parametrize(("headers", "seconds"), [
    ({"retry-after": "7"}, 7.0), ({"retry-after": "1.5"}, 1.5), ({"retry-after": "5s"}, 5.0),
    ({"retry-after": "-3"}, 0.0), ({"retry-after": "nan"}, None), ({"retry-after": "inf"}, None),
    ({"retry-after": "soon"}, None), ({"retry-after": "999999999"}, MOST_S), ({}, None),
    ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0), ({"retry-after": "Wed, 99 Oct"}, None),
    ({"retry-after-ms": "1500", "retry-after": "2"}, 1.5), ({"x-ms-retry-after-ms": "250"}, 0.25),
    ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "2.5s"}, 2.5),
    ({"x-ratelimit-remaining-requests": "9", "x-ratelimit-reset-requests": "2.5s"}, None),
    ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "6m0.5s"}, 360.5),
    ({"ratelimit-reset": "30"}, 30.0), ({"x-ratelimit-reset": "1445412480"}, 0.0),
    ({"anthropic-ratelimit-tokens-remaining": "0", "anthropic-ratelimit-tokens-reset": "2015-10-21T07:28:00Z"}, 0.0),
])
def test_headers(headers: dict[str, str], seconds: float | None) -> None:
    assert pause_in_headers(headers) == seconds


@pytest.mark.parametrize("write", [
    lambda at: at.strftime("%Y-%m-%dT%H:%M:%SZ"), lambda at: str(int(at.timestamp())),
    lambda at: str(int(at.timestamp() * 1000)), lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
], ids=["ISO", "epoch", "milliseconds", "HTTP date"])
def test_moments_are_as_far_away_as_they_are(write) -> None:
    pause = pause_in_headers({"retry-after": write(datetime.now(UTC) + timedelta(hours=1))})

    assert pause is not None
    assert 3000 < pause <= 3601


@pytest.mark.parametrize(("words", "seconds"), [
    ("Rate limit reached. Please try again in 20s. Visit us.", 20.0), ("Please try again in 6m0s.", 360.0),
    ("please retry in 34.074824224s.", 34.074824224), ("try again in 250ms", 0.25), ("Wait 5 seconds", 5.0),
    ("Please retry after 1 minute and 30 seconds", 90.0), ("try again in 1h2m3s", 3723.0),
    ("Please try again later.", None), ("You may retry 3 times.", None), ("Limit 3, used 20s of it.", None),
])
def test_sentences(words: str, seconds: float | None) -> None:
    assert pause_in_words(words) == seconds


@pytest.mark.parametrize(("document", "seconds"), [
    ({"error": {"details": [{"@type": "x"}, {"@type": "RetryInfo", "retryDelay": "34s"}]}}, 34.0),
    ({"error": "Model x is currently loading", "estimated_time": 20.0}, 20.0),
    ({"error": {"metadata": {"headers": {"X-RateLimit-Reset": "1445412480000"}}}}, 0.0),
    ({"retry_after_ms": 1500}, 1.5), ({"retry_after": None}, None), ({"message": "no"}, None),
])
def test_fields_of_an_error(document: dict, seconds: float | None) -> None:
    assert pause_in_document(document) == seconds
    assert error_of(document).pause_s == seconds
