"""Commands about recipes: apply, validate, list, get, export, delete, cook."""

from pathlib import Path
from typing import Annotated

import typer

from automatos.cli import completion
from automatos.cli.apply import apply
from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import Exit, put, put_json, put_table, say
from automatos.cli.cook import start
from automatos.cli.documents import put_document, recipe_files
from automatos.cli.finding import find_recipe
from automatos.cli.options import ExitStatus, NoInput, Output, Quiet, RunJson, Watching, Yes
from automatos.cli.pages import put_recipe
from automatos.cli.validate import faults_of_file
from automatos.cli.watch import tell_started
from automatos.client import part

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="The recipe's template_id or name.", metavar="RECIPE", autocompletion=completion.recipes)]
Files = Annotated[list[Path], typer.Argument(help="Recipe files, or folders of them.", metavar="FILE")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
COLUMNS = ("template_id", "name", "version", "steps", "used", "last_run", "tags")


@app.command("apply")
def apply_files(files: Files, as_json: Json = False) -> None:
    """Create or update agents and recipes as the files say; applied again, nothing changes."""

    for applied in apply(Client(), files):
        if as_json:
            put_json(applied)
        else:
            put(f"recipe {applied['recipe']['template_id']} {applied['action']}")
            for agent in applied["agents"]:
                put(f"  agent {agent['name']} {agent['action']}")


@app.command("validate")
def validate_files(files: Files, as_json: Json = False) -> int:
    """Check recipe files without a server; every fault with its place. Exit code 1 if there is any."""

    faulty = 0
    for path in recipe_files(files):
        faults = faults_of_file(path)
        faulty += bool(faults)
        if as_json:
            put_json({"file": str(path), "is_valid": not faults, "faults": faults})
            continue
        put(f"{path}: {'ok' if not faults else 'not valid'}")
        for fault in faults:
            position = f" (line {fault['line']}, column {fault['column']})" if "line" in fault else ""
            put(f"  {fault['where']}{position}: {fault['message']}")
    return Exit.FAILED if faulty else Exit.OK


@app.command("list")
def list_recipes(
    search: Annotated[str | None, typer.Option(help="Only recipes with this text in name or description.")] = None,
    tag: Annotated[str | None, typer.Option(help="Only recipes with this tag.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100)] = 50, as_json: Json = False,
) -> None:
    """List the workspace's recipes."""

    page = Client().get("/api/workflow-recipes", search=search, tag=tag, limit=limit)
    if as_json:
        put_json(page)
        return
    put_table((recipe | {"steps": len(recipe["steps"]), "used": recipe["use_count"],
                         "last_run": (recipe["last_run"] or {}).get("status")} for recipe in page["items"]), COLUMNS,
              spare=("used", "version", "tags", "steps", "last_run"))
    if not page["items"]:
        say("no recipes yet; apply one with: automatos recipe apply FILE, or try: automatos demo")


@app.command("get")
def get_recipe(recipe: Named, as_json: Json = False) -> None:
    """Show one recipe."""

    found = find_recipe(Client(), recipe)
    if as_json:
        put_json(found)
    else:
        put_recipe(found)


@app.command("export")
def export_recipe(recipe: Named, output: Output = None, as_json: Json = False) -> None:
    """Write a recipe and its agents as YAML that apply takes; no secret is in it."""

    client = Client()
    found = find_recipe(client, recipe)
    text: str = client.get(f"/api/workflow-recipes/{part(found['template_id'])}/export")
    if as_json:
        import yaml

        put_json(yaml.safe_load(text))
        return
    put_document(text, output, f"recipe {found['template_id']}")


@app.command("delete")
def delete_recipe(recipe: Named, yes: Yes = False, no_input: NoInput = False, as_json: Json = False) -> None:
    """Delete a recipe; its runs stay."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find_recipe(client, recipe)
    manner.agree(f"Delete {found['name']!r}, used {found['use_count']} times?")
    client.delete(f"/api/workflow-recipes/{part(found['template_id'])}")
    manner.tell({"template_id": found["template_id"], "deleted": True}, f"deleted {found['name']!r}; its runs stay")


@app.command("cook")
def cook_recipe(
    recipe: Named,
    inputs: Annotated[
        list[str] | None,
        typer.Option("--input", "-i", metavar="NAME=VALUE", help="An input; NAME=@FILE reads a file, NAME=@- standard "
                     "input. May be repeated."),
    ] = None,
    watching: Watching = False,
    as_json: RunJson = False,
    exit_status: ExitStatus = False,
    quiet: Quiet = False,
    key: Annotated[
        str | None, typer.Option("--idempotency-key", help="The same key with the same inputs starts one run only.")
    ] = None,
) -> int:
    """Start a recipe."""

    client = Client()
    return tell_started(client, start(client, recipe, inputs or [], key), watching=watching, as_json=as_json,
                        exit_status=exit_status, quiet=quiet)
