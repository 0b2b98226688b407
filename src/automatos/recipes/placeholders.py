"""Placeholders in prompts: `{input.NAME}`, `{output_key}`, `{previous_output}`, `{step_N_output}`.

Only these names are ever replaced, once; what is put in is data and is not looked at again. Doubled braces around such
a name, `{{input.topic}}`, stand for the name in single ones, and so does a backslash before it, whatever the name:
`\\{anything}`. All other braces are left as they are written: those of JSON, of Jinja, of `${{ secrets.TOKEN }}`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_NAME = r"[A-Za-z_][A-Za-z0-9_.\-]*"
_TOKEN = re.compile(
    rf"(?<!\{{)\{{\{{\{{(?P<wrapped>{_NAME})\}}\}}\}}(?!\}})|\{{\{{(?P<doubled>{_NAME})\}}\}}|\\\{{(?P<escaped>{_NAME})\}}"
    rf"|\{{(?P<name>{_NAME})\}}")
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
        if name := match["name"] or match["wrapped"]:
            start = match.start() + (2 if match["wrapped"] else 0)
            line += template.count("\n", seen, start)
            line_start = template.rfind("\n", seen, start) + 1 or line_start
            seen = start
            yield Placeholder(name, line, start - line_start + 1)


class TooLong(ValueError):
    """What a template would become is longer than is taken; nothing was built."""

    def __init__(self, size: int) -> None:
        super().__init__(f"{size} characters")
        self.size = size


def fill(template: str, values: Mapping[str, str], *, limit: int | None = None) -> str:
    """Return the template with every placeholder replaced by its value; lengths are added up before it is built.

    Raises:
        KeyError: a name has no value; validation at save makes that impossible for a stored recipe.
        TooLong: it would have more characters than `limit`.
    """
    if limit is not None and (size := _filled_size(template, values)) > limit:
        raise TooLong(size)

    def put(match: re.Match[str]) -> str:
        if name := match["wrapped"]:
            return f"{{{values[name]}}}"
        if name := match["doubled"]:
            return f"{{{name}}}" if name in values else match[0]
        return f"{{{match['escaped']}}}" if match["escaped"] else values[match["name"]]

    return _TOKEN.sub(put, template)


def _filled_size(template: str, values: Mapping[str, str]) -> int:
    """Return how long a template becomes at most; braces that would go are counted as if they stayed."""
    names = (match["wrapped"] or match["name"] for match in _TOKEN.finditer(template))
    return len(template) + sum(len(values[name]) for name in names if name)
