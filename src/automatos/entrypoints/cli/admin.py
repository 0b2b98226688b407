"""Commands about system admins, for whoever has the server's machine: list, grant, revoke."""

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from automatos.entrypoints.cli.asking import Manner
from automatos.entrypoints.cli.console import put, put_json, say
from automatos.entrypoints.cli.database import on_ground
from automatos.entrypoints.cli.options import Json

if TYPE_CHECKING:
    from automatos.entrypoints.migrate import Ground
    from automatos.kernel.config import Settings
    from automatos.kernel.db import Database
    from automatos.workspaces.models import User

app = typer.Typer()
Home = Annotated[Path | None, typer.Option(help="Data directory [AUTOMATOS_HOME, ~/.automatos].")]
Who = Annotated[str, typer.Argument(help="Email address, account number, or id at the identity provider.")]
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
