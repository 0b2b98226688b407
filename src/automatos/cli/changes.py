"""Changing a thing: fields from options and files, shown as a difference before they are saved."""

import sys
from collections.abc import Collection, Iterable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

from automatos.cli.asking import Manner
from automatos.cli.client import Client
from automatos.cli.console import misuse, put, put_json, say
from automatos.cli.documents import MAX_BYTES, as_text, read_document, read_text_file
from automatos.cli.figures import trimmed
from automatos.cli.machine import on_machine

WIDTH = 100


def read_fields(
    file: Path | None, assignments: Iterable[str] | None, over: dict[str, Any] | None = None
) -> dict[str, Any]:
    """Return the fields of a file, laid over those of `over`, with those of `--set` laid over both."""
    fields = deepcopy(over or {}) | (read_document(file) if file else {})
    for text in assignments or ():
        path, value = _split(text)
        _assign(fields, path, value)
    return fields


def _split(text: str) -> tuple[list[str], Any]:
    name, equals, value = text.partition("=")
    path = name.split(".")
    if not equals or not all(path):
        misuse(f"{text!r} sets no field", "write --set FIELD=VALUE, --set FIELD.PART=VALUE or --set FIELD=@FILE")
    return path, read_text(value[1:]) if value.startswith("@") else read_value(value)


def read_value(text: str) -> Any:
    """Return a value as YAML reads it: `3` is a number, `true` a truth, `[a, b]` a list, what is no YAML a text."""

    try:
        found = on_machine("read_documents", text)
    except ValueError:
        return text
    return found[0] if found else text


def read_text(source: str) -> str:
    """Return the text of a file; `-` is standard input."""
    if source == "-":
        return as_text(sys.stdin.buffer.read(), "standard input")
    return read_text_file(Path(source), MAX_BYTES)


def _assign(fields: dict[str, Any], path: list[str], value: Any) -> None:
    *parents, last = path
    place = fields
    for name in parents:
        inside = place.setdefault(name, {})
        if not isinstance(inside, dict):
            misuse(f"{'.'.join(path)} cannot be set: {name} holds a value")
        place = inside
    place[last] = value


def differences(
    before: Any, after: Any, path: str = "", whole: Collection[str] = ()
) -> Iterator[tuple[str, Any, Any]]:
    """Yield what `after` would change: path, old value, new value.

    What it leaves out stays as it is, but goes where it is inside a field of `whole`.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        gone = before.keys() - after.keys() if path.partition(".")[0] in whole else ()
        for name, value in {**after, **dict.fromkeys(gone)}.items():
            yield from differences(before.get(name), value, f"{path}.{name}" if path else str(name), whole)
    elif before != after:
        yield path, before, after


def say_differences(changes: Iterable[tuple[str, Any, Any]]) -> None:
    """Tell what changes, two lines a field."""
    for path, before, after in changes:
        say(path)
        say(f"  - {written(before)}")
        say(f"  + {written(after)}")


def written(value: Any) -> str:
    """Write a value in one line, as YAML would take it."""
    import json

    return trimmed(value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False), WIDTH)


def save(
    client: Client, path: str, current: dict[str, Any], wanted: dict[str, Any], manner: Manner, *,
    version: int | None = None, name: str = "", whole: Collection[str] = (),
) -> dict[str, Any]:
    """Save the fields that differ, once they were shown and agreed to, and return the thing as it is now.

    Fields of `whole` are replaced and not changed in part.

    Raises:
        Refused: the server does not take it, or somebody else saved since `version`.
    """
    changes = list(differences(current, wanted, whole=whole))
    if not changes:
        manner.tell(current, f"{name or 'it'} is that way already; nothing was changed")
        return current
    say_differences(changes)
    manner.agree(f"Save {name or 'this'}?")
    saved = client.put(path, wanted, version=version)
    manner.tell(saved, f"{name or 'it'} is saved" + (f" as version {saved['version']}" if "version" in saved else ""))
    return saved


def made(thing: dict[str, Any], said: str, *, as_json: bool, known_by: str = "id") -> None:
    """Write a thing that was made: what it is known by as data, the rest as talk."""
    if as_json:
        put_json(thing)
    else:
        put(str(thing[known_by]))
        say(said)
