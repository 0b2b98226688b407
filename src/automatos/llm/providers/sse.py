"""Reading server-sent events as they come: bytes in, complete events out, in time that is linear in the bytes."""

MAX_EVENT_BYTES = 4 * 1024 * 1024
BOM = b"\xef\xbb\xbf"
DONE = b"[DONE]"
BETWEEN = b"\n\ndata: "
"""What stands between two events of the most usual kind."""


class EventTooLong(ValueError):
    """One event is longer than this server takes."""


ServerEvent = tuple[bytes, bytes]
"""One event: its data, and its name where it has one."""


class EventReader:
    """An incremental reader that keeps no more than one unfinished event.

    Lines may end with LF, CR, CRLF or a mixture. Several data lines are one event, but two JSON values that follow each
    other are two: no document has the end of one value directly before the beginning of the next, so servers that put
    a single line end between events are read right. A line that begins with a brace is an event without its field.
    """

    __slots__ = ("_after_cr", "_data", "_data_size", "_has_begun", "_name", "_rest", "_rest_size")

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._data: list[bytes] = []
        self._rest_size = self._data_size = 0
        self._name = b""
        self._after_cr = False
        self._has_begun = False

    def feed(self, chunk: bytes) -> list[ServerEvent]:
        """Take the next bytes and return every event they complete."""
        if chunk[-3:] == b"}\n\n" and chunk[:7] == b"data: {" and (plain := self._whole(chunk)):
            return plain
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines = chunk.split(b"\n")
        last = lines.pop()
        events: list[ServerEvent] = []
        if lines:
            if self._rest:
                lines[0] = b"".join([*self._rest, lines[0]])
                self._rest, self._rest_size = [], 0
            for line in lines:
                self._take(line, events)
        if last:
            self._rest.append(last)
            self._rest_size += len(last)
        if self._rest_size + self._data_size > MAX_EVENT_BYTES:
            raise EventTooLong
        return events

    def _whole(self, chunk: bytes) -> list[ServerEvent] | None:
        """Return the events of bytes that are nothing but whole events without names, None for any other."""
        if self._rest or self._data or self._name or self._after_cr or b"\r" in chunk:
            return None
        found = chunk[6:-2].split(BETWEEN)
        if chunk.count(b"\n") != 2 * len(found):
            return None
        self._has_begun = True
        return [(data, b"") for each in found if (data := each.strip())]

    def close(self) -> list[ServerEvent]:
        """Return the last event when the stream ended without its closing blank line."""
        events = self.feed(b"\n\n")
        self._finish(events)
        return events

    def _take(self, line: bytes, events: list[ServerEvent]) -> None:
        if not self._has_begun:
            line, self._has_begun = line.removeprefix(BOM), True
        if line[:1] in {b" ", b"\t"} and line.lstrip().startswith(b"data:"):
            line = line.lstrip()
        if line.startswith(b"data:"):
            self._add(line[5:].strip(), events)
        elif not line:
            self._finish(events)
        elif line.startswith(b"event:"):
            if self._data:
                self._finish(events)
            self._name = line[6:].strip()
        elif line[:1] == b"{":
            self._add(line.strip(), events)

    def _add(self, value: bytes, events: list[ServerEvent]) -> None:
        if self._data and _are_apart(self._data[-1], value):
            self._finish(events)
        if value or self._data:
            self._data.append(value)
            self._data_size += len(value) + 1

    def _finish(self, events: list[ServerEvent]) -> None:
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append((data, self._name))
            self._data, self._data_size = [], 0
        self._name = b""


def _are_apart(before: bytes, after: bytes) -> bool:
    """Say whether two lines of data are two values: the first has ended, the second begins."""
    return before.endswith((b"}", DONE)) and after[:1] in {b"{", b"["}
