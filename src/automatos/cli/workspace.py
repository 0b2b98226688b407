"""Commands about workspaces: list, use, create, show, members, invite, readmit."""

from dataclasses import replace
from typing import Annotated

import typer

from automatos.cli import completion
from automatos.cli.access import keep
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse, put, put_json, put_table, say
from automatos.cli.finding import WORKSPACE, find, workspace_path
from automatos.cli.options import Json
from automatos.cli.pages import put_fields

app = typer.Typer()
WorkspaceName = Annotated[str, typer.Argument(
    help="The workspace's slug, name or id.", metavar="WORKSPACE", autocompletion=completion.workspaces)]
COLUMNS = ("slug", "name", "role", "current")


@app.command("list")
def list_workspaces(as_json: Json = False) -> None:
    """List the workspaces you belong to."""

    client = Client()
    page, here = client.get("/api/workspaces"), client.get("/api/auth/me")["workspace_id"]
    if as_json:
        put_json(page)
        return
    put_table((each | {"current": "here" if each["id"] == here else None} for each in page["items"]), COLUMNS)


@app.command("use")
def use_workspace(workspace: WorkspaceName, as_json: Json = False) -> None:
    """Work in another workspace from now on; for people who signed in with a password."""

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

    made = Client().post("/api/workspaces", {"name": name} | ({"slug": slug} if slug else {}))
    if as_json:
        put_json(made)
    else:
        put(made["slug"])
        say(f"made {made['name']!r}; work there with: automatos workspace use {made['slug']}")


@app.command("show")
def show_workspace(as_json: Json = False) -> None:
    """Show this workspace, and how much of what its plan allows is there."""

    client = Client()
    path = workspace_path(client)
    place = client.get(path)
    if as_json:
        put_json(place)
        return
    there = {"agents": ("max_agents", client.get("/api/agents/stats")["total_agents"]),
             "recipes": ("max_workflows", client.get("/api/workflow-recipes", limit=1)["total"]),
             "members": ("max_members", client.get(f"{path}/members")["total"])}
    most = place["plan_limits"]
    put_fields(place | {noun: f"{count} of {most[limit]}" if most[limit] >= 0 else count
                        for noun, (limit, count) in there.items()}, ("id", "name", "slug", *there))


@app.command("members")
def list_members(as_json: Json = False) -> None:
    """List the people of this workspace, and the invitations that are open."""

    client = Client()
    page = client.get(f"{workspace_path(client)}/members")
    if as_json:
        put_json(page)
        return
    invited = [each | {"name": None, "state": "invited"} for each in page["invitations"]]
    barred = [each | {"role": None, "state": f"put out, account {each['user_id']}"} for each in page["barred"]]
    put_table([each | {"state": "member"} for each in page["items"]] + invited + barred,
              ("name", "email", "role", "state"))
    if barred:
        say("let somebody in again with: automatos workspace readmit EMAIL")


@app.command("readmit")
def readmit(
    who: Annotated[str, typer.Argument(help="Email address or account number, as `workspace members` lists them.")],
    as_json: Json = False,
) -> None:
    """Let somebody in again who was put out of an organisation's workspace."""

    client = Client()
    path = f"{workspace_path(client)}/members"
    barred = client.get(path)["barred"]
    found = next((each for each in barred if who in {str(each["user_id"]), each["email"]}), None)
    if found is None:
        raise CommandFailed(f"nobody was put out who is called {who}", "see: automatos workspace members")
    client.post(f"{path}/{found['user_id']}/readmit")
    if as_json:
        put_json(found | {"readmitted": True})
    else:
        say(f"{found['email'] or found['name']} may come in again; their next sign-in does the rest")


@app.command("invite")
def invite(
    email: Annotated[str, typer.Argument(help="Whom.")],
    role: Annotated[str, typer.Option(help="admin, editor or viewer; never more than yours.")] = "editor",
    as_json: Json = False,
) -> None:
    """Invite somebody to this workspace; the link is written once, to standard output."""

    client = Client()
    made = client.post(f"{workspace_path(client)}/members/invite", {"email": email, "role": role})
    if as_json:
        put_json(made)
    else:
        put(made["url"])
        say(f"send this link to {made['email']}; it makes them {made['role']} and is not shown again")
