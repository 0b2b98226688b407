"""Commands about the API keys of the workspace: list, create, revoke."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from automatos.cli import completion
from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import put, put_json, put_table, say
from automatos.cli.finding import API_KEY, find
from automatos.cli.options import Json, NoInput, Yes
from automatos.cli.pages import say_rest, short_time

app = typer.Typer()
COLUMNS = ("id", "name", "begins", "role", "type", "belongs_to", "made_by", "state", "expires", "last_used")
TO_DO = {
    "maker_left": "belongs to somebody who is no member any more and is refused; revoke it and make another one, as "
                  "owner with --for-workspace if it is to stay when people go",
    "maker_unvouched": "is refused until its owner signs in at the organisation again",
    "expired": "has expired and is refused; revoke it",
}
"""What one does about a key that is not taken."""



@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the active keys, without their texts."""

    page = Client().get("/api/api-keys")
    if as_json:
        put_json(page)
        return
    put_table(({"id": key["id"], "name": key["name"], "begins": key["key_prefix"], "role": key["role"],
                "type": key["key_type"], "belongs_to": key["belongs_to"], "made_by": key["made_by"],
                "state": key["state"].replace("_", " "), "expires": short_time(key["expires_at"]),
                "last_used": short_time(key["last_used_at"])} for key in page["items"]),
              COLUMNS, spare=("type", "id", "begins", "expires", "last_used", "made_by"))
    for key in page["items"]:
        if key["state"] in TO_DO:
            say(f"{key['name']!r} {TO_DO[key['state']]}")
    say_rest(page, "API keys", "automatos api-key create NAME")


@app.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    role: Annotated[str | None, typer.Option(help="owner, admin, editor or viewer; never more than yours.")] = None,
    days: Annotated[int | None, typer.Option(help="Days until it expires.", min=1, max=3650)] = None,
    public: Annotated[bool, typer.Option("--public", help="For pages that everybody can read.")] = False,
    for_workspace: Annotated[
        bool, typer.Option("--for-workspace", help="It stays when you go; owners only. Else it ends with you.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a key; its text is written once, to standard output."""

    body: dict[str, object] = {"name": name, "key_type": "public" if public else "server"}
    if role is not None:
        body["role"] = role
    if for_workspace:
        body["belongs_to"] = "workspace"
    if days is not None:
        body["expires_at"] = (datetime.now(UTC) + timedelta(days=days)).isoformat()
    made = Client().post("/api/api-keys", body)
    if as_json:
        put_json(made)
        return
    put(made["key"])
    say(f"made {made['name']!r} as {made['role']}; this text is not shown again")


@app.command("revoke")
def revoke_key(
    key: Annotated[
        str, typer.Argument(help="The key's id or name.", metavar="KEY",
                            autocompletion=completion.api_keys)], yes: Yes = False,
    no_input: NoInput = False, as_json: Json = False,
) -> None:
    """End a key at once."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, API_KEY, key)
    manner.agree(f"Revoke {found['name']!r}? Whoever uses it is refused from then on.")
    client.delete(f"/api/api-keys/{found['id']}")
    manner.tell({"id": found["id"], "revoked": True}, f"revoked {found['name']!r}")
