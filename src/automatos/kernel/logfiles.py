"""Where the lines of a process's log go: to a file that is kept small, and what people must see to their terminal."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TextIO

MAX_BYTES = 10_000_000
KEPT = 3
"""How many full files of one process are kept beside the one it writes."""
MAX_OLD_FILES = 30
"""How many files of processes that have ended are kept."""


class LogFile:
    """A file of lines, readable by this user only; when it is full it is kept under a number and begun anew.

    Made at the first line, so that a process that logs nothing leaves nothing. A disk that takes no more loses lines,
    never the work that they are about.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None
        self._size = 0

    def write_line(self, line: str) -> None:
        """Append one line; never raises."""
        with suppress(OSError, ValueError):
            file = self._file or self._open()
            file.write(f"{line}\n")
            file.flush()
            self._size += len(line) + 1
            if self._size >= MAX_BYTES:
                self._roll()

    def close(self) -> None:
        """Let go of the file."""
        if self._file:
            self._file.close()
            self._file = None

    def _open(self) -> TextIO:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._file = os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace")
        self._size = self.path.stat().st_size
        return self._file

    def _roll(self) -> None:
        self.close()
        for number in range(KEPT, 0, -1):
            older = self.path if number == 1 else self.path.with_suffix(f".{number - 1}.log")
            if older.exists():
                older.replace(self.path.with_suffix(f".{number}.log"))


def open_log_file(home: Path, process: str) -> LogFile | None:
    """Return the log of this process in `home/logs`, None where nothing can be written there.

    `process` is what it does, `server` or `worker`: the server's log keeps its name from start to start, since one
    server has one home; workers are told apart by their numbers, and the oldest of their files are removed.
    """
    folder = home / "logs"
    name = "server.log" if process == "server" else f"{process}-{os.getpid()}.log"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _remove_oldest(folder)
        if not os.access(folder, os.W_OK):
            return None
    except OSError:
        return None
    return LogFile(folder / name)


def _remove_oldest(folder: Path) -> None:
    ended = sorted(folder.glob("worker-*.log"), key=lambda path: path.stat().st_mtime)
    for path in ended[:-MAX_OLD_FILES]:
        path.unlink(missing_ok=True)


def tell_terminal(text: str) -> None:
    """Write one line to standard error as it is at this moment; test runners and daemons put another in its place."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
