"""Words of this room: providers, and the secret that opens one."""

from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

Wire = Literal["openai", "anthropic", "demo"]
SecretSource = Literal["workspace", "environment", "none"]


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider of models: which wire it speaks, where, and where its key may come from.

    `key_setting` and `url_setting` name fields of the server's settings. `is_local` providers are made to run on
    one's own machine or network, so their base URL may be a private address.
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
    is_local: bool = False
    limit_field: str = "max_tokens"
    stream_usage: bool = True
    default_model: str | None = None


@dataclass(frozen=True, slots=True)
class Secret:
    """What opens a provider: its key and address; `allow_private` says whether the address may be a private one."""

    provider: Provider
    value: str = field(repr=False)
    base_url: str
    source: SecretSource
    allow_private: bool
    credential_id: UUID | None = None
