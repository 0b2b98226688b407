"""The ways to sign in from a terminal: a password, an API key, or the server's own data directory."""

import contextlib
import getpass
import re
import sys
from dataclasses import replace

from automatos.cli.access import Access, find_access, forget, home, keep
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, Exit, misuse
from automatos.cli.machine import on_machine
from automatos.client import Answer
from automatos.kernel.running import read_note

COOKIE = re.compile(r"automatos_session=([^;]+)")


def by_password(url: str | None, email: str | None, *, may_ask: bool) -> Access:
    """Sign in with an email address and a password from the terminal, and keep the session."""
    access = Access(find_access(url).url)
    client = Client(access)
    config = client.get("/api/auth/config")
    if config["needs_setup"]:
        raise CommandFailed("this server has no account yet", f"make the first one at {access.url}/setup",
                            "or work without one: automatos auth login --local", code=Exit.SIGN_IN_NEEDED)
    if config["mode"] != "local":
        raise CommandFailed("people of this server do not sign in with a password",
                            "make an API key in the web app under Settings, API keys",
                            "then: automatos auth login --api-key @-")
    if not may_ask or not sys.stdin.isatty():
        misuse("a password can only be typed at a terminal", "give --api-key @- and a key on standard input instead")
    email = email or input("Email: ").strip()
    answer = client.call("POST", "/api/auth/sign-in", body={"email": email, "password": getpass.getpass()})
    return _kept(Access(access.url, session=session_in(answer)))


def session_in(answer: Answer) -> str:
    """Return the session that an answer opens."""
    found = COOKIE.search(answer.headers.get("set-cookie", ""))
    if not found:
        raise CommandFailed("the server gave no session")
    return found[1]


def by_key(url: str | None, key: str) -> Access:
    """Keep an API key, once the server has accepted it."""
    key = sys.stdin.readline().strip() if key == "@-" else key
    access = Access(find_access(url).url, api_key=key)
    Client(access).get("/api/auth/me")
    return _kept(access)


def by_home(url: str | None = None) -> Access:
    """Make an owner's key for the default workspace of the server of this home, and keep it.

    Whoever can read the server's data directory has its database's password and could do this by hand.
    """
    note = read_note(home())
    if note is None:
        raise CommandFailed(f"no server of {home()} runs here", "start one with: automatos up",
                            "or name its data directory with AUTOMATOS_HOME", code=Exit.NO_SERVER)
    if url and url.rstrip("/") != note.url:
        misuse(f"--local signs in to {note.url}, the server of {home()}", "leave --url out")
    key_id, key = on_machine("make_owner_key", note=note)
    return _kept(Access(note.url, api_key=key, api_key_id=key_id))


def name_of(access: Access) -> str:
    """Return who this access is."""
    me = Client(access).get("/api/auth/me")
    return (me["user"] or {}).get("email") or f"{me['role']} of the workspace, by key"


def sign_out() -> str:
    """Revoke what was kept, where the server answers, and forget it; returns what was done."""
    access = find_access()
    if not access.is_signed_in or access.source == "AUTOMATOS_API_KEY":
        return "nothing was kept" if not access.is_signed_in else "AUTOMATOS_API_KEY is set; unset it to sign out"
    client = Client(access)
    with contextlib.suppress(CommandFailed):
        if access.session:
            client.post("/api/auth/sign-out")
        elif access.api_key_id:
            client.call("DELETE", f"/api/api-keys/{access.api_key_id}")
    forget()
    return f"signed out of {access.url}"


def _kept(access: Access) -> Access:
    path = keep(access)
    return replace(access, source=str(path))
