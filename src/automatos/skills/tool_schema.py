"""Tools that a skill declares in its tools.json: an extension of ours to the Agent Skills format.

The file holds a list of {name, description, parameters, command}: `parameters` is the JSON Schema of the arguments,
`command` a Python or shell script under scripts/.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any, cast

import orjson
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from automatos.skills.types import JsonObject

FILE = "tools.json"
MAX_TOOLS = 32
MAX_BYTES = 256_000
MAX_DEPTH = 16
MAX_PARTS = 2_000
MAX_NAME_CHARS = 64
NAME = re.compile(r"[a-z0-9_]{1,64}")
FIELDS = ("name", "description", "parameters", "command")
ENDINGS = (".py", ".sh")
REFUSED_KEYWORDS = frozenset({"$dynamicRef", "$recursiveRef", "patternProperties", "$id"})


def tool_name(skill: str, tool: str) -> str:
    """Return the name by which a model calls a skill's tool."""
    return f"{skill}__{tool}"


def read_tools(content: bytes, skill: str, files: Collection[str]) -> tuple[list[JsonObject], list[str]]:
    """Return the tools that a tools.json declares and every fault of it; with a fault there are no tools."""
    if len(content) > MAX_BYTES:
        return [], [f"{FILE} is longer than {MAX_BYTES} bytes."]
    try:
        found: Any = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        return [], [f"{FILE} is not JSON: {error}."]
    if not isinstance(found, list) or len(cast("list[Any]", found)) > MAX_TOOLS:
        return [], [f"{FILE} must be a list of at most {MAX_TOOLS} tools."]
    tools = cast("list[Any]", found)
    if _parts(tools) > MAX_PARTS:
        return [], [f"{FILE} has more than {MAX_PARTS} parts (objects and lists) in all."]
    faults = [fault for place, tool in enumerate(tools, 1) for fault in _faults(place, tool, skill, files)]
    names = [str(tool.get("name")) for tool in tools if isinstance(tool, dict)]
    faults += [f"{FILE}: the name {name!r} is used twice." for name in sorted({n for n in names if names.count(n) > 1})]
    return ([], faults) if faults else (tools, [])


def _faults(place: int, tool: Any, skill: str, files: Collection[str]) -> Iterator[str]:
    where = f"{FILE}: tool {place}"
    if not isinstance(tool, dict) or set(cast("Mapping[str, Any]", tool)) != set(FIELDS):
        yield f"{where} must have exactly the fields {', '.join(FIELDS)}."
        return
    name, description = tool["name"], tool["description"]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        yield f"{where}: name must be 1 to 64 lower-case letters, digits and underscores."
    elif not skill.isascii() or len(tool_name(skill, name)) > MAX_NAME_CHARS:
        yield (f"{where}: {tool_name(skill, name)!r}, as models will call it, must be plain ASCII of at most "
               f"{MAX_NAME_CHARS} characters.")
    if not isinstance(description, str) or not 0 < len(description.strip()) <= 1024:
        yield f"{where}: description must be text of 1 to 1024 characters."
    yield from (f"{where}: {fault}" for fault in _schema_faults(tool["parameters"]))
    yield from (f"{where}: {fault}" for fault in _command_faults(tool["command"], files))


def _schema_faults(schema: Any) -> Iterator[str]:
    if not isinstance(schema, dict) or cast("Mapping[str, Any]", schema).get("type") != "object":
        yield "parameters must be a JSON Schema with type object."
        return
    if fault := _refused(schema):
        yield f"parameters: {fault}."
        return
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        yield f"parameters is not a JSON Schema: {error.message[:200]}."
    except (RecursionError, OverflowError):
        yield "parameters: a pattern in it is too deep or repeats too often."


def _parts(whole: Any) -> int:
    """Count the objects and lists in something, itself included: checking each takes time."""
    waiting, count = [whole], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict | list):
            count += 1
            inner: Any = part
            waiting += inner.values() if isinstance(inner, dict) else inner
    return count


def _refused(part: Any, depth: int = 1) -> str | None:
    """Return what in a schema is not taken: what points outside of it, or could keep the server busy for long."""
    if depth > MAX_DEPTH:
        return f"it is nested deeper than {MAX_DEPTH} levels"
    if isinstance(part, dict):
        fields = cast("Mapping[str, Any]", part)
        if found := sorted(REFUSED_KEYWORDS & set(fields)):
            return f"{', '.join(found)} cannot be used"
        if "$ref" in fields and not str(fields["$ref"]).startswith("#"):
            return "$ref may only point inside the schema (#...)"
        inner = list(fields.values())
    else:
        inner = cast("list[Any]", part) if isinstance(part, list) else []
    return next((fault for each in inner if (fault := _refused(each, depth + 1))), None)


def _command_faults(command: Any, files: Collection[str]) -> Iterator[str]:
    if not isinstance(command, str) or not command.startswith("scripts/") or not command.endswith(ENDINGS):
        yield f"command must be the path of a script under scripts/ that ends in {' or '.join(ENDINGS)}."
    elif command not in files:
        yield f"command: the skill has no file {command[:200]!r}."
