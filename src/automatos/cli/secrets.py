"""The fields of a credential, gathered without a secret ever standing on a command line."""

import os
from collections.abc import Iterable
from typing import Any

from automatos.cli.asking import Manner, ask_secret
from automatos.cli.changes import read_text, read_value
from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse

Assignments = Iterable[str] | None


def find_type(client: Client, wanted: str) -> dict[str, Any]:
    """Return a type of credentials by its name, or by the model provider it opens."""
    types = client.get("/api/credentials/types")["items"]
    found = next((each for each in types if each["name"] == wanted), None) or \
        next((each for each in types if each["provider"] == wanted), None)
    if found is None:
        near = [each["name"] for each in types if wanted.casefold() in each["name"]]
        raise CommandFailed(f"there is no type of credentials {wanted!r}",
                            f"did you mean: {', '.join(near[:5])}" if near else
                            "list them with: automatos credential types")
    return found


def given_values(
    kind: dict[str, Any], plain: Assignments, files: Assignments, variables: Assignments
) -> dict[str, Any]:
    """Return the fields that options name: plain ones as they stand, others from files and the environment.

    Raises:
        CommandFailed: there is no such field, or a secret stands on the command line.
    """
    fields = kind["schema"]["properties"]
    values = dict[str, Any]()
    for name, value in _pairs(plain, fields, kind):
        if fields[name].get("x-secret"):
            misuse(f"{name} is secret, and others can read a command line",
                   f"give --value-file {name}=FILE (- is standard input) or --value-env {name}=VARIABLE")
        values[name] = value if fields[name].get("type") == "string" else read_value(value)
    for name, source in _pairs(files, fields, kind):
        values[name] = _typed(fields[name], read_text(source).removesuffix("\n").removesuffix("\r"))
    for name, variable in _pairs(variables, fields, kind):
        if not os.environ.get(variable):
            raise CommandFailed(f"the variable {variable} is not set or empty", f"it is to hold {name}")
        values[name] = _typed(fields[name], os.environ[variable])
    return values


def _typed(field: dict[str, Any], text: str) -> Any:
    return text if field.get("type", "string") == "string" else read_value(text)


def _pairs(assignments: Assignments, fields: dict[str, Any], kind: dict[str, Any]) -> Iterable[tuple[str, str]]:
    for text in assignments or ():
        name, equals, value = text.partition("=")
        if not equals:
            misuse("a field and its source are written FIELD=SOURCE")  # the text may be a secret: it is not repeated
        if name not in fields:
            misuse(f"{kind['name']} has no field {name!r}", f"its fields: {', '.join(fields)}")
        yield name, value


def ask_missing(kind: dict[str, Any], values: dict[str, Any], manner: Manner) -> dict[str, Any]:
    """Return the values with those that the type requires and nobody gave, typed at the terminal."""
    fields = kind["schema"]["properties"]
    asked = {name: ask_field(name, fields[name], manner)
             for name in kind["schema"].get("required", []) if name not in values}
    return values | {name: value for name, value in asked.items() if value != ""}


def ask_field(name: str, field: dict[str, Any], manner: Manner) -> Any:
    """Return one field as somebody types it; a secret is not shown."""
    if field.get("x-secret"):
        return ask_secret(name, manner)
    if not manner.may_ask:
        misuse(f"{name} is missing and nobody can be asked for it", f"give --set {name}=VALUE")
    return _typed(field, input(f"{name}: ").strip())
