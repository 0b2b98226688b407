"""Which server a command talks to, and with which credential: the environment, then what `auth login` kept."""

import json
import os
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from automatos.cli.console import CommandFailed
from automatos.kernel.running import read_note
from automatos.kernel.variables import as_meant

FILE = "cli.json"


@dataclass(frozen=True)
class Access:
    """A server's address with a credential for it: an API key, or a session of a person, who may choose a workspace."""

    url: str
    api_key: str | None = field(default=None, repr=False)
    api_key_id: str | None = None
    session: str | None = field(default=None, repr=False)
    workspace_id: str | None = None
    source: str = "nothing"

    @property
    def is_signed_in(self) -> bool:
        """Whether there is a credential at all; the server decides whether it holds."""
        return bool(self.api_key or self.session)

    def headers(self) -> dict[str, str]:
        """Return what a request carries."""
        if self.api_key:
            return {"X-API-Key": self.api_key}
        if self.session:
            place = {"X-Workspace-ID": self.workspace_id} if self.workspace_id else {}
            return {"Cookie": f"automatos_session={self.session}", "X-Requested-With": "automatos"} | place
        return {}


def home() -> Path:
    """Return this user's data directory, without reading any other setting."""
    try:
        return Path(os.environ.get("AUTOMATOS_HOME") or "~/.automatos").expanduser().absolute()
    except RuntimeError:
        raise CommandFailed("No home directory is known for this user.",
                            "set AUTOMATOS_HOME to a directory this user may write") from None


def find_access(url: str | None = None) -> Access:
    """Return the access of this user: AUTOMATOS_URL and AUTOMATOS_API_KEY first, then what was kept at sign-in.

    A credential that was kept for one server is never sent to another.
    """
    kept = _read()
    given = as_meant(os.environ)
    named = url or given.get("AUTOMATOS_URL")
    address = (named or (kept.url if kept else None) or _local_address()).rstrip("/")
    if key := given.get("AUTOMATOS_API_KEY"):
        return Access(address, api_key=key, source="AUTOMATOS_API_KEY")
    if kept and kept.url == address:
        return kept
    return Access(address)


def _local_address() -> str:
    note = read_note(home())
    return note.url if note else f"http://127.0.0.1:{os.environ.get('AUTOMATOS_PORT') or 8000}"


def _read() -> Access | None:
    path = home() / FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return Access(**content | {"source": str(path)})
    except (OSError, ValueError, TypeError):
        return None


def keep(access: Access) -> Path:
    """Keep an access for the next commands, in a file that only this user can read."""
    path = home() / FILE
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o711)
    draft = path.with_suffix(f".{os.getpid()}")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(access), file)
    draft.replace(path)
    return path


def forget() -> None:
    """Forget the kept access."""
    with suppress(FileNotFoundError):
        (home() / FILE).unlink()
