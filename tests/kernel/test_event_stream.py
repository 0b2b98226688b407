"""A stream of events ends with its content or with its reader, and its content is closed in order either way."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from starlette.types import Message

from automatos.kernel.event_stream import EventStream

SCOPE: dict[str, Any] = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "headers": []}


class Reader:
    """Somebody who reads a stream until they leave."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.has_left = asyncio.Event()
        self.has_begun = asyncio.Event()

    async def receive(self) -> Message:
        await self.has_left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.got.append(message)
        if message["type"] == "http.response.body":
            self.has_begun.set()

    @property
    def text(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.got)


class Content:
    """Frames, then nothing more until somebody closes it, which takes a moment."""

    def __init__(self, *, frames: int, ends: bool = False, error: Exception | None = None) -> None:
        self.is_closed = False
        self._frames = frames
        self._ends = ends
        self._error = error

    async def __aiter__(self) -> AsyncGenerator[str]:
        try:
            for number in range(self._frames):
                yield f"id: {number}\n\n"
            if self._error:
                raise self._error
            if not self._ends:
                await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            self.is_closed = True


async def test_it_ends_with_its_content() -> None:
    reader, content = Reader(), Content(frames=2, ends=True)

    await EventStream(content)(SCOPE, reader.receive, reader.send)

    assert reader.text == b"id: 0\n\nid: 1\n\n"
    assert (reader.got[0]["status"], reader.got[-1]["more_body"]) == (200, False)
    assert content.is_closed


async def test_it_ends_when_its_reader_leaves() -> None:
    reader, content = Reader(), Content(frames=1)
    stream = asyncio.create_task(EventStream(content)(SCOPE, reader.receive, reader.send))
    await reader.has_begun.wait()
    reader.has_left.set()

    await asyncio.wait_for(stream, 60)

    assert content.is_closed
    assert reader.text == b"id: 0\n\n"


async def test_what_goes_wrong_while_it_is_made_is_raised() -> None:
    reader, content = Reader(), Content(frames=1, error=LookupError("gone"))

    with pytest.raises(LookupError, match="gone"):
        await EventStream(content)(SCOPE, reader.receive, reader.send)

    assert content.is_closed


async def test_a_server_that_stops_closes_its_content_too() -> None:
    reader, content = Reader(), Content(frames=1)
    stream = asyncio.create_task(EventStream(content)(SCOPE, reader.receive, reader.send))
    await reader.has_begun.wait()
    stream.cancel()

    with pytest.raises(asyncio.CancelledError):
        await stream

    assert content.is_closed
    assert [task for task in asyncio.all_tasks() if "EventStream" in repr(task)] == []


async def test_it_takes_two_tasks() -> None:
    loop, made = asyncio.get_running_loop(), list[Any]()

    def make_task(loop: asyncio.AbstractEventLoop, work: Any, **more: Any) -> asyncio.Task[Any]:
        made.append(work)
        return asyncio.Task(work, loop=loop, **more)

    reader = Reader()
    loop.set_task_factory(make_task)
    try:
        await EventStream(Content(frames=3, ends=True))(SCOPE, reader.receive, reader.send)
    finally:
        loop.set_task_factory(None)

    assert len(made) == 2
