"""What clients send and get about credentials; a secret goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, JsonValue, SecretStr, StringConstraints, model_validator

from automatos.credentials.types import CredentialLevel, Environment, WireChoice
from automatos.kernel.schemas import Body, Out, SingleLine

MAX_TAGS = 20


def _normal_tags(value: object) -> object:
    """Lower-case and trim tags and drop repeats; what is no list of texts is left for the field to refuse."""
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):  # pyright: ignore[reportUnknownVariableType]
        return value  # pyright: ignore[reportUnknownVariableType]
    tags: list[str] = value
    return list(dict.fromkeys(tag.strip().lower() for tag in tags if tag.strip()))


Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), SingleLine]
TypeName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
ProviderName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
BaseUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000)]
Tags = Annotated[
    list[Annotated[str, StringConstraints(max_length=50), SingleLine]], BeforeValidator(_normal_tags),
    Field(max_length=MAX_TAGS)]
Values = Annotated[dict[str, JsonValue], Field(max_length=50)]
"""The fields of a credential by name, as its type describes them."""


class _Contents(Body):
    """What a credential holds: the values of a type's fields, or in short the key of a model provider."""

    credential_type: TypeName | None = None
    data: Values | None = Field(None, repr=False)
    provider: ProviderName | None = None
    value: SecretStr = Field(SecretStr(""), max_length=4000)
    base_url: BaseUrl | None = None
    wire: WireChoice | None = Field(None, description="What the address speaks: Chat Completions, Responses or "
                                                      "Messages; auto, the default, finds out.")

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.credential_type is None) == (self.provider is None):
            raise ValueError("give credential_type with data, or in short provider with value, base_url and wire")
        if self.credential_type is not None and {"value", "base_url", "wire"} & self.model_fields_set:
            raise ValueError("value, base_url and wire belong to the short form with provider; put them into data")
        if self.provider is not None and self.data is not None:
            raise ValueError("data belongs to credential_type; with provider give value, base_url and wire")
        return self


class CredentialCreate(_Contents):
    """A new credential: `credential_type` with `data`, or in short `provider` with `value`, `base_url` and `wire`.

    `value` is the key itself and may be empty for providers that need none.
    """

    name: Name
    environment: Environment = Environment.PRODUCTION
    description: Description = ""
    tags: Tags = Field(default_factory=list)
    expires_at: AwareDatetime | None = None


class CredentialTry(_Contents):
    """A credential to try before it is saved, in either form."""


class CredentialUpdate(Body):
    """What changes of a credential; what is left out stays. `data` replaces the fields it names, null empties one."""

    name: Name | None = None
    environment: Environment | None = None
    description: Description | None = None
    tags: Tags | None = None
    expires_at: AwareDatetime | None = None
    is_active: bool | None = None
    data: Values | None = Field(None, repr=False)


class CredentialField(Out):
    """One field of a stored credential; `value` is there only where the type says that the field is no secret."""

    is_secret: bool
    is_set: bool
    value: JsonValue = None
    hint: str = Field("", description="The end of a long secret, to tell keys apart.")


class Credential(Out):
    """A stored credential; `hint` is the end of its main secret."""

    id: UUID
    name: str
    credential_type: str
    provider: str | None
    base_url: str | None
    environment: Environment
    description: str
    tags: list[str]
    fields: dict[str, CredentialField]
    is_readable: bool = Field(description="False when no key of this server opens it; enter its fields again.")
    is_active: bool
    expires_at: datetime | None
    is_expired: bool = Field(description="An expired credential is not used.")
    created_by: str
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None
    last_tested_at: datetime | None
    test_status: str
    test_message: str
    hint: str


class CredentialList(Out):
    """The credentials of a workspace."""

    items: list[Credential]
    total: int


class CredentialTest(Out):
    """What came of trying a credential; `models` names some of the models a provider offers."""

    status: Literal["passed", "failed"]
    message: str
    models: list[str]
    tested_at: datetime


class CredentialType(Out):
    """A kind of credential; `schema` is a JSON Schema (2020-12) of its fields, `x-secret` marks those never shown."""

    name: str
    display_name: str
    category: str
    description: str
    provider: str | None = Field(description="The model provider it opens, if it opens one.")
    json_schema: dict[str, Any] = Field(serialization_alias="schema")
    can_be_tested: bool
    documentation_url: str | None


class CredentialTypeList(Out):
    """Every type of credential, and the categories they come in."""

    items: list[CredentialType]
    total: int
    categories: list[str]


class ResolutionLook(Out):
    """One place that was looked at for a credential, and what was found there."""

    level: CredentialLevel
    sought: str
    outcome: str


class CredentialResolution(Out):
    """Which credential a provider is opened with, by which of the six levels, and where it was looked for."""

    provider: str
    environment: Environment
    source: Literal["workspace", "environment", "none"]
    level: CredentialLevel | None
    credential_id: UUID | None
    credential_name: str | None
    is_readable: bool
    looks: list[ResolutionLook]
