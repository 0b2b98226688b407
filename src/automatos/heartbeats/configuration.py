"""A heartbeat's configuration as its row keeps it, and its schedule."""

import hashlib
from datetime import timedelta
from typing import Any

import orjson

from automatos.heartbeats.models import Heartbeat
from automatos.heartbeats.schedule import Schedule
from automatos.heartbeats.schemas import HeartbeatSettings
from automatos.heartbeats.types import Hours

TASK = frozenset({"prompt", "checklist", "watch", "auto_act"})
"""What an agent is told to do."""
TIMING = frozenset({
    "enabled", "interval_minutes", "inherit_active_hours", "active_hours_start", "active_hours_end", "timezone",
})
"""When it is to do it."""


def settings_of(row: Heartbeat | None) -> HeartbeatSettings:
    """Read a heartbeat's configuration; without a row it is what is assumed."""
    return HeartbeatSettings.model_validate({**row.config, "enabled": row.is_enabled}) if row else HeartbeatSettings()


def stored(settings: HeartbeatSettings) -> dict[str, Any]:
    """Return a configuration as the row keeps it, beside its switch."""
    return settings.model_dump(mode="json", exclude={"enabled"})


def merged(before: HeartbeatSettings, body: HeartbeatSettings) -> HeartbeatSettings:
    """Return a configuration with what a request names put over what was there."""
    return before.model_copy(update={name: getattr(body, name) for name in body.model_fields_set})


def task_digest(settings: HeartbeatSettings) -> str:
    """Return a text that stays the same as long as the agent is told to do the same."""
    told = settings.model_dump(mode="json", include=set(TASK))
    return hashlib.sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


def timing_of(settings: HeartbeatSettings) -> dict[str, Any]:
    """Return what of a configuration says when beats are due."""
    return settings.model_dump(include=set(TIMING))


def schedule_of(row: Heartbeat, settings: HeartbeatSettings, hours: Hours | None) -> Schedule:
    """Return when a heartbeat is due; without hours, around the clock."""
    return Schedule(row.anchor_at, timedelta(minutes=settings.interval_minutes), hours)
