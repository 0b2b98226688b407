"""Commands about the audit log: list."""

from typing import Annotated

import typer

from automatos.entrypoints.cli.console import put_json, put_table, say
from automatos.entrypoints.cli.options import Json

app = typer.Typer()


@app.callback()
def about() -> None:
    """Who changed what."""


@app.command("list")
def list_audit(
    action: Annotated[str | None, typer.Option(help="Only this action, such as agent.updated.")] = None,
    actor: Annotated[str | None, typer.Option(help="Only what this person or key did.")] = None,
    target_type: Annotated[str | None, typer.Option("--target-type", help="Only this kind of thing.")] = None,
    target_id: Annotated[str | None, typer.Option("--target", help="Only the thing with this id.")] = None,
    cursor: Annotated[int | None, typer.Option(help="Go on after this entry.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 50, as_json: Json = False,
) -> None:
    """List who changed what, newest first."""
    from automatos.entrypoints.cli.changes import written
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.pages import short_time

    page = Client().get("/api/audit", action=action, actor=actor, target_type=target_type, target_id=target_id,
                        cursor=cursor, limit=limit)
    if as_json:
        put_json(page)
        return
    put_table(({
        "at": short_time(each["created_at"]), "actor": each["actor"], "action": each["action"],
        "target": f"{each['target_type']} {each['target_id']}", "detail": written(each["detail"]),
    } for each in page["items"]), ("at", "actor", "action", "target", "detail"), spare=("detail", "actor"))
    if page["next_cursor"]:
        say(f"there is more; go on with --cursor {page['next_cursor']}")
