"""Commands about credentials: types, list, get, create, edit, delete, test, uses."""

from typing import Annotated, Any

import typer

from automatos.cli import completion
from automatos.cli.asking import Manner
from automatos.cli.changes import made
from automatos.cli.client import Client
from automatos.cli.console import Exit, misuse, put, put_json, put_table, say
from automatos.cli.figures import cost
from automatos.cli.finding import CREDENTIAL, find
from automatos.cli.options import Json, NoInput, Tags, Yes
from automatos.cli.pages import put_fields, say_rest, short_time
from automatos.cli.secrets import ask_field, ask_missing, find_type, given_values

app = typer.Typer()
Named = Annotated[str, typer.Argument(
    help="The credential's name or id.", metavar="CREDENTIAL", autocompletion=completion.credentials)]
Plain = Annotated[
    list[str] | None, typer.Option("--set", "-s", metavar="FIELD=VALUE", help="A field that is no secret; may be "
                                   "repeated."),
]
ValueFiles = Annotated[
    list[str] | None, typer.Option("--value-file", metavar="FIELD=FILE", help="A field from a file, - is standard "
                                   "input; may be repeated."),
]
ValueVariables = Annotated[
    list[str] | None, typer.Option("--value-env", metavar="FIELD=VARIABLE", help="A field from the environment; may be "
                                   "repeated."),
]
Environment = Annotated[str | None, typer.Option(help="production, staging or development.")]
Expiry = Annotated[str | None, typer.Option("--expires", help="When it stops counting, such as 2030-01-31T00:00Z.")]
COLUMNS = ("name", "type", "environment", "state", "hint", "test", "last_used")
FIELDS = ("id", "name", "type", "provider", "environment", "state", "description", "tags", "expires_at", "test",
          "test_message", "last_tested_at", "last_used_at", "created_by", "created_at", "updated_at")
USES = ("at", "what", "by", "ok", "model", "tokens", "cost", "message")


@app.command("types")
def list_types(
    kind: Annotated[str | None, typer.Argument(help="One type, to see its fields.", metavar="TYPE")] = None,
    as_json: Json = False,
) -> None:
    """List the types of credentials, or the fields of one."""

    client = Client()
    if kind is None:
        page = client.get("/api/credentials/types")
        if as_json:
            put_json(page)
        else:
            put_table(page["items"], ("name", "display_name", "category", "provider", "description"),
                      spare=("display_name", "category"))
        return
    found = find_type(client, kind)
    if as_json:
        put_json(found)
        return
    required = found["schema"].get("required", [])
    put_table(({"field": name, "secret": bool(field.get("x-secret")), "required": name in required,
                "about": field.get("description") or field.get("title")}
               for name, field in found["schema"]["properties"].items()), ("field", "secret", "required", "about"))


@app.command("list")
def list_credentials(as_json: Json = False) -> None:
    """List the workspace's credentials; no secret is shown."""

    page = Client().get("/api/credentials")
    if as_json:
        put_json(page)
        return
    put_table(map(_row, page["items"]), COLUMNS, spare=("last_used", "hint"))
    say_rest(page, "credentials", "automatos credential create NAME --type TYPE")


@app.command("get")
def get_credential(credential: Named, as_json: Json = False) -> None:
    """Show one credential; its secret fields only as set or not."""

    found = find(Client(), CREDENTIAL, credential)
    if as_json:
        put_json(found)
        return
    put_fields(found | _row(found), FIELDS)
    put("")
    put_table(({"field": name, "value": _field(field)} for name, field in found["fields"].items()), ("field", "value"))


