"""Words of agents: statuses, types, categories, settings, what a run needs to know, and what depends on an agent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Annotated, Any, Literal, Protocol
from uuid import UUID

import yaml
from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, StringConstraints

from automatos.kernel.schemas import Body
from automatos.llm.types import ModelChoice

HINT_TOPIC = "agents"
MAX_TAGS = 50
MAX_TOOLS = 50


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
    AgentStatus.INACTIVE: frozenset({
        AgentStatus.ACTIVE, AgentStatus.MAINTENANCE, AgentStatus.TRAINING, AgentStatus.ARCHIVED,
    }),
    AgentStatus.ACTIVE: frozenset({
        AgentStatus.INACTIVE, AgentStatus.MAINTENANCE, AgentStatus.PAUSED, AgentStatus.TRAINING, AgentStatus.ARCHIVED,
    }),
    AgentStatus.IDLE: frozenset({
        AgentStatus.ACTIVE, AgentStatus.INACTIVE, AgentStatus.MAINTENANCE, AgentStatus.PAUSED, AgentStatus.TRAINING,
        AgentStatus.ARCHIVED,
    }),
    AgentStatus.MAINTENANCE: frozenset({AgentStatus.ACTIVE, AgentStatus.INACTIVE, AgentStatus.ARCHIVED}),
    AgentStatus.PAUSED: frozenset({AgentStatus.ACTIVE, AgentStatus.INACTIVE, AgentStatus.ARCHIVED}),
    AgentStatus.TRAINING: frozenset({AgentStatus.ACTIVE, AgentStatus.INACTIVE, AgentStatus.ARCHIVED}),
    AgentStatus.ERROR: frozenset({AgentStatus.INACTIVE, AgentStatus.ARCHIVED}),
    AgentStatus.ARCHIVED: frozenset({AgentStatus.INACTIVE}),
})
"""What people may change a status to; idle and error are set by the server alone."""

STOPS = frozenset({AgentStatus.INACTIVE, AgentStatus.MAINTENANCE, AgentStatus.TRAINING, AgentStatus.ARCHIVED})
"""What an agent is stopped to become: it takes no work there, and what it works on has to end first."""

WORKING = frozenset({AgentStatus.ACTIVE, AgentStatus.IDLE, AgentStatus.PAUSED})
"""The statuses in which work is accepted for an agent; a paused one lets it wait."""


class ShutdownType(StrEnum):
    """How an agent stops: cut off now, after what it works on, or when nothing needs it any more."""

    IMMEDIATE = "immediate"
    GRACEFUL = "graceful"
    SCHEDULED = "scheduled"


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


class AgentOrder(StrEnum):
    """What a list of agents can be sorted by."""

    NAME = "name"
    CREATED_AT = "created_at"
    UPDATED_AT = "updated_at"
    STATUS = "status"
    LAST_ACTIVE_AT = "last_active_at"
    TOTAL_COST = "total_cost"
    SUCCESS_RATE = "success_rate"


class PriorityLevel(StrEnum):
    """How much an agent's work matters next to that of others."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


def without_repeats(value: object) -> object:
    """Return a list of texts or numbers with each once; anything else is for the field's own checks to refuse."""
    is_plain = isinstance(value, list) and all(isinstance(x, str | int) and not isinstance(x, bool) for x in value)
    return list(dict.fromkeys(value)) if is_plain else value  # pyright: ignore[reportArgumentType]


Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
ToolNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], BeforeValidator(without_repeats),
    Field(max_length=MAX_TOOLS),
]


def setting(title: str, description: str, group: str = "", unit: str = "") -> Any:
    """Say how people read a setting: its name and meaning, the group of the form it stands in, the unit of a number."""
    extra: dict[str, JsonValue] = {name: text for name, text in (("x-group", group), ("x-unit", unit)) if text}
    return Field(title=title, description=description, json_schema_extra=extra)


def in_order(schema: dict[str, Any]) -> None:
    """Keep the order in which fields are written: forms show them so, and a description sorts its names."""
    schema["x-order"] = list(schema["properties"])


class ResourceLimits(Body):
    """How much of a machine the agent's own work may take."""

    model_config = ConfigDict(json_schema_extra=in_order)

    memory_mb: Annotated[Whole, Field(ge=64, le=65_536), setting(
        "Memory", "Memory for its commands and scripts, in megabytes.", "Resources", "MB")] = 1024
    cpu_percent: Annotated[Whole, Field(ge=1, le=100), setting(
        "Processor", "The share of one processor.", "Resources", "%")] = 50
    network_bandwidth: Annotated[Whole, Field(ge=1, le=100_000), setting(
        "Network", "Megabits a second.", "Resources", "Mbit/s")] = 100


