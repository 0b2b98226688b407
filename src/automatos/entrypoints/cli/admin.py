"""Commands of whoever has the server's machine: list, grant, revoke (system admins), workspaces, plan."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from automatos.entrypoints.cli.asking import Manner
from automatos.entrypoints.cli.console import misuse, put, put_json, put_table, say
from automatos.entrypoints.cli.database import on_ground
from automatos.entrypoints.cli.options import Json

if TYPE_CHECKING:
    from automatos.entrypoints.migrate import Ground
    from automatos.kernel.config import Settings
    from automatos.kernel.db import Database
    from automatos.workspaces.models import User
    from automatos.workspaces.types import Tenant

app = typer.Typer()
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]
Who = Annotated[str, typer.Argument(help="Email address, account number, or id at the identity provider.")]
Most = Annotated[int | None, typer.Option(help="How many; -1 for any number.", min=-1, max=1_000_000)]
T = TypeVar("T")


@app.command("list")
def list_(
    everybody: Annotated[bool, typer.Option("--everybody", help="Every account, not only admins.")] = False,
    as_json: Json = False, home: Home = None,
) -> None:
    """List the system admins of this server."""
    from automatos.workspaces.service import list_admins

    async def find(database: "Database", _: "Settings") -> "Sequence[User]":
        return await list_admins(database, everybody=everybody)

    found = [_described(user) for user in _with_database(home, find)]
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
    from automatos.workspaces.service import grant_admin

    async def do(database: "Database", settings: "Settings") -> "User":
        return await grant_admin(database, settings, who)

    user = _with_database(home, do)
    Manner(as_json).tell(_described(user), f"{_named(user)} is system admin")


@app.command("revoke")
def revoke(who: Who, as_json: Json = False, home: Home = None) -> None:
    """Make a system admin an ordinary person again; the last one stays."""
    from automatos.workspaces.service import revoke_admin

    async def do(database: "Database", settings: "Settings") -> "User":
        return await revoke_admin(database, settings, who)

    user = _with_database(home, do)
    Manner(as_json).tell(
        _described(user), f"{_named(user)} is no system admin any more; whoever stands in AUTOMATOS_ADMINS becomes one "
                          "again at the next sign-in")


@app.command("workspaces")
def list_workspaces(
    search: Annotated[str | None, typer.Option(help="Only those whose name or owner has this text.")] = None,
    as_json: Json = False, home: Home = None,
) -> None:
    """List every workspace of this server with its owner, its members and what its plan allows."""
    from automatos.workspaces.service import list_tenants

    async def find(database: "Database", _: "Settings") -> "list[Tenant]":
        page, following = await list_tenants(database, search=search, limit=200)
        found = [*page]
        while following:
            page, following = await list_tenants(database, search=search, after=following, limit=200)
            found += page
        return found

    rows = [_told(tenant) for tenant in _with_database(home, find)]
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
    from automatos.workspaces.service import PlanLimit, find_tenant, set_plan

    given = {PlanLimit.AGENTS: agents, PlanLimit.RECIPES: recipes, PlanLimit.MEMBERS: members}
    wanted = {limit: most for limit, most in given.items() if most is not None}
    if not wanted:
        misuse("no limit was named", "for example: automatos admin plan acme --agents 20 --recipes -1")

    async def do(database: "Database", _: "Settings") -> "Tenant":
        found = await find_tenant(database, workspace)
        return await set_plan(database, "server's terminal", found.id, wanted)

    tenant = _with_database(home, do)
    allowed = _told(tenant)["plan_limits"]
    Manner(as_json).tell(_told(tenant), f"{tenant.name} may have " + ", ".join(
        f"{most if most >= 0 else 'any number of'} {noun}" for noun, most in zip(
            ("agents", "recipes", "members"), (allowed[limit.value] for limit in PlanLimit), strict=True)))


def _told(tenant: "Tenant") -> dict[str, Any]:
    """Return a workspace as the API gives it."""
    from automatos.workspaces.schemas import TenantOut

    return TenantOut.model_validate(tenant).model_dump(mode="json")


def _named(user: "User") -> str:
    return user.email or user.name or str(user.id)


def _described(user: "User") -> dict[str, object]:
    return {"id": user.id, "email": user.email, "name": user.name, "system_role": user.system_role,
            "external_id": user.external_id}


def _with_database(home: Path | None, do: "Callable[[Database, Settings], Awaitable[T]]") -> T:
    from automatos.entrypoints.cli.server import read_settings
    from automatos.kernel.db import Database

    settings, found = read_settings(home=home), list[T]()

    async def work(ground: "Ground") -> None:
        database = Database(ground.url, role=ground.role, pool_size=2)
        try:
            found.append(await do(database, settings))
        finally:
            await database.close()

    on_ground(home, work)
    return found[0]
