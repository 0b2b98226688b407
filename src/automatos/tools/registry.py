"""The built-in tools as data: one YAML file each, with the JSON Schema of what it takes."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from automatos.tools.types import Effect, JsonObject


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A built-in tool: its name, what it is for, what it takes, and the longest one call may last."""

    name: str
    description: str
    parameters: JsonObject
    effect: Effect
    deadline_s: float
    validator: Draft202012Validator


@cache
def definitions() -> dict[str, ToolDefinition]:
    """Return every built-in tool by name, in alphabetical order, its schema compiled once."""
    folder = files(__package__ or "automatos.tools").joinpath("specs")
    found = [_read(file.read_text("utf-8")) for file in folder.iterdir() if file.name.endswith(".yaml")]
    return {tool.name: tool for tool in sorted(found, key=lambda tool: tool.name)}


def _read(text: str) -> ToolDefinition:
    spec: dict[str, Any] = yaml.safe_load(text)
    Draft202012Validator.check_schema(spec["parameters"])
    return ToolDefinition(
        name=spec["name"], description=" ".join(spec["description"].split()), parameters=spec["parameters"],
        effect=Effect(spec["effect"]), deadline_s=float(spec["deadline_s"]),
        validator=Draft202012Validator(spec["parameters"]),
    )
