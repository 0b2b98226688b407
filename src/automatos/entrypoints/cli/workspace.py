"""Commands about workspaces: list, use, create, members, invite."""

from dataclasses import replace
from typing import Annotated

import typer

from automatos.entrypoints.cli.console import misuse, put, put_json, put_table, say
from automatos.entrypoints.cli.options import Json

app = typer.Typer()
WorkspaceName = Annotated[str, typer.Argument(help="The workspace's slug, name or id.", metavar="WORKSPACE")]
COLUMNS = ("slug", "name", "role", "current")


@app.command("list")
def list_workspaces(as_json: Json = False) -> None:
    """List the workspaces you belong to."""
    from automatos.entrypoints.cli.client import Client

    client = Client()
    page, here = client.get("/api/workspaces"), client.get("/api/auth/me")["workspace_id"]
    if as_json:
        put_json(page)
        return
    put_table((each | {"current": "here" if each["id"] == here else None} for each in page["items"]), COLUMNS)


@app.command("use")
def use_workspace(workspace: WorkspaceName, as_json: Json = False) -> None:
    """Work in another workspace from now on; for people who signed in with a password."""
    from automatos.entrypoints.cli.access import keep
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.finding import WORKSPACE, find

    client = Client()
    if not client.access.session:
        misuse("an API key belongs to one workspace and stays there",
               "sign in as yourself: automatos auth login --email YOU", "or use a key of the other workspace")
    found = find(client, WORKSPACE, workspace)
    keep(replace(client.access, workspace_id=found["id"]))
    if as_json:
        put_json(found)
    else:
        say(f"commands work in {found['name']!r} now, as {found['role']}")


@app.command("create")
def create_workspace(
    name: Annotated[str, typer.Argument(help="Its name.")],
    slug: Annotated[str | None, typer.Option(help="Its name in addresses; made of the name when left out.")] = None,
    as_json: Json = False,
) -> None:
    """Make a workspace that you own."""
    from automatos.entrypoints.cli.client import Client

    made = Client().post("/api/workspaces", {"name": name} | ({"slug": slug} if slug else {}))
    if as_json:
        put_json(made)
    else:
        put(made["slug"])
        say(f"made {made['name']!r}; work there with: automatos workspace use {made['slug']}")


@app.command("members")
def list_members(as_json: Json = False) -> None:
    """List the people of this workspace, and the invitations that are open."""
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.finding import workspace_path

    client = Client()
    page = client.get(f"{workspace_path(client)}/members")
    if as_json:
        put_json(page)
        return
    invited = [each | {"name": None, "state": "invited"} for each in page["invitations"]]
    put_table([each | {"state": "member"} for each in page["items"]] + invited, ("name", "email", "role", "state"))


@app.command("invite")
def invite(
    email: Annotated[str, typer.Argument(help="Whom.")],
    role: Annotated[str, typer.Option(help="admin, editor or viewer; never more than yours.")] = "editor",
    as_json: Json = False,
) -> None:
    """Invite somebody to this workspace; the link is written once, to standard output."""
    from automatos.entrypoints.cli.client import Client
    from automatos.entrypoints.cli.finding import workspace_path

    client = Client()
    made = client.post(f"{workspace_path(client)}/members/invite", {"email": email, "role": role})
    if as_json:
        put_json(made)
    else:
        put(made["url"])
        say(f"send this link to {made['email']}; it makes them {made['role']} and is not shown again")
