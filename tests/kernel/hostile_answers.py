"""What a process that somebody has got hold of might answer."""

import os
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from automatos.kernel.errors import Problem
from automatos.skills.errors import GitRefused


@dataclass(frozen=True, slots=True)
class Plain:
    """A harmless record that nobody registered."""

    text: str


class Mood(Enum):
    """An enumeration that nobody registered."""

    GOOD = "good"


class OddProblem(Problem):
    """A problem that nobody registered."""


class _Call:
    def __init__(self, what: Any, *given: Any) -> None:
        self._reduced = what, given

    def __reduce__(self) -> Any:
        return self._reduced


def instance_of_ours() -> object:
    return Plain("x")


def class_of_ours() -> object:
    return Problem


def unknown_enumeration() -> object:
    return [Mood.GOOD]


def call_of_a_builtin() -> object:
    return _Call(bytearray, 10)


def call_of_ours() -> object:
    return _Call(os.getpid)


def unknown_problem() -> object:
    raise OddProblem("no")


def problem_that_lies() -> object:
    problem = GitRefused("no", headers={"Set-Cookie": "a=b"}, field="x")
    problem.__dict__ |= {"status": 200, "code": "fine", "title": "Fine"}
    raise problem


def slow_pid() -> int:
    time.sleep(0.3)
    return os.getpid()


def die_once(path: str) -> None:
    Path(f"{path}{os.getpid()}").mkdir()
    os._exit(1)
