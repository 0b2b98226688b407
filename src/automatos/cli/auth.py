"""Commands about sign-in: login, status, logout."""

from typing import Annotated

import typer

from automatos.cli import signin
from automatos.cli.client import Client
from automatos.cli.console import Exit, put_json, say
from automatos.cli.pages import put_fields

app = typer.Typer()


@app.command("login")
def login(
    url: Annotated[str | None, typer.Option(help="The server [AUTOMATOS_URL, the one of this machine].")] = None,
    api_key: Annotated[
        str | None, typer.Option("--api-key", help="An API key (ak_...); @- reads standard input.")
    ] = None,
    email: Annotated[str | None, typer.Option(help="Your email address; the password is asked for.")] = None,
    local: Annotated[
        bool, typer.Option("--local", help="On the server's own machine: an owner's key, by its data directory.")
    ] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Fail instead of asking.")] = False,
) -> None:
    """Sign in; what is needed later is kept in a file that only you can read."""

    if local:
        access = signin.by_home(url)
    elif api_key:
        access = signin.by_key(url, api_key)
    else:
        access = signin.by_password(url, email, may_ask=not no_input)
    say(f"signed in to {access.url} as {signin.name_of(access)}")


@app.command("status")
def status(as_json: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False) -> int:
    """Show the server, who you are there, and where the credential comes from; exit code 4 when signed out."""

    client = Client()
    me = client.get("/api/auth/me")
    place = next((each for each in me["workspaces"] if each["id"] == me["workspace_id"]), {})
    found = {
        "server": client.url, "user": (me["user"] or {}).get("email") or me["auth_method"],
        "user_id": (me["user"] or {}).get("id"), "role": me["role"],
        "workspace": place.get("name"), "workspace_id": me["workspace_id"], "credential": client.access.source,
    }
    if as_json:
        put_json(found)
    else:
        put_fields(found, tuple(found))
    return Exit.OK


@app.command("logout")
def logout() -> None:
    """Sign out: the kept credential is revoked on the server and forgotten here."""

    say(signin.sign_out())
