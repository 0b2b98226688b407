"""Answers as both clients read them, and when to send a request again."""

import json
from typing import Any

import httpx2

from automatos.client.errors import ApiProblem
from automatos.client.requests import PASSING, PAUSES_S, Call
from automatos.client.types import Answer

LONGEST_PAUSE_S = 30.0
NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)


def answer_of(response: httpx2.Response) -> Answer:
    """Return a response that was read; raises ApiProblem for one from 400 on."""
    if response.status_code >= 400:
        raise problem_of(response)
    return Answer(response.status_code, dict(response.headers), _decoded(response.content))


def problem_of(response: httpx2.Response) -> ApiProblem:
    """Return what a response that was read says went wrong."""
    body = _decoded(response.content)
    document: dict[str, Any] = body if isinstance(body, dict) else {"detail": str(body or "")[:500]}
    return ApiProblem(response.status_code, document, _seconds(response.headers.get("Retry-After")))


def pause_before(attempt: int, call: Call, failure: Exception) -> float | None:
    """Return how long to wait before sending a call again, None when it must not be or would not help.

    What never reached the server is sent again whatever it is, everything else only where that does no harm.
    """
    pause = PAUSES_S[min(attempt, len(PAUSES_S) - 1)]
    if isinstance(failure, NEVER_SENT):
        return pause
    if not call.may_repeat:
        return None
    if isinstance(failure, ApiProblem):
        asked = failure.retry_after_s or 0
        return max(pause, asked) if failure.status in PASSING and asked <= LONGEST_PAUSE_S else None
    return pause


def _decoded(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _seconds(text: str | None) -> float | None:
    return float(text) if text and text.isdecimal() else None
