"""Commands of whoever has the server's machine: list, grant, revoke (system admins), workspaces, plan."""

from typing import Annotated, Any

import typer

from automatos.cli.asking import Manner
from automatos.cli.console import misuse, put, put_json, put_table, say
from automatos.cli.machine import on_machine
from automatos.cli.options import Home, Json

app = typer.Typer()
Who = Annotated[str, typer.Argument(help="Email address, account number, or id at the identity provider.")]
Most = Annotated[int | None, typer.Option(help="How many; -1 for any number.", min=-1, max=1_000_000)]
LIMITS = {"max_agents": "agents", "max_workflows": "recipes", "max_members": "members"}
"""What a plan limits, by the name that the API has for it."""


@app.command("list")
def list_(
    everybody: Annotated[bool, typer.Option("--everybody", help="Every account, not only admins.")] = False,
    as_json: Json = False, home: Home = None,
) -> None:
    """List the system admins of this server."""
    found: list[dict[str, Any]] = on_machine("find_admins", home=home, everybody=everybody)
    if as_json:
        put_json(found)
        return
    if not found:
        say("nobody administers this server yet" if not everybody else "this server has no account yet")
    for each in found:
        put(f"{each['id']:>6}  {each['system_role']:<6} {each['email'] or each['external_id'] or '-'}  {each['name']}")


@app.command("grant")
def grant(who: Who, as_json: Json = False, home: Home = None) -> None:
    """Make an account system admin; a person of an identity provider must have signed in once."""
    user: dict[str, Any] = on_machine("make_admin", home=home, who=who)
    Manner(as_json).tell(user, f"{_named(user)} is system admin")



@app.command("revoke")
def revoke(who: Who, as_json: Json = False, home: Home = None) -> None:
    """Make a system admin an ordinary person again; the last one stays."""
    user: dict[str, Any] = on_machine("unmake_admin", home=home, who=who)
    Manner(as_json).tell(
        user, f"{_named(user)} is no system admin any more; whoever stands in AUTOMATOS_ADMINS becomes one again at "
              "the next sign-in")



@app.command("workspaces")
def list_workspaces(
    search: Annotated[str | None, typer.Option(help="Only those whose name or owner has this text.")] = None,
    as_json: Json = False, home: Home = None,
) -> None:
    """List every workspace of this server with its owner, its members and what its plan allows."""
    rows: list[dict[str, Any]] = on_machine("find_workspaces", home=home, search=search)
    if as_json:
        put_json(rows)
    else:
        put_table((row | row["plan_limits"] for row in rows), (
            "slug", "name", "owner", "members", "max_agents", "max_workflows", "max_members"), spare=("name",))


@app.command("plan")
def change_plan(
    workspace: Annotated[str, typer.Argument(help="The workspace's slug or id, as `admin workspaces` lists them.")],
    agents: Most = None, recipes: Most = None, members: Most = None, as_json: Json = False, home: Home = None,
) -> None:
    """Set how many agents, recipes and members a workspace may have; what is there already stays."""

    given = {"max_agents": agents, "max_workflows": recipes, "max_members": members}
    wanted = {limit: most for limit, most in given.items() if most is not None}
    if not wanted:
        misuse("no limit was named", "for example: automatos admin plan acme --agents 20 --recipes -1")
    changed: dict[str, Any] = on_machine("change_plan", home=home, workspace=workspace, limits=wanted)
    allowed = changed["plan_limits"]
    Manner(as_json).tell(changed, f"{changed['name']} may have " + ", ".join(
        f"{allowed[limit] if allowed[limit] >= 0 else 'any number of'} {noun}" for limit, noun in LIMITS.items()))


def _named(user: dict[str, Any]) -> str:
    return user["email"] or user["name"] or str(user["id"])
