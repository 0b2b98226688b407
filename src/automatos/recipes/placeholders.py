"""Placeholders in prompts: `{input.NAME}`, `{output_key}`, `{previous_output}`, `{step_N_output}`.

`{{` and `}}` are literal braces. Only these names are ever replaced, once; what is put in is data and is not looked at
again.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_TOKEN = re.compile(r"\{\{|\}\}|\{([A-Za-z_][A-Za-z0-9_.\-]*)\}")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_\-]*")
RESERVED = re.compile(r"previous_output|step_\d+_output|input(\..*)?")


@dataclass(frozen=True, slots=True)
class Placeholder:
    """A placeholder of a template and where it stands, counted from 1."""

    name: str
    line: int
    column: int


def find(template: str) -> Iterator[Placeholder]:
    """Yield the placeholders of a template in order."""
    line, line_start, seen = 1, 0, 0
    for match in _TOKEN.finditer(template):
        if name := match.group(1):
            line += template.count("\n", seen, match.start())
            line_start = template.rfind("\n", seen, match.start()) + 1 or line_start
            seen = match.start()
            yield Placeholder(name, line, match.start() - line_start + 1)


def fill(template: str, values: Mapping[str, str]) -> str:
    """Return the template with every placeholder replaced by its value.

    Raises KeyError for a name without a value; validation at save makes that impossible for a stored recipe.
    """

    def put(match: re.Match[str]) -> str:
        name = match.group(1)
        return values[name] if name else match.group(0)[0]

    return _TOKEN.sub(put, template)
