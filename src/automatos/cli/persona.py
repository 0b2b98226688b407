"""Commands about personas: list, get, create, edit, delete."""

from pathlib import Path
from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.asking import Manner
from automatos.cli.changes import made, read_fields, read_text, save
from automatos.cli.client import Client
from automatos.cli.console import misuse, put, put_json, put_table
from automatos.cli.finding import PERSONA, find, workspace_path
from automatos.cli.options import Document, Json, NoInput, Sets, Tags, Yes
from automatos.cli.pages import put_fields, say_rest

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="The persona's slug, name or id.", metavar="PERSONA", autocompletion=completion.personas)]
COLUMNS = ("slug", "name", "category", "scope", "tokens", "agents")
FIELDS = ("id", "slug", "name", "description", "voice", "category", "tags", "suggested_temperature",
          "suggested_models", "scope", "is_active", "token_estimate", "agents_count", "version", "updated_at")


@app.command("list")
def list_personas(
    search: Annotated[str | None, typer.Option(help="Only personas with this text.")] = None,
    category: Annotated[str | None, typer.Option(help="Only personas of this category.")] = None,
    agent_type: Annotated[str | None, typer.Option("--type", help="Only personas that fit this type of agent.")] = None,
    scope: Annotated[str | None, typer.Option(help="global, workspace or all.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200)] = 100, as_json: Json = False,
) -> None:
    """List the personas of the library and of the workspace."""

    page = Client().get("/api/personas", search=search, category=category, agent_type=agent_type, scope=scope,
                        limit=limit)
    if as_json:
        put_json(page)
        return
    put_table((each | {"tokens": each["token_estimate"], "agents": each["agents_count"]} for each in page["items"]),
              COLUMNS, spare=("scope", "tokens", "agents", "category"))
    say_rest(page, "personas", "automatos persona create --name NAME --prompt-file FILE")


@app.command("get")
def get_persona(persona: Named, as_json: Json = False) -> None:
    """Show one persona with its text."""

    found = find(Client(), PERSONA, persona)
    if as_json:
        put_json(found)
        return
    put_fields(found | {"voice": found["voice_description"]}, FIELDS)
    put(f"\n{found['system_prompt'].strip()}")


@app.command("create")
def create_persona(
    name: Annotated[str | None, typer.Option(help="Its name.")] = None, file: Document = None,
    prompt: Annotated[
        Path | None, typer.Option("--prompt-file", help="A text that is its system prompt.", exists=True,
                                  dir_okay=False)
    ] = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    category: Annotated[str | None, typer.Option(help="Its category.")] = None,
    tag: Tags = None, assignments: Sets = None, as_json: Json = False,
) -> None:
    """Add a persona to the workspace."""

    given: dict[str, Any] = {
        "name": name, "system_prompt": read_text(str(prompt)) if prompt else None, "description": description,
        "category": category, "tags": tag or None,
    }
    body = read_fields(file, assignments) | {field: value for field, value in given.items() if value is not None}
    if not body.get("name") or not body.get("system_prompt"):
        misuse("a persona needs a name and a text", "give --name and --prompt-file, or --file with both")
    client = Client()
    persona = client.post(f"{workspace_path(client)}/personas", body)
    made(persona, f"persona {persona['slug']} is added", as_json=as_json)


@app.command("edit")
def edit_persona(
    persona: Named, file: Document = None, assignments: Sets = None, yes: Yes = False, no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Change a persona of the workspace by a file, by --set or by both. Shows the difference and asks."""

    body = read_fields(file, assignments)
    if not body:
        misuse("there is nothing to change", "give --set FIELD=VALUE or --file FILE")
    client = Client()
    found = find(client, PERSONA, persona)
    save(client, f"{workspace_path(client)}/personas/{found['id']}", found, body, Manner(as_json, yes, no_input),
         version=found["version"], name=f"persona {found['slug']}")


@app.command("delete")
def delete_persona(persona: Named, yes: Yes = False, no_input: NoInput = False, as_json: Json = False) -> None:
    """Remove a persona of the workspace that no agent has."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, PERSONA, persona)
    manner.agree(f"Delete persona {found['slug']}?")
    client.delete(f"{workspace_path(client)}/personas/{found['id']}")
    manner.tell({"id": found["id"], "deleted": True}, f"persona {found['slug']} is deleted")
