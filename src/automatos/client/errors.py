"""What can go wrong with a call: nobody answers, or the server's answer is no."""

from collections.abc import Mapping
from typing import Any


class ClientError(Exception):
    """A call that gave no answer to go on with."""


class Unreachable(ClientError):
    """No server answers at the address, or the connection broke before the answer was whole."""

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"No server answers at {url}: {reason}. Start one with `automatos up`, or name another.")
        self.url = url
        self.reason = reason


class ApiProblem(ClientError):
    """An answer from 400 on, as its problem document (RFC 9457) says: what happened and what to do next.

    `code` is stable and meant for programs, `detail` for people. `document` holds everything the server said, such as
    `errors` with the fields that were wrong. `retry_after_s` is how long the server asks to wait, where it does.
    """

    def __init__(self, status: int, document: Mapping[str, Any], retry_after_s: float | None = None) -> None:
        self.status = status
        self.document = document
        self.code = str(document.get("code") or f"http_{status}")
        self.title = str(document.get("title") or "The request failed")
        self.detail = str(document.get("detail") or f"The server answered {status} and gave no reason.")
        self.request_id: str | None = document.get("request_id")
        self.retry_after_s = retry_after_s
        super().__init__(f"{self.detail} ({status} {self.code})")
