"""Answers that are streams of server-sent events."""

from collections.abc import Mapping
from typing import Any

from fastapi.responses import StreamingResponse


class EventStream(StreamingResponse):
    """A stream of server-sent events that nobody on the way keeps back or stores."""

    media_type = "text/event-stream"

    def __init__(self, content: Any, status_code: int = 200, headers: Mapping[str, str] | None = None) -> None:
        own = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(content, status_code, own | dict(headers or {}))
