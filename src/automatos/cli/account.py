"""Commands about one's own account: its password, and where it is signed in."""

import getpass
import sys
from dataclasses import replace
from typing import Annotated

import typer

from automatos.cli import access
from automatos.cli.access import keep
from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse, put_json, put_table
from automatos.cli.options import Json, NoInput, Yes
from automatos.cli.pages import short_time
from automatos.cli.signin import session_in
from automatos.client import part

app = typer.Typer()
COLUMNS = ("id", "opened_with", "browser", "last_used", "ends", "current")
OPENED_WITH = {"password": "password", "provider": "identity provider", "token": "token"}


@app.command("password")
def change_password(
    from_stdin: Annotated[
        bool, typer.Option("--stdin", help="Read the present and the new password from standard input, one a line.")
    ] = False,
    no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Change your password; every session of yours ends, and this one goes on with a new one."""

    current, new = _read_lines() if from_stdin else _ask(Manner(as_json, no_input=no_input).may_ask)
    client = Client()
    answer = client.call("PUT", "/api/auth/password", body={"current_password": current, "new_password": new})
    if client.access.session:
        keep(replace(client.access, session=session_in(answer)))
    Manner(as_json).tell({"changed": True}, "your password is changed; every other session of yours has ended")


@app.command("sessions")
def list_sessions(as_json: Json = False) -> None:
    """List where you are signed in."""

    page = Client().get("/api/auth/sessions")
    if as_json:
        put_json(page)
        return
    put_table(({"id": each["id"], "opened_with": OPENED_WITH.get(each["origin"], each["origin"]),
                "browser": each["user_agent"][:60], "last_used": short_time(each["last_used_at"]),
                "ends": short_time(each["expires_at"]), "current": "here" if each["is_current"] else None,
                } for each in page["items"]), COLUMNS, spare=("ends", "browser"))


@app.command("end")
def end_session(
    session: Annotated[str, typer.Argument(help="The session's id, as `account sessions` lists it.")],
    as_json: Json = False,
) -> None:
    """End one session of yours at once."""

    Client().delete(f"/api/auth/sessions/{part(session)}")
    Manner(as_json).tell({"id": session, "ended": True}, "that session has ended")


@app.command("sign-out-everywhere")
def sign_out_everywhere(yes: Yes = False, no_input: NoInput = False, as_json: Json = False) -> None:
    """End every session of yours, on all machines, this one too; API keys stay."""

    manner = Manner(as_json, yes, no_input)
    client = Client()
    manner.agree("End every session of yours, on all machines?")
    ended = client.post("/api/auth/sign-out-everywhere")
    if client.access.session:
        access.forget()
    manner.tell(ended, f"{ended['sessions_ended']} sessions have ended; sign in again with: automatos auth login")


def _ask(may_ask: bool) -> tuple[str, str]:
    if not may_ask:
        misuse("a password can only be typed at a terminal", "or give both on standard input: --stdin")
    current, new = getpass.getpass("Present password: "), getpass.getpass("New password: ")
    if getpass.getpass("New password again: ") != new:
        raise CommandFailed("the two new passwords are not the same", "nothing was changed")
    return current, new


def _read_lines() -> tuple[str, str]:
    lines = [line.rstrip("\r\n") for line in sys.stdin]
    if len(lines) != 2:
        misuse(f"standard input has {len(lines)} lines",
               "write the present password on the first line and the new one on the second")
    return lines[0], lines[1]
