"""Starting a recipe from the command line: text turned into the inputs it declares."""

import json
import sys
from pathlib import Path
from typing import Any

from automatos.cli.client import Client
from automatos.cli.console import CommandFailed, misuse
from automatos.cli.documents import as_text, read_text_file
from automatos.client import part


def start(client: Client, template_id: str, inputs: list[str], key: str | None = None) -> dict[str, Any]:
    """Queue one run of a recipe and return the server's answer; `inputs` are NAME=VALUE."""
    body = {"input_data": _given(client, template_id, inputs)}
    headers = {"Idempotency-Key": key} if key else {}
    return client.call("POST", f"/api/workflow-recipes/{part(template_id)}/execute", body=body, headers=headers).body


def fork(client: Client, run_id: str, from_step: str, inputs: list[str]) -> dict[str, Any]:
    """Queue a run that begins at a step of an earlier one; `inputs` (NAME=VALUE) are those that are to be others."""
    given: dict[str, Any] = {}
    if inputs and (template_id := client.get(f"/api/runs/{part(run_id)}")["recipe_id"]):
        given = _given(client, template_id, inputs)
    return client.post(f"/api/runs/{part(run_id)}/fork", {"from_step": from_step, "input_data": given})


def _given(client: Client, template_id: str, inputs: list[str]) -> dict[str, Any]:
    """Return inputs as values of the types that the recipe declares."""
    given = dict(_split(each) for each in inputs)
    declared = client.get(f"/api/workflow-recipes/{part(template_id)}")["inputs"] if given else {}
    return {name: _value(name, text, declared.get(name, {}).get("type", "string")) for name, text in given.items()}


def _split(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        misuse(f"{text!r} is no input", "write -i NAME=VALUE, -i NAME=@FILE, or -i NAME=@- for standard input")
    return name, _read(name, value[1:]) if value.startswith("@") else value


def _read(name: str, source: str) -> str:
    try:
        if source == "-":
            return as_text(sys.stdin.buffer.read(), "standard input")
        return read_text_file(Path(source))
    except CommandFailed as failure:
        raise CommandFailed(f"input {name}: {failure.what}", *failure.next_steps,
                            "to send a text that begins with @, put it into a file") from failure


def _value(name: str, text: str, kind: str) -> Any:
    """Turn text into a value of the declared type; the server checks it again."""
    if kind == "string":
        return text
    try:
        return json.loads(text)
    except ValueError:
        return misuse(f"input {name} must be a JSON {kind}", f"for example -i {name}={EXAMPLES.get(kind, 'null')}")


EXAMPLES = {"number": "0.5", "integer": "3", "boolean": "true", "array": '\'["a","b"]\'', "object": '\'{"a":1}\''}
