"""What clients send and get about settings."""

from datetime import datetime
from typing import Annotated

from pydantic import Field, JsonValue

from automatos.kernel.schemas import Body, Out
from automatos.settings.types import SettingScope, ValueType


class SettingWrite(Body):
    """A new value; `scope` is "workspace" unless a system admin sets it for the whole server.

    A setting keeps the type it has: another one has to be said with `value_type`.
    """

    value: JsonValue
    value_type: ValueType | None = None
    scope: SettingScope = SettingScope.WORKSPACE


class SettingsWrite(Body):
    """New values of one category, by key; all of them are saved, or none. What holds already is left as it is."""

    values: Annotated[dict[str, JsonValue], Field(max_length=50)]
    scope: SettingScope = SettingScope.WORKSPACE


class Setting(Out):
    """One setting with its value, its type and whose it is."""

    category: str
    key: str
    value: JsonValue
    value_type: ValueType
    scope: SettingScope
    updated_by: str = Field(description="Who wrote it last; empty while nobody did.")
    updated_at: datetime | None


class SettingValues(Out):
    """What holds in a workspace of one category, by key: its own value, else the server's."""

    category: str
    values: dict[str, JsonValue]


class SettingList(Out):
    """The settings a workspace has or inherits; where both exist, the workspace's wins."""

    items: list[Setting]
    total: int


class KnownSetting(Out):
    """A setting this server reads: what it is for, and what it may hold; null where there is no bound or default."""

    category: str
    key: str
    value_type: ValueType
    description: str
    default: JsonValue
    minimum: float | None
    maximum: float | None
    options: list[JsonValue] | None
    is_read: bool = Field(description="False where the part of the product that will read it does not exist yet.")


class SettingCategory(Out):
    """A category of settings this server knows."""

    name: str
    description: str
    is_read: bool


class SettingCatalogue(Out):
    """Every setting this server knows; a category that is not listed is free to hold anything."""

    items: list[KnownSetting]
    total: int
    categories: list[SettingCategory]
