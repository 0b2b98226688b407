"""The built-in tools as data: one YAML file each, with the JSON Schema of what it takes."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry

from automatos.tools.types import Effect, HandedTool, JsonObject

FOREIGN_VALIDATOR = extend(Draft202012Validator, {"pattern": None, "patternProperties": None})
"""Checks against schemas that others wrote: their regular expressions could take forever, so they are not run."""


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A built-in tool: its name, what it is for, what it takes, and the longest one call may last."""

    name: str
    description: str
    parameters: JsonObject
    effect: Effect
    deadline_s: float
    validator: Validator


@cache
def definitions() -> dict[str, ToolDefinition]:
    """Return every built-in tool by name, in alphabetical order, its schema compiled once."""
    folder = files(__package__ or "automatos.tools").joinpath("specs")
    found = [_read(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml")]
    return {tool.name: tool for tool in sorted(found, key=lambda tool: tool.name)}


def handed_definition(tool: HandedTool) -> ToolDefinition:
    """Return a handed-down tool as the built-in ones are; its schema may point nowhere outside itself."""
    spec = tool.spec
    return ToolDefinition(
        spec.name, spec.description, spec.parameters, tool.effect, tool.deadline_s,
        FOREIGN_VALIDATOR(spec.parameters, registry=Registry()),
    )


def _read(text: str) -> ToolDefinition:
    spec: dict[str, Any] = yaml.safe_load(text)
    Draft202012Validator.check_schema(spec["parameters"])
    return ToolDefinition(
        name=spec["name"], description=" ".join(spec["description"].split()), parameters=spec["parameters"],
        effect=Effect(spec["effect"]), deadline_s=float(spec["deadline_s"]),
        validator=Draft202012Validator(spec["parameters"]),
    )
