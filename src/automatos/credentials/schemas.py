"""What clients send and get about credentials; a secret goes in and never comes out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, SecretStr, StringConstraints

from automatos.kernel.schemas import Body, Out

Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ProviderName = Annotated[str, StringConstraints(min_length=1, max_length=100)]
BaseUrl = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class CredentialCreate(Body):
    """A new credential; `value` is the key itself and may be empty for providers that need none."""

    name: Name
    provider: ProviderName
    value: SecretStr = Field(SecretStr(""), max_length=4000)
    base_url: BaseUrl | None = None


class CredentialTry(Body):
    """A key to try before it is saved."""

    provider: ProviderName
    value: SecretStr = Field(SecretStr(""), max_length=4000)
    base_url: BaseUrl | None = None


class Credential(Out):
    """A stored credential; `hint` is the end of its value."""

    id: UUID
    name: str
    provider: str
    base_url: str | None
    is_active: bool
    created_by: str
    created_at: datetime
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
    """What a provider said to a key; `models` names some of the models it offers."""

    status: Literal["passed", "failed"]
    message: str
    models: list[str]
    tested_at: datetime
