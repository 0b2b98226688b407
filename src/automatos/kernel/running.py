"""The note a running server leaves in its home, by which workers and commands on the same machine find it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "server.json"


@dataclass(frozen=True)
class Running:
    """Where a server of this home answers, and its database; `role` is what connections to that step down to."""

    url: str
    database_url: str
    role: str | None
    pid: int

    @property
    def is_alive(self) -> bool:
        """Whether the process that wrote the note is still there."""
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            return True
        return True


def leave_note(home: Path, running: Running) -> None:
    """Write the note, readable by this user only: it holds the database's password."""
    draft = home / f"{FILE}.{os.getpid()}"
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(running), file)
    draft.replace(home / FILE)


def read_note(home: Path) -> Running | None:
    """Return the note of a server that still runs; None when there is none, or we may not read it."""
    try:
        found = Running(**json.loads((home / FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.is_alive else None


def remove_note(home: Path) -> None:
    """Remove the note, if it is this process's own."""
    found = read_note(home)
    if found and found.pid == os.getpid():
        (home / FILE).unlink(missing_ok=True)
