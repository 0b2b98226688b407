"""The JSON Schemas of the tools in a request, for providers that do not take every keyword."""

from collections.abc import Iterator
from typing import Any

from automatos.llm.providers.references import OF_NAMES, REFERENCES, VALUES, inlined

KEYWORDS = frozenset({
    "additionalProperties", "$schema", "$id", "$comment", "$ref", "$defs", "definitions", "default", "examples",
    "title", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
    "exclusiveMaximum", "multipleOf", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties",
    "patternProperties", "propertyNames", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
    "unevaluatedItems", "contains", "minContains", "maxContains", "if", "then", "else", "not", "oneOf", "anyOf",
    "allOf", "const", "enum", "prefixItems", "readOnly", "writeOnly", "deprecated", "contentEncoding",
    "contentMediaType", "strict", "nullable",
})
"""Keywords that may be left out: what they ask of arguments is checked here when the tool is called."""
LIST_OF_TYPES = "type:list"
"""Stands for a `type` that is a list; where that is refused, the type that is not null is sent, or none."""
MAX_DEPTH = 32


def tool_schemas(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the schema of every tool, wherever the wire keeps it, and the tool's own `strict`."""
    tools: Any = body.get("tools")
    for tool in tools if isinstance(tools, list) else []:  # pyright: ignore[reportUnknownVariableType]
        if isinstance(tool, dict):
            holder: Any = tool.get("function") if isinstance(tool.get("function"), dict) else tool
            if "strict" in holder:
                yield {"strict": holder["strict"]}
            for key in ("parameters", "input_schema"):
                if isinstance(holder.get(key), dict):
                    yield holder[key]


def without_keywords(tools: Any, words: frozenset[str]) -> Any:
    """Return tools whose schemas lack some keywords; properties that are called like one stay.

    Where references are refused, what they refer to is written in their place.
    """
    if not isinstance(tools, list):
        return tools
    if words & REFERENCES:
        words |= REFERENCES
    return [_tool(tool, words) for tool in tools]  # pyright: ignore[reportUnknownVariableType]


def _tool(tool: Any, words: frozenset[str]) -> Any:
    if not isinstance(tool, dict):
        return tool
    written: dict[str, Any] = {key: value for key, value in tool.items() if not (key == "strict" and key in words)}
    if isinstance(written.get("function"), dict):
        written["function"] = _tool(written["function"], words)
    for key in ("parameters", "input_schema"):
        if isinstance(written.get(key), dict):
            schema = inlined(written[key]) if words >= REFERENCES else written[key]
            written[key] = _schema(schema, words, 0)
    return written


def _schema(schema: Any, words: frozenset[str], depth: int) -> Any:
    if depth > MAX_DEPTH:
        return schema
    if isinstance(schema, list):
        return [_schema(each, words, depth + 1) for each in schema]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(schema, dict):
        return schema
    written: dict[str, Any] = {}
    for key, value in schema.items():  # pyright: ignore[reportUnknownVariableType]
        if key == "const" and "const" in words and "enum" not in words:
            written["enum"] = [value]
        elif key == "type" and isinstance(value, list) and LIST_OF_TYPES in words:
            kinds = [kind for kind in value if kind != "null"]  # pyright: ignore[reportUnknownVariableType]
            written |= {"type": kinds[0]} if len(kinds) == 1 else {}  # pyright: ignore[reportUnknownArgumentType]
        elif key in words:
            continue
        elif key in OF_NAMES and isinstance(value, dict):
            written[key] = {name: _schema(each, words, depth + 1) for name, each in value.items()}  # pyright: ignore[reportUnknownVariableType]
        else:
            written[str(key)] = value if key in VALUES else _schema(value, words, depth + 1)  # pyright: ignore[reportUnknownArgumentType]
    return written
