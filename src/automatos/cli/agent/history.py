"""The saved versions of an agent: versions, diff, restore."""

from typing import Annotated

import typer

from automatos.cli.asking import Manner
from automatos.cli.changes import say_differences, written
from automatos.cli.client import Client
from automatos.cli.console import put, put_json, put_table, say
from automatos.cli.finding import agent_path, find_agent
from automatos.cli.options import AgentName, Json, NoInput, Yes
from automatos.cli.pages import say_rest, short_time

app = typer.Typer()
Version = Annotated[int, typer.Argument(help="The number of a version.", min=1)]


@app.command("versions")
def list_versions(
    agent: AgentName, limit: Annotated[int, typer.Option(min=1, max=1000)] = 50, as_json: Json = False
) -> None:
    """List an agent's saved versions, newest first."""

    client = Client()
    page = client.get(f"{agent_path(client, agent)}/versions", limit=limit)
    if as_json:
        put_json(page)
        return
    put_table((one | {"saved": short_time(one["created_at"])} for one in page["items"]), ("version", "saved", "author"))
    say_rest(page, "versions", "automatos agent edit")


@app.command("diff")
def compare_versions(agent: AgentName, old: Version, new: Version, as_json: Json = False) -> None:
    """Show what changed from one version of an agent to another."""

    client = Client()
    found = client.get(f"{agent_path(client, agent)}/versions/{new}/diff", against=old)
    if as_json:
        put_json(found)
        return
    for change in found["changes"]:
        put(_dotted(change["path"]))
        put(f"  - {written(change['before'])}")
        put(f"  + {written(change['after'])}")
    if not found["changes"]:
        say(f"versions {old} and {new} are the same")


@app.command("restore")
def restore_version(
    agent: AgentName, version: Version, yes: Yes = False, no_input: NoInput = False, as_json: Json = False
) -> None:
    """Make an agent what it was at a version, as a new version. Shows the difference and asks."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find_agent(client, agent)
    path = f"/api/agents/{found['id']}/versions/{version}"
    changes = client.get(f"{path}/diff", against=found["version"])["changes"]
    if not changes:
        manner.tell(found, f"agent {found['name']!r} is that way already; nothing was changed")
        return
    say_differences((_dotted(one["path"]), one["before"], one["after"]) for one in changes)
    manner.agree(f"Make agent {found['name']!r} what it was at version {version}?")
    restored = client.post(f"{path}/restore")
    manner.tell(restored, f"agent {restored['name']!r} is as it was at version {version}, saved as version "
                          f"{restored['version']}")


def _dotted(path: str) -> str:
    """Write a path as `--set` takes it."""
    return path.strip("/").replace("/", ".")
