"""Words of this package: providers, environments, the secret that opens a provider, and how it was found."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum
from typing import Literal, Protocol, Self
from uuid import UUID

from automatos.kernel.secret import Secret

Wire = Literal["openai", "responses", "anthropic", "demo"]
OPENAI_WIRES: frozenset[Wire] = frozenset({"openai", "responses"})
"""The wires of servers that are compatible with OpenAI's."""
WireChoice = Literal["auto", "chat", "responses", "messages"]
CHOSEN_WIRES: dict[str, Wire] = {"chat": "openai", "responses": "responses", "messages": "anthropic"}
"""What a credential may say that its address speaks, beside "auto", which leaves it to the provider and the model."""
SecretSource = Literal["workspace", "environment", "none"]
HINT_TOPIC = "credentials"


class Environment(StrEnum):
    """Which of its environments a workspace keeps a credential for."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"


class CredentialLevel(IntEnum):
    """The six places a secret is looked for, in this order."""

    EXPLICIT_NAME = 1
    NAME = 2
    TYPE = 3
    NAME_VARIANT = 4
    OTHER_ENVIRONMENT = 5
    ENVIRONMENT_VARIABLE = 6


class ChosenNames(Protocol):
    """The names of credentials that the settings of a workspace choose."""

    def name_for(self, provider: str, service: str) -> str | None:
        """Return the name chosen for a provider by the part of the product that asks, or None."""
        ...


NameReader = Callable[[UUID], Awaitable[ChosenNames]]
"""Reads what the settings of a workspace choose."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of models: which wire it speaks, where, and where its key may come from.

    `key_setting` and `url_setting` name fields of the server's settings. `is_local` providers are made to run on
    one's own machine or network, so their base URL may be a private address. `may_lack_key` says that a server of one's
    own, at the address in `url_setting`, is asked without a key where there is none. `call_id_pattern` is what an id of
    a tool call must match. `credential_about` says what a credential of it is; without, there are none of its own.
    `published_as` is its name in the published list of prices, `cache_write_factor` what writing to its cache costs
    against plain input, as a decimal. `traced_as` is its name in traces, where that is another. `model_prefixes` begin
    names of models that it alone makes; a router reaches those of many, named `maker/model`. `is_wire_chosen` says that
    a credential chose the wire: no other one is tried.
    """

    name: str
    display_name: str
    wire: Wire
    base_url: str | None = None
    env_variable: str | None = None
    key_setting: str | None = None
    url_setting: str | None = None
    key_header: str | None = None
    needs_key: bool = True
    may_lack_key: bool = False
    is_local: bool = False
    limit_field: str = "max_tokens"
    stream_usage: bool = True
    call_id_pattern: str | None = None
    default_model: str | None = None
    type_name: str | None = None
    credential_about: str | None = None
    credential_page: str | None = None
    published_as: str | None = None
    traced_as: str | None = None
    cache_write_factor: str = "1"
    model_prefixes: tuple[str, ...] = ()
    is_router: bool = False
    is_wire_chosen: bool = False

    @property
    def credential_type(self) -> str:
        """The type of credential that opens it."""
        return self.type_name or f"{self.name}_api"

    def speaking(self, chosen: str | None) -> Self:
        """Return this provider as an address of it that speaks the chosen wire; itself where none is chosen."""
        wire = CHOSEN_WIRES.get(chosen or "")
        if wire is None:
            return self
        base_url = self.base_url.removesuffix("/v1") if self.base_url and wire == "anthropic" else self.base_url
        return replace(self, wire=wire, base_url=base_url, is_wire_chosen=True)


@dataclass(frozen=True, slots=True)
class ProviderAccess:
    """What opens a provider: its key and address; `allow_private` says whether the address may be a private one."""

    provider: Provider
    key: Secret
    base_url: str
    source: SecretSource
    allow_private: bool
    credential_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SearchedPlace:
    """One place that was looked at for a secret, and what was found there, in words."""

    level: CredentialLevel
    sought: str
    outcome: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Which secret a provider would be opened with, and every place that was looked at for it; no value."""

    provider: str
    environment: Environment
    source: SecretSource
    level: CredentialLevel | None = None
    credential_id: UUID | None = None
    credential_name: str | None = None
    is_readable: bool = True
    looks: tuple[SearchedPlace, ...] = ()
