"""Kinds, levels, where skills come from, and who uses them."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.kernel.confined import comes_back

HINT_TOPIC = "skills"
JsonObject = dict[str, Any]


@comes_back
class SkillKind(StrEnum):
    """What a skill improves: how an agent thinks, what it can do, how it talks."""

    COGNITIVE = "cognitive"
    TECHNICAL = "technical"
    COMMUNICATION = "communication"


@comes_back
class SkillCategory(StrEnum):
    """The field of work a skill belongs to."""

    DEVELOPMENT = "development"
    SECURITY = "security"
    INFRASTRUCTURE = "infrastructure"
    ANALYTICS = "analytics"
    DATA = "data"
    PERFORMANCE = "performance"
    AI = "ai"
    DOCUMENTATION = "documentation"
    SYSTEM = "system"
    MONITORING = "monitoring"


class Fitness(StrEnum):
    """How far a skill can be used: as the format asks, with notes on where it differs, or not at all."""

    CONFORMS = "conforms"
    USABLE = "usable"
    UNUSABLE = "unusable"


class SkillOrigin(StrEnum):
    """Where a skill came from: written by hand, an uploaded ZIP, a git repository, or the product itself."""

    MANUAL = "manual"
    UPLOAD = "upload"
    GIT = "git"
    SEED = "seed"


class SourceStatus(StrEnum):
    """Whether a source is kept in step: active, its last sync failed, or people switched it off."""

    ACTIVE = "active"
    ERROR = "error"
    INACTIVE = "inactive"


class SyncStatus(StrEnum):
    """How the last sync ended; partial means that some skills of the repository could not be taken."""

    SUCCESS = "success"
    PARTIAL = "partial"
    ERROR = "error"


class PatternType(StrEnum):
    """What a pattern settles: who does what, who tells whom, or how something is decided."""

    COORDINATION = "coordination"
    COMMUNICATION = "communication"
    DECISION = "decision"


class SkillLevel(IntEnum):
    """How much of a skill is loaded: what it is called and for, its instructions, one of its files."""

    METADATA = 1
    CORE = 2
    RESOURCE = 3


class FileKind(StrEnum):
    """What a file beside SKILL.md is for, by the folder it lies in."""

    SCRIPT = "script"
    REFERENCE = "reference"
    ASSET = "asset"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class SkillUser:
    """An agent that a skill is assigned to."""

    agent_id: int
    agent_name: str


SkillUsers = Callable[[AsyncSession, UUID, Sequence[int]], Awaitable[Mapping[int, Sequence[SkillUser]]]]
"""Tells which agents of a workspace use which of the skills; handed down as `Services.skill_users`."""
