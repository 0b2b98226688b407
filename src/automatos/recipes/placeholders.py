"""Placeholders in prompts: `{input.NAME}`, `{output_key}`, `{previous_output}`, `{step_N_output}`.

Only these names are ever replaced, once; what is put in is data and is not looked at again. Doubled braces around such
a name, `{{input.topic}}`, stand for the name in single ones, and so does a backslash before it, whatever the name:
`\\{anything}`. All other braces are left as they are written: those of JSON, of Jinja, of `${{ secrets.TOKEN }}`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

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


@lru_cache(128)
def cut(template: str) -> tuple[str, ...]:
    """Return a template in pieces: text and what is replaced by turns, text first and last; the latest used are kept.

    What is replaced is a name, or a name in doubled braces, which lose one of both where there is such a value.
    """
    pieces, text, seen = list[str](), "", 0
    for match in _TOKEN.finditer(template):
        text += template[seen:match.start()]
        seen = match.end()
        if name := match["escaped"]:
            text += f"{{{name}}}"
        elif name := match["wrapped"]:
            pieces += (text + "{", name)
            text = "}"
        else:
            pieces += (text, match["name"] or match[0])
            text = ""
    return (*pieces, text + template[seen:])
