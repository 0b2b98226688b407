"""What clients send and get about agents."""

from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from automatos.agents.configuration import (
    Description,
    ModelSettings,
    Name,
    Prompt,
    SkillIds,
    Tags,
    agree_on_tools,
)
from automatos.agents.stored import with_todays_names
from automatos.agents.types import (
    AgentConfiguration,
    AgentStatus,
    AgentType,
    Category,
    PriorityLevel,
    ShutdownType,
    Switch,
    ToolNames,
)
from automatos.kernel.schemas import Body, Out, answer_like
from automatos.tools.types import Effect


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a NUL character")
    return text


AgentId = Annotated[int, Field(ge=1, le=2**31 - 1)]
SearchText = Annotated[str, Field(max_length=200), AfterValidator(_storable)]
TagText = Annotated[
    str, StringConstraints(strip_whitespace=True, to_lower=True, min_length=1, max_length=100),
    AfterValidator(_storable),
]
VersionNumber = Annotated[int, Field(ge=1, le=2**31 - 1)]
Direction = Literal["asc", "desc"]
CursorText = Annotated[str, Field(min_length=1, max_length=2000)]


class AgentCreate(Body):
    """A new agent. Without a type, the category decides it; it starts inactive unless `activate` asks for more."""

    name: Name
    description: Description | None = None
    agent_type: AgentType | None = None
    marketplace_category: Category | None = None
    configuration: AgentConfiguration = Field(default_factory=AgentConfiguration)
    tags: Tags = Field(default_factory=list)
    llm_config: ModelSettings | None = Field(None, alias="model_config")
    tools: ToolNames | None = None
    skill_ids: SkillIds = Field(default_factory=list)
    persona_id: UUID | None = None
    custom_persona_prompt: Prompt | None = None
    use_custom_persona: Switch | None = None
    activate: Switch = False

    @model_validator(mode="before")
    @classmethod
    def _by_todays_names(cls, data: Any) -> Any:
        return with_todays_names(data)

    @model_validator(mode="after")
    def _one_home_for_tools(self) -> Self:
        agree_on_tools(self.tools, self.configuration)
        return self


class AgentEdit(Body):
    """What to change, in one save; fields left out stay, and `configuration` is merged over what is stored."""

    never_null: ClassVar[tuple[str, ...]] = (
        "name", "agent_type", "tags", "configuration", "tools", "skill_ids", "use_custom_persona")

    name: Name | None = None
    description: Description | None = None
    agent_type: AgentType | None = None
    marketplace_category: Category | None = None
    configuration: AgentConfiguration | None = None
    tags: Tags | None = None
    llm_config: ModelSettings | None = Field(None, alias="model_config")
    tools: ToolNames | None = None
    skill_ids: SkillIds | None = None
    persona_id: UUID | None = None
    custom_persona_prompt: Prompt | None = None
    use_custom_persona: Switch | None = None

    @model_validator(mode="before")
    @classmethod
    def _by_todays_names(cls, data: Any) -> Any:
        return with_todays_names(data)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for field in self.never_null:
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null; leave it out to keep it")
        agree_on_tools(self.tools, self.configuration)
        return self


class AgentConfigurationOut(answer_like(AgentConfiguration)):
    """How an agent works, every setting with its value."""


class ModelConfig(answer_like(ModelSettings)):
    """Which model an agent uses and how; null means the provider's own default."""


class AgentUsage(Out):
    """What an agent's model calls used in all, those that failed too.

    `total_cost` is dollars, null while the price of any request is unknown; `known_cost` is the sum of the others and
    `unpriced_requests` counts those.
    """

    total_tokens: int = 0
    total_cost: str | None = "0"
    known_cost: str = "0"
    unpriced_requests: int = 0
    total_requests: int = 0
    failed_requests: int = 0
    avg_tokens_per_request: int = 0
    last_used_at: datetime | None = None


class AgentPerformance(Out):
    """How an agent's work ended so far; `success_rate` is a share, null before the first task."""

    total_tasks_executed: int = 0
    tasks_completed: int = 0
    success_count: int = 0
    failure_count: int = 0
    success_rate: float | None = None
    consecutive_failures: int = 0
    last_task_at: datetime | None = None
    last_task_success: bool | None = None


class AgentStop(Out):
    """A stop that waits for work to end."""

    shutdown_type: ShutdownType
    target: AgentStatus
    requested_by: str
    requested_at: datetime


class PersonaCard(Out):
    """A persona of the library, as far as an agent shows it."""

    id: UUID
    slug: str
    name: str
    category: str
    scope: str


