"""Server-sent events, out of the bytes of a response however they are cut."""

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Frame:
    """One server-sent event: its name and its data."""

    event: str
    data: str


@dataclass(slots=True)
class FrameReader:
    """Takes bytes as they come and yields the events that are whole; comments and unfinished events are left out.

    Lines end at line feeds alone: text in JSON may hold every other character that some libraries break lines at.
    """

    _rest: bytes = b""
    _event: str = ""
    _data: list[str] = field(default_factory=list[str])

    def take(self, piece: bytes) -> Iterator[Frame]:
        """Yield the events that a further piece of the response completes."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            if (frame := self._take_line(line.removesuffix(b"\r").decode("utf-8", "replace"))) is not None:
                yield frame

    def _take_line(self, line: str) -> Frame | None:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif not line:
            frame = Frame(self._event, "\n".join(self._data)) if self._data else None
            self._event, self._data = "", []
            return frame
        return None
