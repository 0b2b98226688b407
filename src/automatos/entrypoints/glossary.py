"""What the words of the API mean, from `glossary.yaml`, put where an OpenAPI description says nothing itself."""

from typing import Any

from automatos.kernel.shipped import read_shipped

METHODS = ("get", "put", "post", "patch", "delete")


def read_glossary() -> dict[str, dict[str, Any]]:
    """Return the texts: `tags`, `parameters` and `fields` by name, `schemas` by the schema's name and the field's."""
    return read_shipped("automatos.entrypoints", "glossary.yaml")


def describe_words(description: dict[str, Any]) -> None:
    """Describe every tag, parameter and field that the routes and schemas leave without words.

    What a schema says of its field stays. A name that nobody explains stays without words; a test finds it.
    """
    words = read_glossary()
    description["tags"] = [{"name": name, "description": text} for name, text in words["tags"].items()]
    for name, schema in description["components"]["schemas"].items():
        own = words["schemas"].get(name, {})
        for field, shape in schema.get("properties", {}).items():
            _explain(shape, own.get(field) or words["fields"].get(field))
    for route in description["paths"].values():
        for method in METHODS:
            for parameter in route.get(method, {}).get("parameters", ()):
                _explain(parameter, words["parameters"].get(parameter["name"]))


def _explain(part: dict[str, Any], text: str | None) -> None:
    if text and "description" not in part:
        part["description"] = text
