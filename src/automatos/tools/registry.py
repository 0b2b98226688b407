"""The built-in tools as data: one YAML file each, with the JSON Schema of what it takes."""

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator
from jsonschema.validators import extend
from referencing import Registry

from automatos.kernel.shipped import parse_shipped
from automatos.tools.errors import ToolRefused
from automatos.tools.types import Effect, HandedTool, JsonObject

MAX_CHECKS = 20_000
"""How many keywords of a schema that others wrote are looked at for one call, whatever the schema repeats."""
UNCHECKED = ("pattern", "patternProperties", "uniqueItems")
"""Keywords of theirs that are not looked at: one of them alone could take forever."""

_left: ContextVar[Iterator[int]] = ContextVar("left")


@contextmanager
def bounded() -> Generator[None]:
    """Give the checks inside the block their number; those against schemas of others are refused when it is used up."""
    token = _left.set(iter(range(MAX_CHECKS)))
    try:
        yield
    except RecursionError:
        raise ToolRefused("invalid_arguments", "The tool's schema refers to itself without end; it cannot be called. "
                                               "Go on without it.") from None
    finally:
        _left.reset(token)


def _counted(check: Callable[..., Any], *given: Any) -> Any:
    if next(_left.get(), None) is None:
        raise ToolRefused("invalid_arguments", f"The arguments take more than {MAX_CHECKS:,} checks. Send less.")
    return check(*given)


def _unchecked(*_: object) -> None:
    return None


FOREIGN_VALIDATOR = extend(
    Draft202012Validator,
    {word: partial(_counted, check) for word, check in Draft202012Validator.VALIDATORS.items()}
    | dict.fromkeys(UNCHECKED, _unchecked))
"""Checks against schemas that others wrote, so many at most: it happens between all other work of the process."""


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
        FOREIGN_VALIDATOR(_in_our_dialect(spec.parameters), registry=Registry()),
    )


def _in_our_dialect(schema: Any) -> Any:
    """Return a schema whose parts do not name a dialect: each would be checked by that one's rules, not by ours."""
    if isinstance(schema, dict):
        parts: dict[str, Any] = schema
        return {name: _in_our_dialect(part) for name, part in parts.items()
                if name != "$schema" or not isinstance(part, str)}
    if isinstance(schema, list):
        listed: list[Any] = schema
        return [_in_our_dialect(part) for part in listed]
    return schema


def _read(text: str) -> ToolDefinition:
    spec: dict[str, Any] = parse_shipped(text)
    Draft202012Validator.check_schema(spec["parameters"])
    return ToolDefinition(
        name=spec["name"], description=" ".join(spec["description"].split()), parameters=spec["parameters"],
        effect=Effect(spec["effect"]), deadline_s=float(spec["deadline_s"]),
        validator=Draft202012Validator(spec["parameters"]),
    )
