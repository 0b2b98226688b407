"""Base classes of what clients send and get."""

import re
from decimal import Decimal
from functools import reduce
from math import isfinite
from operator import or_
from types import UnionType
from typing import Annotated, Any, ClassVar, TypedDict, Union, get_args, get_origin
from unicodedata import category

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, GetJsonSchemaHandler, create_model, model_validator
from pydantic.functional_serializers import PlainSerializer
from pydantic_core import CoreSchema

MAX_DEPTH, MAX_UNKNOWN = 32, 100
_HALF = re.compile("[\ud800-\udfff]")
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that make text read in another order than it is stored; the marks that Hebrew and Arabic need are not."""


def _refuse_unstorable(value: Any, depth: int = 0) -> None:
    """Refuse what PostgreSQL or a JSON reader cannot hold: NUL, lone surrogates, huge numbers, bottomless nesting."""
    if depth > MAX_DEPTH:
        raise ValueError(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, str):
        if "\x00" in value:
            raise ValueError("contains a NUL character")
        if not value.isascii() and _HALF.search(value):
            raise ValueError("contains a lone surrogate")
    elif isinstance(value, int | float):
        _refuse_huge(value, depth)
    elif isinstance(value, dict):
        for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]
            _refuse_unstorable(key, depth + 1)
            _refuse_unstorable(item, depth + 1)
    elif isinstance(value, (list, tuple)):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            _refuse_unstorable(item, depth + 1)


def _refuse_huge(value: float, depth: int) -> None:
    """Fields of the body itself are checked, and named, by their types; only what is deeper may be free JSON."""
    if depth > 1 and isinstance(value, float) and not isfinite(value):
        raise ValueError("contains a number that is not finite")
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise ValueError("contains a whole number beyond 64 bits")


def single_line(text: str) -> str:
    """Refuse what no name may hold: line breaks, control characters, and those that turn the order of letters."""
    if any(category(ch) in {"Cc", "Zl", "Zp"} for ch in text):
        raise ValueError("contains a line break or another control character")
    if not BIDI_CONTROLS.isdisjoint(text):
        raise ValueError("contains a character that changes the direction of text, so that it would be misread")
    return text


SingleLine = AfterValidator(single_line)
"""For names: one line that reads as it is stored."""


class Body(BaseModel):
    """A request body: unknown fields, NUL characters, lone surrogates and NaN are refused."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    array_field: ClassVar[str | None] = None
    """The field that a bare JSON array stands for, where the address takes one instead of the object."""

    @model_validator(mode="before")
    @classmethod
    def _storable(cls, data: Any) -> Any:
        if isinstance(data, dict) and len(data) > len(cls.model_fields) + MAX_UNKNOWN:  # pyright: ignore[reportUnknownArgumentType]
            raise ValueError(f"holds {len(data):,} fields, and {len(cls.model_fields)} are known")  # pyright: ignore[reportUnknownArgumentType]
        _refuse_unstorable(data)
        return {cls.array_field: data} if cls.array_field and isinstance(data, list) else data

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        if cls.array_field is None:
            return handler(core_schema)
        own = {name: value for name, value in schema.items() if name not in {"title", "description"}}
        return {"title": schema.get("title"), "description": schema.get("description"),
                "anyOf": [own, {"type": "array", **own["properties"][cls.array_field]}]}


class Out(BaseModel):
    """A response body, read from rows or objects by attribute; its description says that all its fields are there.

    Each is built when the first answer needs it: building all of them is a fifth of loading the application.
    """

    model_config = ConfigDict(from_attributes=True, json_schema_serialization_defaults_required=True, defer_build=True)


def answer_like(body: type[Body]) -> type[Out]:
    """Return the answer with a body's fields and their titles; what a client wrote was checked as it came.

    A body inside it becomes an answer too, named after it: `ResourceLimits` gives `ResourceLimitsOut`.
    """
    fields: dict[str, Any] = {
        name: (_unchecked(field.annotation), Field(
            None if field.default is None else ..., title=field.title, description=field.description,
            json_schema_extra=field.json_schema_extra))
        for name, field in body.model_fields.items()
    }
    return create_model(f"{body.__name__}Out", __base__=Out, __doc__=body.__doc__, __module__=body.__module__, **fields)


def _unchecked(annotation: Any) -> Any:
    """Return a type without the ranges and checks that stand in it."""
    if isinstance(annotation, type) and issubclass(annotation, Body):
        return answer_like(annotation)
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _unchecked(parts[0])
    if origin is list:
        return list[_unchecked(parts[0])]
    return reduce(or_, map(_unchecked, parts)) if origin in {Union, UnionType} else annotation


def micro_to_text(micro_usd: int | None) -> str | None:
    """Write integer micro-dollars as a decimal string of dollars; unknown stays None."""
    return None if micro_usd is None else f"{Decimal(micro_usd) / 1_000_000:.6f}"


Money = Annotated[int | None, PlainSerializer(micro_to_text, return_type=str | None)]
"""Integer micro-dollars inside, a decimal string of dollars (or null, unknown) outside."""


class Costs(Out):
    """What calls to models cost: `cost_usd` is the whole, null while the price of any call is unknown.

    `known_cost_usd` is the sum of those whose price is known, and `unpriced_calls` counts the others.
    """

    cost_usd: Money
    known_cost_usd: Money
    unpriced_calls: int


def costs(known_micro_usd: int, unpriced_calls: int) -> dict[str, int | None]:
    """Return the fields of `Costs` for a sum and the count of what it lacks."""
    return {"cost_usd": None if unpriced_calls else known_micro_usd, "known_cost_usd": known_micro_usd,
            "unpriced_calls": unpriced_calls}


class CostsAsText(TypedDict):
    """The fields of `Costs` as events hold them: dollars as text."""

    cost_usd: str | None
    known_cost_usd: str | None
    unpriced_calls: int


def costs_as_text(known_micro_usd: int, unpriced_calls: int) -> CostsAsText:
    """Return the costs of a sum and of the count of what it lacks."""
    return {"cost_usd": None if unpriced_calls else micro_to_text(known_micro_usd),
            "known_cost_usd": micro_to_text(known_micro_usd), "unpriced_calls": unpriced_calls}
