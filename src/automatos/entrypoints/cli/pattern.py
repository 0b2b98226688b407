"""Commands about patterns of working together: list, get."""

from typing import Annotated

import typer

from automatos.entrypoints.cli.console import put, put_json, put_table
from automatos.entrypoints.cli.options import Json

app = typer.Typer()


@app.command("list")
def list_patterns(
    kind: Annotated[str | None, typer.Option("--type", help="coordination, communication or decision.")] = None,
    as_json: Json = False,
) -> None:
    """List the patterns of coordination, communication and decision."""
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.pages import say_rest

    page = Client().get("/api/skills/patterns", pattern_type=kind)
    if as_json:
        put_json(page)
        return
    put_table((each | {"type": each["pattern_type"]} for each in page["items"]),
              ("slug", "name", "type", "description"))
    say_rest(page, "patterns", "automatos db seed")


@app.command("get")
def get_pattern(
    pattern: Annotated[str, typer.Argument(help="The pattern's slug.", metavar="PATTERN")], as_json: Json = False
) -> None:
    """Show one pattern with its roles and steps."""
    import yaml

    from automatos.entrypoints.cli.client import Client, part
    from automatos.entrypoints.cli.pages import put_fields

    found = Client().get(f"/api/skills/patterns/{part(pattern)}")
    if as_json:
        put_json(found)
        return
    put_fields(found | {"type": found["pattern_type"]}, ("slug", "name", "type", "description"))
    put("")
    put(yaml.safe_dump(found["pattern_data"], sort_keys=False, allow_unicode=True, width=100).rstrip("\n"))
