"""The hours that count for a heartbeat: its own, or those of its workspace's settings."""

from collections.abc import Mapping
from datetime import time
from typing import Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from automatos.heartbeats.errors import HoursUnreadable
from automatos.heartbeats.schemas import ActiveHours, HeartbeatSettings
from automatos.heartbeats.types import Hours
from automatos.kernel.db import Database
from automatos.settings.service import find_values
from automatos.settings.types import SettingScope

CATEGORY = "heartbeat"
DEFAULTS = {"active_hours_start": "08:00", "active_hours_end": "20:00", "timezone": "UTC"}


async def hours_of(database: Database, workspace_id: UUID, config: HeartbeatSettings) -> Hours:
    """Return the hours in which an agent's beats happen; raises HoursUnreadable."""
    return read_hours(config.model_dump() if not config.inherit_active_hours
                      else await _workspace_values(database, workspace_id))


async def workspace_hours(database: Database, workspace_id: UUID) -> Hours:
    """Return the hours of a workspace's settings; raises HoursUnreadable."""
    return read_hours(await _workspace_values(database, workspace_id))


async def show_hours(database: Database, workspace_id: UUID, config: HeartbeatSettings) -> ActiveHours | None:
    """Return the hours that count as people see them; None when the workspace's cannot be read."""
    source: Literal["agent", "workspace"] = "workspace" if config.inherit_active_hours else "agent"
    try:
        hours = await hours_of(database, workspace_id, config)
    except HoursUnreadable:
        return None
    return ActiveHours(start=f"{hours.start:%H:%M}", end=f"{hours.end:%H:%M}", timezone=hours.zone.key, source=source)


def read_hours(values: Mapping[str, Any]) -> Hours:
    """Read hours from values by name; raises HoursUnreadable, naming the value that means nothing."""
    return Hours(_clock(values, "active_hours_start"), _clock(values, "active_hours_end"), _zone(values))


async def _workspace_values(database: Database, workspace_id: UUID) -> dict[str, Any]:
    found = await find_values(database, workspace_id, CATEGORY)
    return DEFAULTS | found[SettingScope.SYSTEM] | found[SettingScope.WORKSPACE]


def _clock(values: Mapping[str, Any], name: str) -> time:
    written = str(values[name])
    try:
        hour, minute = written.split(":")
        return time(int(hour), int(minute))
    except ValueError as error:
        raise HoursUnreadable(
            f"The setting {CATEGORY}.{name} is {written[:40]!r}, which is no time of day such as 08:00.") from error


def _zone(values: Mapping[str, Any]) -> ZoneInfo:
    written = str(values["timezone"])
    try:
        return ZoneInfo(written)
    except (ValueError, OSError, ZoneInfoNotFoundError) as error:
        raise HoursUnreadable(
            f"The setting {CATEGORY}.timezone is {written[:64]!r}, no IANA time zone such as Europe/Berlin."
        ) from error
