"""Words of heartbeats: how a beat ended, what is watched, when an agent is asked, the job of one beat."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Any, Literal
from zoneinfo import ZoneInfo

from automatos.durable.types import Job

HINT_TOPIC = "heartbeats"
BEAT = Job("heartbeats.beat")
MAX_RUNNING = 5
"""How many beats of one workspace may be with a model at the same time."""
TRIGGERED_BY_CLOCK = "heartbeat"

Severity = Literal["info", "warning", "critical"]


class BeatStatus(StrEnum):
    """How a beat stands; all but running are final."""

    RUNNING = "running"
    SUCCESS = "success"
    ERROR = "error"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


class Watch(StrEnum):
    """What of its workspace an agent can watch."""

    AGENTS = "agents"
    RECIPES = "recipes"
    RUNS = "runs"
    SKILLS = "skills"


class RunWhen(StrEnum):
    """Whether a due beat asks the model only when something changed, or each time."""

    CHANGED = "changed"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Hours:
    """The time of day in which beats happen, in a time zone; the same start and end mean the whole day."""

    start: time
    end: time
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing an agent reports."""

    check: str
    detail: str
    severity: Severity = "info"

    def stored(self) -> Mapping[str, Any]:
        """Return the finding as its row keeps it."""
        return {"check": self.check, "detail": self.detail, "severity": self.severity}