class SkillCard(Out):
    """A skill of an agent, as far as an agent shows it."""

    id: int
    name: str
    description: str
    skill_type: str
    category: str
    source: str
    is_active: bool
    core_tokens: int


class GrantedTool(Out):
    """A tool the agent was granted, and why it cannot be used when it cannot."""

    name: str
    description: str
    effect: Effect | None
    is_available: bool
    off_reason: str | None


class PluginCard(Out):
    """A plugin of an agent, as far as an agent shows it."""

    plugin_id: UUID
    slug: str
    name: str
    version: str


class WorkloadCounts(Out):
    """How many tasks an agent works on and how many wait for it."""

    running: int
    queued: int


class Agent(Out):
    """An agent with its model, persona, skills, tools, usage and workload."""

    id: int
    workspace_id: UUID
    name: str
    slug: str | None
    description: str | None
    agent_type: str
    marketplace_category: str | None
    status: AgentStatus
    status_reason: str | None
    status_changed_at: datetime
    last_active_at: datetime | None
    stopping: AgentStop | None
    configuration: AgentConfigurationOut
    tags: list[str]
    llm_config: ModelConfig | None = Field(serialization_alias="model_config")
    model_usage_stats: AgentUsage
    performance_metrics: AgentPerformance
    persona_id: UUID | None
    persona: PersonaCard | None
    custom_persona_prompt: str | None
    use_custom_persona: bool
    skills: list[SkillCard]
    tools: list[str]
    granted_tools: list[GrantedTool]
    plugins: list[PluginCard]
    priority_level: PriorityLevel
    max_concurrent_tasks: int
    auto_start: bool
    workload: WorkloadCounts
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime


class Agents(Out):
    """One page of a workspace's agents; `next_cursor` is null on the last one."""

    items: list[Agent]
    total: int
    skip: int
    limit: int
    next_cursor: str | None


class AgentStats(Out):
    """A workspace's agents in numbers, from what is stored. Shares are null before the first finished task."""

    total_agents: int
    active_agents: int
    inactive_agents: int
    agents_by_status: dict[AgentStatus, int]
    agents_by_type: dict[str, int]
    agents_by_category: dict[str, int]
    average_success_rate: float | None
    total_executions: int
    successful_executions: int
    failed_executions: int
    total_tokens: int
    total_cost_usd: str | None = Field(description="null while the price of any request is unknown")
    known_cost_usd: str
    unpriced_requests: int
    tasks_running: int
    tasks_queued: int
    timestamp: datetime


class CategoryChoice(Out):
    """A category people choose from, and the agent type it means."""

    name: Category
    agent_type: AgentType


class AgentTypes(Out):
    """The agent types, what each is for, the category each is shown under, and the categories to choose from."""

    data: list[AgentType]
    descriptions: dict[AgentType, str]
    type_categories: dict[AgentType, Category]
    categories: list[CategoryChoice]
    total: int


class AgentModelConfig(Out):
    """An agent's model settings; null means that the default model answers."""

    agent_id: int
    llm_config: ModelConfig | None = Field(serialization_alias="model_config")


class AgentPersona(Out):
    """An agent's voice: what is stored, and in `system_prompt` the text that counts."""

    agent_id: int
    persona_id: UUID | None
    persona_name: str | None
    persona_slug: str | None
    system_prompt: str | None
    voice_description: str | None
    custom_persona_prompt: str | None
    use_custom_persona: bool


class AgentSkills(Out):
    """The skills of an agent, in the order of its prompt."""

    items: list[SkillCard]
    total: int


class AgentVersionInfo(Out):
    """One saved state of an agent, without its content."""

    version: int
    author: str
    created_at: datetime


class AgentVersions(Out):
    """An agent's saved versions, newest first."""

    items: list[AgentVersionInfo]
    total: int


class AgentVersionOut(AgentVersionInfo):
    """One saved state of an agent, as export would give it."""

    definition: dict[str, Any]


class AgentChange(Out):
    """One difference: where (`/configuration/timeout_seconds`), and the value on either side; null where absent."""

    path: str
    before: Any
    after: Any


class AgentVersionDiff(Out):
    """What changed between two versions; `from` is the older side of the comparison."""

    from_version: int = Field(serialization_alias="from")
    to_version: int = Field(serialization_alias="to")
    changes: list[AgentChange]


class ImportedAgent(Out):
    """What the import did with one document."""

    id: int
    name: str
    action: Literal["created", "updated", "unchanged"]


class ImportResult(Out):
    """What the import did with each document, in order."""

    items: list[ImportedAgent]