class AgentConfiguration(Body):
    """How an agent works: the one home of its priority, limits, behaviour and granted tools.

    A setting is written here, and where it acts. Bodies, answers, documents, versions, the description of the API, the
    form of the web app and the references are made from this.
    """

    model_config = ConfigDict(json_schema_extra=in_order)

    priority_level: Annotated[PriorityLevel, setting(
        "Priority", "Whose work goes first when agents wait.", "Work")] = PriorityLevel.MEDIUM
    max_concurrent_tasks: Annotated[Whole, Field(ge=1, le=10), setting(
        "Tasks at the same time", "How many tasks the agent works on at once.", "Work")] = 5
    auto_start: Annotated[Switch, setting(
        "Start with the server", "Active as soon as it is created and whenever the server starts.", "Work")] = False
    retry_attempts: Annotated[Whole, Field(ge=0, le=5), setting(
        "Retries", "How often a failed step is tried again; 0 tries once.", "Work")] = 3
    timeout_seconds: Annotated[Whole, Field(ge=60, le=3600), setting(
        "Time limit of a task", "How long a step of the agent may take.", "Work", "s")] = 300
    max_iterations: Annotated[Whole, Field(ge=1, le=100), setting(
        "Model turns in a task", "How often the model may be asked in one step.", "Work")] = 25
    resource_limits: Annotated[ResourceLimits, setting(
        "Resource limits", "How much of a machine its own commands and scripts may take.", "Resources",
    )] = Field(default_factory=ResourceLimits)
    environment: Annotated[Literal["development", "staging", "production"], setting(
        "Environment", "Decides which keys it works with.", "Operation")] = "development"
    environment_note: Annotated[Note, setting(
        "What to tell it of the environment", "One sentence for its prompt; empty says nothing.", "Operation")] = ""
    logging_level: Annotated[Literal["debug", "info", "warning", "error"], setting(
        "Logging", "How much of its work the server's log keeps.", "Operation")] = "info"
    performance_monitoring: Annotated[Switch, setting(
        "Performance monitoring", "Counts its tasks and how they ended.", "Operation")] = True
    skill_loading: Annotated[Literal["on_demand", "preload"], setting(
        "How skills are read", "When the agent needs one, or all at the start: then every task pays for every text.",
        "Skills")] = "on_demand"
    tools: ToolNames = Field(
        default_factory=list, title="Tools", description="The names of the tools that it may use.")


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
    is_kept = stored is not None and (meant is AgentType.CUSTOM or category == category_of(stored))
    return stored if stored is not None and is_kept else meant


@dataclass(frozen=True, slots=True)
class PersonaSpec:
    """The voice an agent speaks with; `source` says whether it is from the library or the agent's own text."""

    source: Literal["predefined", "custom"]
    system_prompt: str
    name: str | None = None
    slug: str | None = None
    category: str | None = None
    voice_description: str = ""
    suggested_temperature: float | None = None


@dataclass(frozen=True, slots=True)
class SkillSpec:
    """A skill of an agent as a run needs it: its metadata; the text and files are loaded when they are used.

    `by_model` says that the agent is told of it, `by_people` that a task may begin with its name.
    """

    id: int
    name: str
    description: str
    version: int
    core_tokens: int
    tools_schema: tuple[Mapping[str, Any], ...] = ()
    by_model: bool = True
    by_people: bool = True


@dataclass(frozen=True, slots=True)
class AgentSpec:
    """Everything a run needs of an agent, read once when work starts."""

    id: int
    name: str
    description: str
    agent_type: str
    status: AgentStatus
    persona: PersonaSpec | None
    skills: tuple[SkillSpec, ...]
    model: ModelChoice | None
    tools: tuple[str, ...]
    settings: AgentConfiguration
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
class AgentStates:
    """Agents as the database's function `agent_states` tells them: name, status and is_stopping, by id in digits."""

    told: Mapping[str, Mapping[str, Any]]

    @property
    def names(self) -> dict[str, str]:
        """The names of those that there are, by id in digits."""
        return {agent_id: each["name"] for agent_id, each in self.told.items()}

    def list_unavailable(self, agent_ids: Iterable[int]) -> list[str]:
        """Return those that take no work now, each once, as a person reads it: name and state."""
        return [named for agent_id in dict.fromkeys(agent_ids) if (named := self._unavailable(agent_id))]

    def _unavailable(self, agent_id: int) -> str | None:
        each = self.told.get(str(agent_id))
        if each is None:
            return f"agent {agent_id} (deleted)"
        if each["is_stopping"]:
            return f"{each['name']} (stopping)"
        return None if each["status"] in WORKING else f"{each['name']} ({each['status']})"


@dataclass(frozen=True, slots=True)
class Dependent:
    """Something that would break without an agent: its kind ("recipe", "execution", "heartbeat"), id and name."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one step of an agent ended; the worker hands these to the OutcomeRecorder."""

    workspace_id: UUID
    agent_id: int
    ok: bool
    finished_at: datetime
    duration_ms: int
    error: str | None = None


class Outcomes(Protocol):
    """Where the worker leaves how steps ended."""

    def record(self, outcome: Outcome) -> None:
        """Take one outcome; returns at once and never raises."""
        ...


def group_of(agent_id: int) -> str:
    """Return the concurrency group of an agent's work; the agent's max_concurrent_tasks is its capacity."""
    return f"agent:{agent_id}"


def topic_of(agent_id: int) -> str:
    """Return the hint topic of one agent."""
    return f"agent:{agent_id}"


PRIORITIES: Mapping[PriorityLevel, int] = MappingProxyType({
    level: place for place, level in enumerate(PriorityLevel)
})
"""A level as the queue orders it: low is 0, critical is 3."""
