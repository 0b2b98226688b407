"""What clients send and get about personas."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from automatos.kernel.schemas import Body, Out, SingleLine
from automatos.kernel.tokens import estimate_tokens
from automatos.personas.types import PersonaScope, PersonaSource

MAX_PROMPT = 100_000
MAX_TAGS = 50
MAX_MODELS = 20
NOT_NULL = ("name", "description", "system_prompt", "voice_description", "category", "tags", "suggested_models",
            "is_active")
WORKED_OUT = ("token_estimate", "agents_count")


def _says_something(text: str) -> str:
    if not text.strip():
        raise ValueError("is blank; write what the agent shall read")
    return text


def _normal_tags(tags: list[str]) -> list[str]:
    """Return tags lower-cased, trimmed, split on commas and without repeats, in order."""
    split = (tag.strip().lower() for text in tags for tag in text.split(","))
    return list(dict.fromkeys(tag for tag in split if tag))


def _without_repeats(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))


QueryText = Annotated[str, Field(max_length=200)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), SingleLine]
Category = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100), SingleLine]
Description = Annotated[str, Field(max_length=2000)]
Prompt = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT), AfterValidator(_says_something)]
Voice = Annotated[str, Field(max_length=500)]
Tags = Annotated[
    list[Annotated[str, Field(max_length=100), SingleLine]], Field(max_length=MAX_TAGS), AfterValidator(_normal_tags),
    Field(max_length=MAX_TAGS),
]
Temperature = Annotated[float, Field(ge=0, le=2, strict=True)]
ModelNames = Annotated[
    list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
                   SingleLine]],
    Field(max_length=MAX_MODELS), AfterValidator(_without_repeats),
]
Switch = Annotated[bool, Field(strict=True)]


class PersonaCreate(Body):
    """A new voice of the workspace; its slug is made from its name."""

    name: Name
    description: Description = ""
    system_prompt: Prompt
    voice_description: Voice = ""
    category: Category = "Custom"
    tags: Tags = Field(default_factory=list)
    suggested_temperature: Temperature | None = None
    suggested_models: ModelNames = Field(default_factory=list)
    is_active: Switch = True


class PersonaUpdate(Body):
    """What to change; fields left out stay, and so does the slug."""

    name: Name | None = None
    description: Description | None = None
    system_prompt: Prompt | None = None
    voice_description: Voice | None = None
    category: Category | None = None
    tags: Tags | None = None
    suggested_temperature: Temperature | None = None
    suggested_models: ModelNames | None = None
    is_active: Switch | None = None

    @model_validator(mode="after")
    def _no_field_is_emptied(self) -> Self:
        for field in NOT_NULL:
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null; leave it out to keep it")
        return self

    def changes(self) -> dict[str, Any]:
        """Return the fields that the body names, with their values."""
        return self.model_dump(exclude_unset=True)


class Persona(Out):
    """A voice with its whole text; an agent without a temperature of its own takes the suggested one.

    `agents_count` is how many agents of the workspace speak with it; deleting it leaves them without a persona.
    """

    id: UUID
    slug: str
    name: str
    description: str
    system_prompt: str
    voice_description: str
    category: str
    tags: list[str]
    suggested_temperature: float | None
    suggested_models: list[str]
    source: PersonaSource
    scope: PersonaScope
    workspace_id: UUID | None
    is_active: bool
    token_estimate: int = Field(description="Tokens of the system prompt, estimated.")
    agents_count: int
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: object, agents_count: int) -> Self:
        """Return a row of the table as clients get it, with what is not stored in it."""
        stored = {name: getattr(row, name) for name in cls.model_fields if name not in WORKED_OUT}
        return cls(**stored, token_estimate=estimate_tokens(stored["system_prompt"]), agents_count=agents_count)


class Personas(Out):
    """One page of the library, and every category that the page could be narrowed to."""

    items: list[Persona]
    total: int
    skip: int
    limit: int
    categories: list[str]
