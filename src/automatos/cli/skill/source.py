"""Git repositories that skills are taken from: list, get, add, edit, sync, pin, rollback, delete."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import misuse, put, put_json, put_table, say
from automatos.cli.finding import CREDENTIAL, SOURCE, find
from automatos.cli.options import Force, Json, NoInput, Yes
from automatos.cli.pages import put_fields, say_rest, short_time
from automatos.kernel.figures import quantity

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="The source's name or id.", metavar="SOURCE", autocompletion=completion.sources)]
COLUMNS = ("name", "status", "skills", "commit", "pinned", "synced", "url")
FIELDS = ("id", "source_name", "git_url", "git_branch", "git_folder", "credential_id", "git_commit_sha",
          "pinned_commit", "status",
          "skills_taken", "skills_discovered", "auto_update", "update_frequency_hours", "last_sync_at",
          "last_sync_status", "last_sync_error", "last_sync_notes")


@app.command("list")
def list_sources(as_json: Json = False) -> None:
    """List the workspace's sources of skills."""

    page = Client().get("/api/skills/sources")
    if as_json:
        put_json(page)
        return
    put_table(({
        "name": each["source_name"], "status": each["status"], "skills": each["skills_taken"],
        "commit": _short(each["git_commit_sha"]), "pinned": "yes" if each["pinned_commit"] else "no",
        "synced": short_time(each["last_sync_at"]), "url": each["git_url"],
    } for each in page["items"]), COLUMNS, spare=("pinned", "synced", "commit"))
    say_rest(page, "sources", "automatos skill source add URL")


@app.command("get")
def get_source(source: Named, as_json: Json = False) -> None:
    """Show one source with the commits it was read at."""

    found = find(Client(), SOURCE, source)
    if as_json:
        put_json(found)
        return
    put_fields(found, FIELDS)
    put("")
    put_table((each | {"commit": each["commit_sha"], "synced": short_time(each["synced_at"])}
               for each in found["history"]), ("commit", "skills", "synced"))


@app.command("add")
def add_source(
    url: Annotated[str, typer.Argument(help="The https address of a git repository, or of one of its pages.")],
    name: Annotated[str | None, typer.Option(help="What to call it here.")] = None,
    branch: Annotated[str | None, typer.Option(help="The branch to follow.")] = None,
    folder: Annotated[str | None, typer.Option(help="Take only the skills below this folder.")] = None,
    credential: Annotated[
        str | None, typer.Option(help="The stored credential that may read it, by name or id.",
                                   autocompletion=completion.credentials)] = None,
    commit: Annotated[str | None, typer.Option(help="The commit to stay at.")] = None,
    auto_update: Annotated[bool, typer.Option("--auto-update/--no-auto-update", help="Follow the branch.")] = True,
    every: Annotated[int | None, typer.Option("--every", min=1, max=8760, help="Hours between two looks.")] = None,
    as_json: Json = False,
) -> None:
    """Read a git repository and take every skill in it."""

    client = Client()
    given: dict[str, Any] = {"git_url": url, "source_name": name, "branch": branch, "commit": commit,
                             "git_folder": folder, "auto_update": auto_update, "update_frequency_hours": every,
                             "credential_id": find(client, CREDENTIAL, credential)["id"] if credential else None}
    body = {field: value for field, value in given.items() if value is not None}
    _tell(client.post("/api/skills/sources/git", body), as_json=as_json)


@app.command("edit")
def edit_source(
    source: Named,
    name: Annotated[str | None, typer.Option(help="What to call it here.")] = None,
    branch: Annotated[str | None, typer.Option(help="The branch to follow.")] = None,
    folder: Annotated[
        str | None, typer.Option(help="Take only the skills below this folder; '' takes all of them.")] = None,
    credential: Annotated[
        str | None, typer.Option(help="The stored credential that may read it, by name or id; '' for none.",
                                   autocompletion=completion.credentials)] = None,
    auto_update: Annotated[
        bool | None, typer.Option("--auto-update/--no-auto-update", help="Follow the branch.")] = None,
    every: Annotated[int | None, typer.Option("--every", min=1, max=8760, help="Hours between two looks.")] = None,
    yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Change how a source is read; it counts from the next sync. Asks first."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    given: dict[str, Any] = {"source_name": name, "branch": branch, "git_folder": folder, "auto_update": auto_update,
                             "update_frequency_hours": every}
    body = {field: value for field, value in given.items() if value is not None}
    if credential is not None:
        body["credential_id"] = find(client, CREDENTIAL, credential)["id"] if credential else None
    if not body:
        misuse("there is nothing to change", "give --folder, --credential or another option; see --help")
    found = find(client, SOURCE, source)
    manner.agree(f"Change {', '.join(body)} of source {found['source_name']!r}?")
    saved = client.put(f"/api/skills/sources/{found['id']}", body)
    manner.tell(saved, f"source {saved['source_name']!r} is saved; read it with: automatos skill source sync "
                       f"{saved['source_name']!r}")


@app.command("sync")
def sync_source(source: Named, as_json: Json = False) -> None:
    """Read a source again now."""
    _ask(source, "sync", None, as_json=as_json)


@app.command("pin")
def pin_source(
    source: Named, commit: Annotated[str | None, typer.Argument(help="The commit to stay at.")] = None,
    release: Annotated[bool, typer.Option("--release", help="Follow the branch again.")] = False, as_json: Json = False,
) -> None:
    """Hold a source at a commit, or let it follow its branch again."""
    if (commit is None) != release:
        misuse("a source is held at a commit or released", "give a COMMIT, or --release")
    _ask(source, "pin", {"commit_sha": commit}, as_json=as_json)


@app.command("rollback")
def roll_back(
    source: Named, commit: Annotated[str, typer.Argument(help="An earlier commit; see get.")],
    yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Make the skills of a source what they were at an earlier commit."""

    Manner(as_json, yes, no_input).agree(f"Roll source {source!r} back to {commit[:12]}?")
    _ask(source, "rollback", {"commit_sha": commit}, as_json=as_json)


@app.command("delete")
def delete_source(
    source: Named, force: Force = False, yes: Yes = False, no_input: NoInput = False, as_json: Json = False
) -> None:
    """Remove a source and its skills."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, SOURCE, source)
    manner.agree(f"Delete source {found['source_name']!r} with {quantity(found['skills_taken'], 'skill')}?")
    client.delete(f"/api/skills/sources/{found['id']}", force=force or None)
    manner.tell({"id": found["id"], "deleted": True}, f"source {found['source_name']!r} is deleted")


def _ask(source: str, verb: str, body: Any, *, as_json: bool) -> None:
    client = Client()
    _tell(client.post(f"/api/skills/sources/{find(client, SOURCE, source)['id']}/{verb}", body), as_json=as_json)


def _tell(result: dict[str, Any], *, as_json: bool) -> None:
    """Write what a look at a repository brought."""
    if as_json:
        put_json(result)
        return
    for action in ("added", "updated", "removed"):
        for name in result[action]:
            put(f"skill {name} {action}")
    for each in result["problems"]:
        say(f"{each['path']} was left out: {' '.join(each['problems'])}")
    for note in result["notes"]:
        say(note)
    say(f"source {result['source_name']!r} is at {_short(result['commit_sha'])}, "
        f"{len(result['unchanged'])} unchanged")


def _short(commit: str | None) -> str:
    return commit[:12] if commit else "-"
