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
