"""Words of the agents room: statuses, types, categories, what a run needs to know, and who may depend on an agent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy.ext.asyncio import AsyncSession

from automatos.llm.types import ModelChoice

HINT_TOPIC = "agents"


class AgentStatus(StrEnum):
    """Where an agent is in its life; only active and idle ones get work."""

    INACTIVE = "inactive"
    ACTIVE = "active"
    IDLE = "idle"
    MAINTENANCE = "maintenance"
    PAUSED = "paused"
    TRAINING = "training"
    ERROR = "error"
    ARCHIVED = "archived"


ELIGIBLE = frozenset({AgentStatus.ACTIVE, AgentStatus.IDLE})
"""The statuses in which an agent takes work."""

TRANSITIONS: Mapping[AgentStatus, frozenset[AgentStatus]] = MappingProxyType({
    AgentStatus.INACTIVE: frozenset({AgentStatus.ACTIVE, AgentStatus.MAINTENANCE, AgentStatus.TRAINING}),
    AgentStatus.ACTIVE: frozenset({
        AgentStatus.INACTIVE, AgentStatus.MAINTENANCE, AgentStatus.PAUSED, AgentStatus.TRAINING,
    }),
    AgentStatus.IDLE: frozenset({
        AgentStatus.ACTIVE, AgentStatus.INACTIVE, AgentStatus.MAINTENANCE, AgentStatus.PAUSED, AgentStatus.TRAINING,
    }),
    AgentStatus.MAINTENANCE: frozenset({AgentStatus.ACTIVE, AgentStatus.INACTIVE}),
    AgentStatus.PAUSED: frozenset({AgentStatus.ACTIVE, AgentStatus.INACTIVE}),
    AgentStatus.TRAINING: frozenset({AgentStatus.ACTIVE, AgentStatus.INACTIVE}),
    AgentStatus.ERROR: frozenset({AgentStatus.INACTIVE}),
    AgentStatus.ARCHIVED: frozenset(),
})
"""What people may change a status to; idle, error and archived are set by the server alone."""


class AgentType(StrEnum):
    """What kind of specialist an agent is."""

    CODE_ARCHITECT = "code_architect"
    SECURITY_EXPERT = "security_expert"
    PERFORMANCE_OPTIMIZER = "performance_optimizer"
    DATA_ANALYST = "data_analyst"
    INFRASTRUCTURE_MANAGER = "infrastructure_manager"
    CUSTOM = "custom"
    SYSTEM = "system"
    SPECIALIZED = "specialized"


class Category(StrEnum):
    """What people call the kind of work an agent does."""

    PERSONAL_ASSISTANT = "Personal Assistant"
    CUSTOMER_SUPPORT = "Customer Support"
    DEVOPS = "DevOps"
    SOCIAL_MEDIA = "Social Media"
    ACCOUNTING = "Accounting"
    E_COMMERCE = "E-commerce"
    CONTENT_CREATION = "Content Creation"
    HR = "HR"
    DATA_ANALYSIS = "Data Analysis"
    CUSTOM = "Custom"


class PriorityLevel(StrEnum):
    """How much an agent's work matters next to that of others."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@cache
def _catalogue() -> dict[str, Any]:
    return yaml.safe_load(files(__package__ or "automatos.agents").joinpath("catalogue.yaml").read_text("utf-8"))


def type_descriptions() -> dict[AgentType, str]:
    """Return what each agent type is for."""
    return {AgentType(name): entry["description"] for name, entry in _catalogue()["types"].items()}


def category_of(agent_type: AgentType) -> Category:
    """Return the category that an agent type is shown under."""
    return Category(_catalogue()["types"][agent_type]["category"])


def type_of(category: Category, stored: AgentType | None = None) -> AgentType:
    """Return the agent type that choosing a category means; a stored specialised type survives a generic category."""
    meant = AgentType(_catalogue()["categories"][category])
    return stored if stored is not None and meant is AgentType.CUSTOM else meant


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Everything a run needs of an agent, read once when work starts."""

    id: int
    name: str
    description: str
    agent_type: str
    status: AgentStatus
    persona_prompt: str | None
    model: ModelChoice | None
    tools: tuple[str, ...]
    max_iterations: int
    retry_attempts: int
    timeout_s: int
    max_concurrent_tasks: int
    configuration: Mapping[str, Any]
    version: int

    @property
    def is_eligible(self) -> bool:
        """Whether the agent takes work."""
        return self.status in ELIGIBLE


@dataclass(frozen=True, slots=True)
class AgentRef:
    """An agent by name, as others show it; `status` is None when there is no such agent (any more)."""

    id: int
    name: str
    status: AgentStatus | None


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that would break without an agent: its kind ("recipe", "execution"), id and name."""

    kind: str
    id: str
    name: str


Dependents = Callable[[AsyncSession, UUID, int], Awaitable[list[Dependent]]]
"""Tells what of a workspace depends on an agent; higher rooms register theirs in `app.state.agent_dependents`."""
