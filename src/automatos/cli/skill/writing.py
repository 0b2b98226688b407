"""Making and changing skills: create, edit, upload, validate, delete, restore."""

from pathlib import Path
from typing import Annotated, Any

import typer

from automatos.cli.asking import Manner
from automatos.cli.changes import made, read_fields, read_text, save
from automatos.cli.client import Client
from automatos.cli.console import Exit, misuse, put, put_json, say
from automatos.cli.finding import SKILL, find
from automatos.cli.options import Document, Force, Json, NoInput, Sets, Tags, Yes
from automatos.cli.skill.folder import check_collection, check_folder, packed
from automatos.cli.skill.reading import Named
from automatos.kernel.figures import quantity

app = typer.Typer()
VERDICTS = {"conforms": "ok", "usable": "not valid, though it can be used", "unusable": "not valid"}


@app.command("create")
def create_skill(
    name: Annotated[str | None, typer.Option(help="Its name, such as code-review.")] = None, file: Document = None,
    description: Annotated[str | None, typer.Option(help="What it does and when to use it.")] = None,
    content: Annotated[
        Path | None, typer.Option("--content-file", help="The instructions, in Markdown.", exists=True, dir_okay=False)
    ] = None,
    category: Annotated[str | None, typer.Option(help="Its category.")] = None,
    tag: Tags = None, assignments: Sets = None, as_json: Json = False,
) -> None:
    """Add a skill written by hand; one with files of its own is a folder: see upload."""

    given: dict[str, Any] = {
        "name": name, "description": description, "category": category, "tags": tag or None,
        "content": read_text(str(content)) if content else None,
    }
    body = read_fields(file, assignments) | {field: value for field, value in given.items() if value is not None}
    if missing := [field for field in ("name", "description", "content") if not body.get(field)]:
        misuse(f"a skill needs {' and '.join(missing)}", "give --name, --description and --content-file, or --file")
    skill = Client().post("/api/skills", body)
    made(skill, f"skill {skill['name']} is added", as_json=as_json)


@app.command("edit")
def edit_skill(
    skill: Named, file: Document = None, assignments: Sets = None, yes: Yes = False, no_input: NoInput = False,
    as_json: Json = False,
) -> None:
    """Change a skill written by hand or uploaded. Shows the difference and asks."""

    body = read_fields(file, assignments)
    if not body:
        misuse("there is nothing to change", "give --set FIELD=VALUE or --file FILE",
               "the instructions from a file: --set content=@FILE")
    client = Client()
    found = find(client, SKILL, skill)
    path = f"/api/skills/{found['id']}"
    if "content" in body:
        found = found | {"content": client.get(f"{path}/content", level=2)["content"]}
    save(client, path, found, body, Manner(as_json, yes, no_input), name=f"skill {found['name']}")


@app.command("upload")
def upload_skills(
    path: Annotated[Path, typer.Argument(help="A folder with a SKILL.md, a folder of such folders, or a ZIP file.")],
    as_json: Json = False,
) -> None:
    """Add every skill of a folder or ZIP file that can be used; one that is there gets a new version if it differs."""

    done = Client().upload("/api/skills/upload", packed(path), "application/zip")
    if as_json:
        put_json(done)
        return
    for action in ("added", "updated", "unchanged"):
        for name in done[action]:
            put(f"skill {name} {action}")
    for each in done["problems"]:
        say(f"{each['path'] or '/'} was left out: {' '.join(each['problems'])}")
    for each in done["items"]:
        for note in each["notes"]:
            say(f"{each['name']}: {note}")


@app.command("check")
def check_skills(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders with skills anywhere below.", exists=True, file_okay=False)],
    as_json: Json = False,
) -> int:
    """Count how many skills of others can be used, and why not the rest. Exit code 1 if one cannot."""
    from collections import Counter


    counts, reasons = Counter[str](), Counter[str]()
    for folder in folders:
        here = Counter[str]()
        for one in check_collection(folder):
            here[one["verdict"]] += 1
            reasons.update({_kind_of(note) for note in one["problems"]})
            if as_json:
                put_json({"collection": str(folder)} | one)
            elif one["verdict"] == "unusable":
                put(f"{folder / one['path']}: {' '.join(one['problems'])}")
        counts += here
        if not as_json:
            put(f"{folder}: {here.total() - here['unusable']} of {here.total()} usable, {here['conforms']} conform")
    if not as_json:
        usable = counts.total() - counts["unusable"]
        put(f"{usable} of {counts.total()} usable, {counts['conforms']} conform")
        for reason, number in reasons.most_common(20):
            put(f"{number:6d}  {reason}")
    return Exit.FAILED if counts["unusable"] else Exit.OK


def _kind_of(note: str) -> str:
    """Return a note without what it says of one skill only, so that equal ones can be counted."""
    import re

    return re.sub(r"'[^']*'|\d+|(?<=kept: ).*", "_", note)[:100]


@app.command("validate")
def validate_skills(
    folder: Annotated[
        Path, typer.Argument(help="A folder with a SKILL.md, or a folder of such folders.", exists=True,
                             file_okay=False)
    ],
    as_json: Json = False,
) -> int:
    """Check skills against the format without a server and name every difference. Exit code 1 if there is any."""

    checked = check_folder(folder)
    for one in checked:
        if as_json:
            put_json(one)
            continue
        size = f", about {one['core_tokens']:,} tokens" if one["name"] else ""
        put(f"{one['path'] or folder}: {VERDICTS[one['verdict']]}{size}")
        for problem in one["problems"]:
            put(f"  {problem}")
    return Exit.OK if all(one["is_valid"] for one in checked) else Exit.FAILED


@app.command("delete")
def delete_skill(
    skill: Named, force: Force = False, yes: Yes = False, no_input: NoInput = False, as_json: Json = False
) -> None:
    """Remove a skill that no agent has; with --force it is taken from them."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, SKILL, skill)
    users = f" {quantity(found['agents_count'], 'agent')} would lose it." if force and found["agents_count"] else ""
    manner.agree(f"Delete skill {found['name']}?{users}")
    client.delete(f"/api/skills/{found['id']}", force=force or None)
    manner.tell({"id": found["id"], "deleted": True}, f"skill {found['name']} is deleted")


@app.command("restore")
def restore_skill(
    skill: Named, version: Annotated[int, typer.Argument(help="The number of a version.", min=1)],
    yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Make an earlier state of a skill current again, as a new version."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, SKILL, skill)
    manner.agree(f"Make skill {found['name']} what it was at version {version}?")
    now = client.post(f"/api/skills/{found['id']}/versions/{version}/restore")
    manner.tell(now, f"skill {now['name']} is as it was at version {version}, saved as version "
                     f"{now['current_version']}")
