"""What a recipe gives: the outputs it declares, made of its steps' answers when all have ended, and checked.

An output is the answer of the step that `from` names, or else of the step whose `output_key` bears its name, or else
the last answer: of an answer that is a JSON object, the member of its name.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from automatos.recipes.definition import fits, is_named_by
from automatos.recipes.types import JsonObject, Step
from automatos.runtime.service import storable

MAX_CHARACTERS = 10_000_000
"""All outputs together; one answer may be needed for several of them."""
_BLOCK = re.compile(r"```[A-Za-z0-9]*[^\S\n]*\n(?P<inside>.*)\n[^\S\n]*+```", re.DOTALL)
_NOTHING = object()


def produce(
    declared: Mapping[str, Mapping[str, Any]], answers: Sequence[tuple[Step, str | None]]
) -> tuple[JsonObject, list[str]]:
    """Return the outputs by name, and what is wrong with those that could not be made.

    `answers` are those of all steps in order; None for a step that was skipped. Its output is null, and a fault only
    where the output is required.
    """
    made: JsonObject = {}
    faults: list[str] = []
    room = MAX_CHARACTERS
    for name, spec in declared.items():
        answer = _answer(name, spec.get("from"), answers)
        room -= len(answer or "")
        if room < 0:
            faults.append(f"{name}: the outputs together are longer than {MAX_CHARACTERS:,} characters")
            break
        if answer is None:
            made[name] = None
            if spec.get("required"):
                faults.append(f"{name}: is required, and its step was skipped")
            continue
        is_own = spec.get("from") is not None or any(name == step.output_key for step, _ in answers)
        value = _value(answer, spec.get("type", "string"), None if is_own else name)
        if value is _NOTHING:
            faults.append(f"{name}: the answer is no {spec.get('type', 'string')}")
        else:
            made[name] = value
    return made, faults


def _answer(name: str, source: str | None, answers: Iterable[tuple[Step, str | None]]) -> str | None:
    last: str | None = None
    for step, answer in answers:
        if is_named_by(source, step) if source else step.output_key == name:
            return answer
        last = answer if answer is not None else last
    return None if source else last


def _value(answer: str, type_name: str, member: str | None) -> object:
    """Read an answer as a type; with `member` an object's member of that name is meant, if there is one."""
    if type_name == "string" and member is None:
        return answer
    found = _read(answer)
    if member is not None and isinstance(found, dict) and member in found:
        found = found[member]
    elif type_name == "string":
        return answer
    return _without_unstorable(found) if fits(found, type_name) else _NOTHING


def _read(answer: str) -> Any:
    """Read JSON as models write it: bare, or as one block of code."""
    block = _BLOCK.fullmatch(answer.strip())
    text = (block["inside"] if block else answer).strip()
    try:
        return orjson.loads({"True": "true", "False": "false"}.get(text, text))
    except orjson.JSONDecodeError:
        return _NOTHING


def _without_unstorable(value: Any) -> Any:
    """Leave out what PostgreSQL cannot hold and JSON can escape; an answer's nesting is bounded by its reader."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list):
        return [_without_unstorable(one) for one in value]
    if isinstance(value, dict):
        return {storable(name): _without_unstorable(one) for name, one in value.items()}
    return value
