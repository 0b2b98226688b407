"""calculator: arithmetic by a small reader of its own; nothing is evaluated as code."""

import ast
import math
import operator
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

from automatos.tools.errors import ToolRefused
from automatos.tools.tool_deps import ToolDeps

Number = int | float
MAX_BITS = 4096
MAX_EXPONENT = 4096
CONSTANTS = MappingProxyType({"pi": math.pi, "e": math.e})
MAX_DIGITS = 300


def _round(number: Number, digits: object = 0) -> Number:
    """Round to some digits after (or, negative, before) the point; far more digits would take forever."""
    if not isinstance(digits, int) or abs(digits) > MAX_DIGITS:
        raise ValueError(digits)
    return round(number, digits) if digits else round(number)


FUNCTIONS: MappingProxyType[str, Callable[..., Any]] = MappingProxyType({
    "abs": abs, "round": _round, "min": min, "max": max, "sqrt": math.sqrt, "floor": math.floor, "ceil": math.ceil,
    "log": math.log, "log10": math.log10, "log2": math.log2, "exp": math.exp, "sin": math.sin, "cos": math.cos,
    "tan": math.tan,
})
OPERATORS: MappingProxyType[type[ast.operator], Callable[[Number, Number], Any]] = MappingProxyType({
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod, ast.Pow: operator.pow,
})


async def run(arguments: dict[str, Any], deps: ToolDeps) -> str:
    """Work out the expression."""
    del deps
    result = calculate(str(arguments["expression"]))
    return str(result) if isinstance(result, int) else format(result, ".15g")


def calculate(expression: str) -> Number:
    """Return the value of an arithmetic expression.

    Raises:
        ToolRefused: it is not arithmetic, has no real value, or grows beyond 4096 bits.
    """
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body)
    except ZeroDivisionError as error:
        raise _wrong("it divides by zero") from error
    except OverflowError as error:
        raise _wrong("the result is too large") from error
    except (SyntaxError, MemoryError, RecursionError) as error:
        raise _wrong("it is not an arithmetic expression") from error
    except (ValueError, TypeError) as error:
        raise _wrong("it has no real value, or a function has the wrong arguments") from error


def _value(node: ast.expr) -> Number:
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _checked(number)
        case ast.Name(id=name) if name in CONSTANTS:
            return CONSTANTS[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return _value(operand)
        case ast.BinOp(left=left, op=sign, right=right) if type(sign) in OPERATORS:
            return _combine(sign, _value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=[]) if name in FUNCTIONS:
            return _checked(FUNCTIONS[name](*(_value(argument) for argument in arguments)))
        case _:
            raise _wrong("only numbers, + - * / // % **, parentheses, pi, e and the listed functions are understood")


def _combine(sign: ast.operator, left: Number, right: Number) -> Number:
    """Apply an operator, refusing before the work is done what would grow too large."""
    if isinstance(sign, ast.Pow):
        if abs(right) > MAX_EXPONENT or (isinstance(left, int) and left.bit_length() * abs(right) > MAX_BITS):
            raise _wrong(f"the power is too large (results up to {MAX_BITS} bits are worked out)")
    elif isinstance(sign, ast.Mult) and isinstance(left, int) and isinstance(right, int):
        _checked_bits(left.bit_length() + right.bit_length())
    return _checked(OPERATORS[type(sign)](left, right))


def _checked(number: object) -> Number:
    if isinstance(number, int):
        _checked_bits(number.bit_length())
        return number
    if isinstance(number, float) and math.isfinite(number):
        return number
    raise _wrong("the result is not a finite real number")


def _checked_bits(bits: int) -> None:
    if bits > MAX_BITS:
        raise _wrong(f"a number in it is larger than {MAX_BITS} bits")


def _wrong(why: str) -> ToolRefused:
    return ToolRefused("invalid_arguments", f"expression: {why}.")
