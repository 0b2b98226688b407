"""Conditions: texts in CEL that say yes or no to what a run was given and what its earlier steps gave.

The language has no loops here. Its five macros (`map`, `filter`, `exists`, `exists_one`, `all`) and `+` on texts and
lists cost the square of their data in the library, a minute for thirty thousand items, and a condition is asked while
the run's row is locked. What is left costs what it reads, once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from automatos.runs.errors import ConditionFailed, ConditionInvalid

if TYPE_CHECKING:
    from cel import Program

MAX_CHARS = 500
"""The library calls itself for each level of an expression: chains of some thousands end the process."""
NAMES = frozenset({"input", "steps", "item", "index"})
OPERATORS = frozenset({"_&&_", "_||_", "!_", "_?_:_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in", "_[_]",
                       "-_", "_-_", "_*_", "_/_", "_%_"})
FUNCTIONS = frozenset({"size", "contains", "startsWith", "endsWith", "int", "double"})
TOKEN = re.compile(r"""(?P<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<word>\w+)|(?P<other>//|.)""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Condition:
    """A compiled condition. `names` are the values it asks for (of NAMES), `reads` the steps among them."""

    source: str
    names: frozenset[str]
    reads: frozenset[str]
    program: "Program" = field(repr=False, compare=False)

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Say whether it is true of these values.

        Raises:
            ConditionFailed: they lack what it asks for, are of another type, or its answer is neither true nor false.
        """
        try:
            answer = self.program.execute({name: values[name] for name in self.names if name in values})
        except Exception as error:  # the library raises seven kinds, one for each thing that can be wrong with a value
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            missing = isinstance(error, KeyError)
            why = f"there is no {reason} in what it reads; ask for it with `has(...)` first" if missing else reason
            raise ConditionFailed(f"The condition `{self.source}` has no answer: {why}") from error
        if not isinstance(answer, bool):
            raise ConditionFailed(f"The condition `{self.source}` gave a {type(answer).__name__}. "
                                  "Compare it with something, so that it is true or false.")
        return answer


@lru_cache(maxsize=1024)
def compile_condition(source: str) -> Condition:
    """Return the condition that a text says; what was compiled lately is kept.

    Raises:
        ConditionInvalid: it is no CEL, too long, or uses what conditions do not have here.
    """
    if len(source) > MAX_CHARS:
        raise ConditionInvalid(f"has {len(source)} characters; a condition has at most {MAX_CHARS}")
    reads = _steps_in(source)
    try:
        program: Program = _library().compile(source)
    except ValueError as error:
        raise ConditionInvalid(_told(str(error))) from None
    if unknown := sorted(set(program.functions()) - OPERATORS - FUNCTIONS):
        raise ConditionInvalid(_why_refused(unknown))
    names = frozenset(program.variables())
    if unknown := sorted(names - NAMES):
        raise ConditionInvalid(f"{unknown[0]!r} is unknown; there are `input.NAME`, `steps.KEY.output`, "
                               "`steps.KEY.status` and, inside a for-each, `item` and `index`")
    return Condition(source, names, reads, program)


def _why_refused(functions: list[str]) -> str:
    if {"_+_", "@not_strictly_false"} & set(functions):
        return "conditions have no `+` and no loops (`exists`, `all`, `map`, `filter`); `x in list` finds a value"
    return f"{functions[0]!r} is no function of conditions; there are {', '.join(sorted(FUNCTIONS))} and `has`"


def _steps_in(source: str) -> frozenset[str]:
    """Return the keys of the steps a condition reads; all are written out, so that they are known before a run."""
    tokens = [token for token in TOKEN.finditer(source) if not token[0].isspace()]
    found = set[str]()
    for place, token in enumerate(tokens):
        before = tokens[place - 1] if place else None
        if token[0] == "//":
            raise ConditionInvalid("comments (`//`) have no place in a condition")
        if token["text"] and before and before.end() == token.start() and (before["text"] or before["word"]):
            raise ConditionInvalid("texts stand in plain quotes, without r, b or three of them; set a space before")
        if token[0] == "steps" and (not before or before[0] != "."):
            found.add(_key_after(tokens[place + 1 : place + 4]))
    return frozenset(found)


def _key_after(tokens: list[re.Match[str]]) -> str:
    """Return the key in `.KEY` or `["KEY"]`."""
    match [token[0] for token in tokens]:
        case [".", key, *_] if tokens[1]["word"]:
            return key
        case ["[", key, "]"] if tokens[1]["text"] and "\\" not in key:
            return key[1:-1]
        case _:
            raise ConditionInvalid("`steps` is read by a key that is written out: `steps.KEY.output` or "
                                   "`steps[\"KEY\"].output`")


def _told(message: str) -> str:
    """Return the first complaint of the library's parser with its place, without its list of tokens."""
    if "Recursion limit" in message:
        return "cannot be read: its brackets stand too deep in each other"
    found = re.search(r"ERROR: <input>:(\d+):(\d+): (?:Syntax error: )?(.*?)(?: expecting .*)?$", message, re.MULTILINE)
    return f"cannot be read at line {found[1]}, column {found[2]}: {found[3]}" if found else "cannot be read as CEL"


@cache
def _library() -> Any:
    """Load the library at the first condition: it brings a terminal with it, a tenth of a second at every start."""
    return import_module("cel")
