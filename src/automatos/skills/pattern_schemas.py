"""What clients send and get about patterns."""

from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from automatos.kernel.schemas import Body, Out, SingleLine
from automatos.skills.types import PatternType

MAX_DATA_BYTES = 50_000
MAX_DEPTH = 8


def _readable(data: dict[str, JsonValue]) -> dict[str, JsonValue]:
    if len(orjson.dumps(data)) > MAX_DATA_BYTES:
        raise ValueError(f"is longer than {MAX_DATA_BYTES} bytes of JSON")
    if _depth(data) > MAX_DEPTH:
        raise ValueError(f"is nested more than {MAX_DEPTH} deep")
    return data


def _depth(value: JsonValue) -> int:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inside), default=0) if isinstance(value, (dict, list)) else 0


PatternName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), SingleLine]
PatternData = Annotated[dict[str, JsonValue], AfterValidator(_readable)]
Description = Annotated[str, Field(max_length=4000)]


class PatternCreate(Body):
    """A new pattern of the workspace; its slug is made from its name."""

    name: PatternName
    description: Description = ""
    pattern_type: PatternType
    pattern_data: PatternData = Field(default_factory=dict[str, JsonValue])


class PatternUpdate(Body):
    """What to change; fields left out stay, and so does the slug."""

    name: PatternName | None = None
    description: Description | None = None
    pattern_type: PatternType | None = None
    pattern_data: PatternData | None = None


class Pattern(Out):
    """A way in which agents work together."""

    slug: str
    name: str
    description: str
    pattern_type: PatternType
    pattern_data: dict[str, Any]
    scope: Literal["global", "workspace"]
    version: int
    prompt: str = Field(description="Its words as a section of a prompt; `pattern` of a task puts them there.")
    created_by: str
    created_at: datetime
    updated_at: datetime


class PatternList(Out):
    """The patterns that came with the product, and the workspace's own."""

    items: list[Pattern]
    total: int
