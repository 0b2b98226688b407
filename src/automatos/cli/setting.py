"""Commands about settings: list, get, set, reset, catalogue."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.asking import Manner
from automatos.cli.changes import read_text, read_value, written
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse, put, put_json, put_table, say
from automatos.cli.options import Json
from automatos.cli.pages import short_time
from automatos.client import part

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="CATEGORY.KEY, such as orchestrator_llm.temperature.", metavar="SETTING", autocompletion=completion.settings)]
System = Annotated[bool, typer.Option("--system", help="For the whole server; for system admins.")]
COLUMNS = ("setting", "value", "scope", "changed", "by")
KNOWN = ("setting", "type", "default", "about")


@app.command("list")
def list_settings(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None, as_json: Json = False
) -> None:
    """List the settings that the workspace has or inherits."""

    items = [each for each in Client().get("/api/settings")["items"] if category in {None, each["category"]}]
    if as_json:
        put_json({"items": items, "total": len(items)})
        return
    put_table(({"setting": _name(each), "value": written(each["value"]), "scope": each["scope"],
                "changed": short_time(each["updated_at"]), "by": each["updated_by"]} for each in items), COLUMNS,
              spare=("by", "changed"))
    if not items:
        say("nothing is set; see what can be with: automatos setting catalogue")


@app.command("get")
def get_setting(setting: Named, as_json: Json = False) -> None:
    """Write the value of one setting, or its default where it is not set."""

    client = Client()
    found = _find(client, setting)
    if as_json:
        put_json(found)
    elif isinstance(found["value"], str):
        put(found["value"])
    else:
        put(written(found["value"]))


@app.command("set")
def set_setting(
    setting: Named, value: Annotated[str, typer.Argument(help="The value, as YAML; @FILE reads a text.")],
    system: System = False, as_json: Json = False,
) -> None:
    """Set a value for the workspace, or for the whole server."""

    wanted = read_text(value[1:]) if value.startswith("@") else read_value(value)
    if wanted is None:
        misuse("null is no value", "to take a setting away: automatos setting reset SETTING")
    _save(setting, wanted, system=system, as_json=as_json)


@app.command("reset")
def reset_setting(setting: Named, system: System = False, as_json: Json = False) -> None:
    """Take a value away, so that what is inherited counts again."""
    _save(setting, None, system=system, as_json=as_json)


@app.command("catalogue")
def list_known(
    category: Annotated[str | None, typer.Option(help="Only this category.")] = None, as_json: Json = False
) -> None:
    """List every setting that the server reads, with its type and default."""

    items = [each for each in Client().get("/api/settings/catalogue")["items"] if category in {None, each["category"]}]
    if as_json:
        put_json({"items": items, "total": len(items)})
        return
    put_table(({"setting": _name(each), "type": each["value_type"], "default": each["default"],
                "about": each["description"]} for each in items), KNOWN, spare=("type", "default", "about"))


def _name(setting: dict[str, Any]) -> str:
    return f"{setting['category']}.{setting['key']}"


def _address(setting: str) -> str:
    category, dot, key = setting.partition(".")
    if not dot or not category or not key:
        misuse(f"{setting!r} names no setting", "write CATEGORY.KEY; see them with: automatos setting catalogue")
    return f"/api/settings/{part(category)}/{part(key)}"


def _find(client: Client, setting: str) -> dict[str, Any]:
    """Return a setting as it counts for the workspace."""
    _address(setting)
    if found := _stored(client, setting):
        return found
    for each in client.get("/api/settings/catalogue")["items"]:
        if _name(each) == setting:
            return {"category": each["category"], "key": each["key"], "value": each["default"], "scope": "default"}
    raise CommandFailed(f"there is no setting {setting!r}", "see them with: automatos setting catalogue")


def _stored(client: Client, setting: str) -> dict[str, Any] | None:
    """Return a stored setting, the workspace's own before the server's."""
    same = [each for each in client.get("/api/settings")["items"] if _name(each) == setting]
    return min(same, key=lambda each: each["scope"] != "workspace", default=None)


def _save(setting: str, value: Any, *, system: bool, as_json: bool) -> None:
    client = Client()
    scope = "system" if system else "workspace"
    client.put(_address(setting), {"value": value, "scope": scope})
    now = _stored(client, setting)
    said = f"{setting} is {written(now['value'])} ({now['scope']})" if now else f"{setting} is not set"
    Manner(as_json).tell(now or {"value": None}, said)
