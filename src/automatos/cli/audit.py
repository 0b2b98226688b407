"""Commands about the audit log: list."""

from typing import Annotated, Any

import typer

from automatos.cli.changes import written
from automatos.cli.client import Client
from automatos.cli.console import put_json, put_table, say
from automatos.cli.options import Json
from automatos.cli.pages import short_time

app = typer.Typer()
COLUMNS = ("at", "by", "called", "from", "action", "target", "detail")
"""`by` is who it was, `called` the name they chose."""


@app.callback()
def about() -> None:
    """Who changed what."""


@app.command("list")
def list_audit(
    action: Annotated[str | None, typer.Option(help="Only this action, such as agent.updated.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this person or key did.")] = None,
    target_type: Annotated[str | None, typer.Option("--target-type", help="Only this kind of thing.")] = None,
    target_id: Annotated[str | None, typer.Option("--target", help="Only the thing with this id.")] = None,
    user: Annotated[int | None, typer.Option(help="Only what the account of this number did.")] = None,
    key: Annotated[str | None, typer.Option(help="Only what the API key of this id did.")] = None,
    carrier: Annotated[
        str | None, typer.Option(help="Only who came so: cookie, bearer, api_key, platform_key, nothing, server.")
    ] = None,
    address: Annotated[str | None, typer.Option("--from", help="Only what came from this address.")] = None,
    cursor: Annotated[int | None, typer.Option(help="Go on after this entry.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50, as_json: Json = False,
) -> None:
    """List who changed what, newest first."""

    page = Client().get("/api/audit", action=action, actor=actor, target_type=target_type, target_id=target_id,
                        user_id=user, api_key_id=key, carrier=carrier, client_address=address, cursor=cursor,
                        limit=limit)
    if as_json:
        put_json(page)
        return
    put_table(({
        "at": short_time(each["created_at"]), "by": _who(each), "called": f"“{each['actor']}”",
        "from": each["client_address"], "action": each["action"],
        "target": f"{each['target_type']} {each['target_id']}", "detail": written(each["detail"]),
    } for each in page["items"]), COLUMNS, spare=("detail", "from", "called", "by"))
    if page["next_cursor"]:
        say(f"there is more; go on with --cursor {page['next_cursor']}")


def _who(entry: dict[str, Any]) -> str:
    """Return who an entry is about: never by the name they chose."""
    known = {"person": f"account {entry['user_id']}", "api_key": f"key {entry['api_key_id']}",
             "platform_key": "the operator's key", "local_user": "the local user", "server": "the server"}
    way = {"cookie": ", cookie", "bearer": ", token"}.get(entry["carrier"], "")
    return known.get(entry["actor_kind"], "-") + (way if entry["actor_kind"] == "person" else "")
