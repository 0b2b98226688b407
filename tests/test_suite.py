"""What holds for the tests themselves: none of them passes or fails by how busy the machine is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent
CLOCKS = {"monotonic", "perf_counter", "monotonic_ns", "perf_counter_ns"}
TIMED = """
def test_it():
    began = time.monotonic()
    do()
    took = time.monotonic() - began
    assert took < 2
"""


def reads_clock(node: ast.AST, known: set[str]) -> bool:
    """Say whether an expression reads a clock that runs with the machine, or a name that holds such a reading."""
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in known:
            return True
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
            owner = ast.unparse(part.func.value)
            if part.func.attr in CLOCKS or (part.func.attr == "time" and "loop" in owner):
                return True
    return False


def assertions_on_time(text: str) -> Iterator[int]:
    """Return the lines of assertions that compare readings of the machine's clock."""
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        readings: set[str] = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and reads_clock(node.value, readings):
                readings |= {name.id for target in node.targets for name in ast.walk(target)
                             if isinstance(name, ast.Name)}
        for node in ast.walk(function):
            if isinstance(node, ast.Assert) and reads_clock(node.test, readings):
                yield node.lineno


def test_no_test_asserts_how_long_something_took() -> None:
    found = {f"{path.relative_to(ROOT.parent)}:{line}"
             for path in sorted(ROOT.rglob("*.py")) for line in assertions_on_time(path.read_text("utf-8"))}
    assert found == set()


@pytest.mark.parametrize("text", [
    TIMED, TIMED.replace("time.monotonic", "time.perf_counter"),
    TIMED.replace("time.monotonic", "asyncio.get_running_loop().time"),
])
def test_such_an_assertion_is_found(text: str) -> None:
    assert list(assertions_on_time(text)) == [6]
    assert list(assertions_on_time(text.replace("assert took < 2", "assert answer == 2"))) == []