@app.command("create")
def create_credential(
    *, name: Annotated[str, typer.Argument(help="What to call it.")],
    kind: Annotated[str, typer.Option("--type", "-t", help="Its type, or the model provider it opens; see types.")],
    plain: Plain = None, files: ValueFiles = None, variables: ValueVariables = None, environment: Environment = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None, tag: Tags = None,
    expires: Expiry = None, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Store a credential, sealed. What its type needs and no option gives is asked for, unseen."""

    client = Client()
    found = find_type(client, kind)
    data = ask_missing(found, given_values(found, plain, files, variables), Manner(as_json, no_input=no_input))
    given = {"environment": environment, "description": description, "tags": tag or None, "expires_at": expires}
    credential = client.post("/api/credentials", {"name": name, "credential_type": found["name"], "data": data} |
                             {field: value for field, value in given.items() if value is not None})
    made(credential, f"credential {credential['name']!r} is stored; try it with: automatos credential test "
                     f"{credential['name']!r}", as_json=as_json)


@app.command("edit")
def edit_credential(
    *, credential: Named, plain: Plain = None, files: ValueFiles = None, variables: ValueVariables = None,
    ask: Annotated[
        list[str] | None, typer.Option("--ask", metavar="FIELD", help="A field to type anew; may be repeated.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None, environment: Environment = None,
    description: Annotated[str | None, typer.Option(help="What it is for.")] = None, tag: Tags = None,
    expires: Expiry = None,
    active: Annotated[bool | None, typer.Option("--on/--off", help="Whether it is used.")] = None,
    yes: Yes = False, no_input: NoInput = False, as_json: Json = False,
) -> None:
    """Change a credential; fields that no option names stay sealed as they are."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, CREDENTIAL, credential)
    kind = find_type(client, found["credential_type"])
    data, fields = given_values(kind, plain, files, variables), kind["schema"]["properties"]
    for field in ask or ():
        if field not in fields:
            misuse(f"{kind['name']} has no field {field!r}", f"its fields: {', '.join(fields)}")
        data[field] = ask_field(field, fields[field], manner)
    given = {"name": name, "environment": environment, "description": description, "tags": tag or None,
             "expires_at": expires, "is_active": active, "data": data or None}
    body = {field: value for field, value in given.items() if value is not None}
    if not body:
        misuse("there is nothing to change", "give --ask FIELD, --set FIELD=VALUE or another option; see --help")
    manner.agree(f"Change {', '.join([*data, *(field for field in body if field != 'data')])} of credential "
                 f"{found['name']!r}?")
    saved = client.put(f"/api/credentials/{found['id']}", body)
    manner.tell(saved, f"credential {saved['name']!r} is saved")


@app.command("delete")
def delete_credential(credential: Named, yes: Yes = False, no_input: NoInput = False, as_json: Json = False) -> None:
    """Delete a credential; calls that begin afterwards no longer use it."""

    client, manner = Client(), Manner(as_json, yes, no_input)
    found = find(client, CREDENTIAL, credential)
    manner.agree(f"Delete credential {found['name']!r}?")
    client.delete(f"/api/credentials/{found['id']}")
    manner.tell({"id": found["id"], "deleted": True}, f"credential {found['name']!r} is deleted")


@app.command("test")
def try_credential(credential: Named, as_json: Json = False) -> int:
    """Try a credential where it belongs. Exit code 1 when it does not open."""

    client = Client()
    result = client.post(f"/api/credentials/{find(client, CREDENTIAL, credential)['id']}/test")
    if as_json:
        put_json(result)
    else:
        say(f"{result['status']}: {result['message']}")
        for model in result["models"]:
            put(model)
    return Exit.OK if result["status"] == "passed" else Exit.FAILED


@app.command("uses")
def list_uses(
    credential: Named, limit: Annotated[int, typer.Option(min=1, max=200)] = 50,
    cursor: Annotated[str | None, typer.Option(help="Go on after this entry.")] = None, as_json: Json = False,
) -> None:
    """List who changed a credential and what it was used for, newest first."""

    client = Client()
    page = client.get(f"/api/credentials/{find(client, CREDENTIAL, credential)['id']}/audit", limit=limit,
                      cursor=cursor)
    if as_json:
        put_json(page)
        return
    put_table(({
        "at": short_time(each["at"]), "what": each["action"], "ok": each["succeeded"], "model": each["model_id"],
        "by": each["actor"] or (f"agent {each['agent_id']}" if each["agent_id"] else None),
        "tokens": each["total_tokens"], "cost": cost(each["cost_usd"]) if each["kind"] == "use" else None,
        "message": each["message"],
    } for each in page["items"]), USES, spare=("message", "tokens", "cost"))
    if page["next_cursor"]:
        say(f"there is more; go on with --cursor {page['next_cursor']}")


def _row(credential: dict[str, Any]) -> dict[str, Any]:
    state = next((word for word, is_so in (
        ("off", not credential["is_active"]), ("expired", credential["is_expired"]),
        ("unreadable", not credential["is_readable"])) if is_so), "on")
    return {"name": credential["name"], "type": credential["credential_type"], "state": state,
            "environment": credential["environment"], "hint": credential["hint"],
            "test": credential["test_status"], "last_used": short_time(credential["last_used_at"])}


def _field(field: dict[str, Any]) -> str:
    if not field["is_set"]:
        return "-"
    if not field["is_secret"]:
        return str(field["value"])
    return f"set ({field['hint']})" if field["hint"] else "set"
