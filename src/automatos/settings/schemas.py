"""What clients send and get about settings."""

from datetime import datetime

from pydantic import Field, JsonValue

from automatos.kernel.schemas import Body, Out
from automatos.settings.types import SettingScope, ValueType


class SettingWrite(Body):
    """A new value; `scope` is "workspace" unless a system admin sets it for the whole server."""

    value: JsonValue
    scope: SettingScope = SettingScope.WORKSPACE


class Setting(Out):
    """One setting with its value, its type and whose it is."""

    category: str
    key: str
    value: JsonValue
    value_type: ValueType
    scope: SettingScope
    updated_by: str = Field(description="Who wrote it last.")
    updated_at: datetime


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


class SettingCategory(Out):
    """A category of settings this server reads."""

    name: str
    description: str


class SettingCatalogue(Out):
    """Every setting this server reads; a category that is not listed is free to hold anything."""

    items: list[KnownSetting]
    total: int
    categories: list[SettingCategory]
