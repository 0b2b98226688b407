"""Reading server-sent events as they come: bytes in, the data of complete events out."""

MAX_EVENT_BYTES = 4 * 1024 * 1024


class EventTooLong(ValueError):
    """One event is longer than this server takes."""


class EventReader:
    """An incremental reader that keeps no more than one unfinished event; LF and CRLF line ends, several data lines."""

    __slots__ = ("_data", "_rest")

    def __init__(self) -> None:
        self._rest = b""
        self._data = b""

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes and return the data of every event they complete."""
        lines = (self._rest + chunk if self._rest else chunk).split(b"\n")
        self._rest = lines.pop()
        data = self._data
        events: list[bytes] = []
        for line in lines:
            if line.startswith(b"data:"):
                value = line[5:].strip()
                data = value if not data else data + b"\n" + value
            elif data and (not line or line == b"\r"):
                events.append(data)
                data = b""
        self._data = data
        if len(self._rest) + len(data) > MAX_EVENT_BYTES:
            raise EventTooLong
        return events

    def close(self) -> list[bytes]:
        """Return the last event when the stream ended without its closing blank line."""
        events = self.feed(b"\n\n")
        self._rest = self._data = b""
        return events
