"""Commands about patterns of working together: list, get, create, edit, delete."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.asking import Manner
from automatos.cli.changes import made, read_fields, save
from automatos.cli.client import Client
from automatos.cli.console import misuse, put, put_json, put_table
from automatos.cli.finding import PATTERN, find
from automatos.cli.options import Document, Json, NoInput, Sets, Yes
from automatos.cli.pages import put_fields, say_rest
from automatos.client import part

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="The pattern's slug or name.", metavar="PATTERN", autocompletion=completion.patterns)]
COLUMNS = ("slug", "name", "type", "scope", "description")
FIELDS = ("slug", "name", "type", "description", "scope", "version", "updated_at")
DATA = "pattern_data"


@app.command("list")
def list_patterns(
    kind: Annotated[str | None, typer.Option("--type", help="coordination, communication or decision.")] = None,
    as_json: Json = False,
) -> None:
    """List the patterns of the product and of the workspace."""

    page = Client().get(PATTERN.path, pattern_type=kind)
    if as_json:
        put_json(page)
        return
    rows = [each | {"type": each["pattern_type"]} for each in page["items"]]
    put_table(rows, COLUMNS, spare=("scope", "type", "name"))
    say_rest(page, "patterns", "automatos pattern create --name NAME --type TYPE")


@app.command("get")
def get_pattern(pattern: Named, as_json: Json = False) -> None:
    """Show one pattern with all it says, as tasks and steps get it."""

    found = find(Client(), PATTERN, pattern)
    if as_json:
        put_json(found)
        return
    put_fields(found | {"type": found["pattern_type"]}, FIELDS)
    put(f"\n{found['prompt']}")


@app.command("create")
def create_pattern(
    name: Annotated[str | None, typer.Option(help="Its name; its slug is made of it.")] = None,
    kind: Annotated[str | None, typer.Option("--type", help="coordination, communication or decision.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    file: Document = None, assignments: Sets = None, as_json: Json = False,
) -> None:
    """Add a pattern to the workspace; what it says is pattern_data, by --file or by --set pattern_data.steps=[a,b]."""

    given: dict[str, Any] = {"name": name, "pattern_type": kind, "description": description}
    body = read_fields(file, assignments) | {field: value for field, value in given.items() if value is not None}
    if not body.get("name") or not body.get("pattern_type"):
        misuse("a pattern needs a name and a type", "give --name and --type, or --file with name and pattern_type")
    pattern = Client().post(PATTERN.path, body)
    made(pattern, f"pattern {pattern['slug']} is added", as_json=as_json, known_by="slug")


@app.command("edit")
def edit_pattern(
    pattern: Named, file: Document = None, assignments: Sets = None, yes: Yes = False, no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Change a pattern of the workspace by a file, by --set or by both. Shows the difference and asks.

    A file's pattern_data replaces what the pattern says; --set pattern_data.NAME=VALUE changes one part of it.
    """

    if not file and not assignments:
        misuse("there is nothing to change", "give --set FIELD=VALUE or --file FILE")
    client = Client()
    found = find(client, PATTERN, pattern)
    body = read_fields(file, assignments, over={DATA: found[DATA]})
    save(client, f"{PATTERN.path}/{part(found['slug'])}", found, body, Manner(as_json, yes, no_input),
         version=found["version"], name=f"pattern {found['slug']}", whole=(DATA,))


@app.command("delete")
def delete_pattern(pattern: Named, yes: Yes = False, no_input: NoInput = False, as_json: Json = False) -> None:
    """Remove a pattern of the workspace; recipes whose steps name it cannot be cooked until they name another."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, PATTERN, pattern)
    manner.agree(f"Delete pattern {found['slug']}?")
    client.delete(f"{PATTERN.path}/{part(found['slug'])}")
    manner.tell({"slug": found["slug"], "deleted": True}, f"pattern {found['slug']} is deleted")
