"""What clients send and get about agents."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, Field, computed_field, model_validator

from automatos.agents.configuration import (
    AgentConfiguration,
    Description,
    ModelSettings,
    Name,
    Prompt,
    Switch,
    Tags,
    ToolNames,
    agree_on_tools,
)
from automatos.agents.types import AgentStatus, AgentType, Category, PriorityLevel
from automatos.kernel.schemas import Body, Out

NOT_NULL = ("name", "agent_type", "status", "tags", "configuration", "tools", "use_custom_persona")


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a NUL character")
    return text


AgentId = Annotated[int, Field(ge=1, le=2**31 - 1)]
SearchText = Annotated[str, Field(max_length=200), AfterValidator(_storable)]


class AgentCreate(Body):
    """A new agent. Without a type, the category decides it; it starts inactive."""

    name: Name
    description: Description | None = None
    agent_type: AgentType | None = None
    marketplace_category: Category | None = None
    configuration: AgentConfiguration = Field(default_factory=AgentConfiguration)
    tags: Tags = Field(default_factory=list)
    llm_config: ModelSettings | None = Field(None, alias="model_config")
    tools: ToolNames | None = None
    custom_persona_prompt: Prompt | None = None
    use_custom_persona: Switch | None = None

    @model_validator(mode="after")
    def _one_home_for_tools(self) -> Self:
        agree_on_tools(self.tools, self.configuration)
        return self


class AgentUpdate(Body):
    """What to change; fields left out stay, and `configuration` is merged over what is stored."""

    name: Name | None = None
    description: Description | None = None
    agent_type: AgentType | None = None
    marketplace_category: Category | None = None
    status: AgentStatus | None = None
    configuration: AgentConfiguration | None = None
    tags: Tags | None = None
    llm_config: ModelSettings | None = Field(None, alias="model_config")
    tools: ToolNames | None = None
    custom_persona_prompt: Prompt | None = None
    use_custom_persona: Switch | None = None

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        for field in NOT_NULL:
            if field in self.model_fields_set and getattr(self, field) is None:
                raise ValueError(f"{field} cannot be null; leave it out to keep it")
        agree_on_tools(self.tools, self.configuration)
        return self


class Agent(Out):
    """An agent with its model, tools, persona and usage."""

    id: int
    workspace_id: UUID
    name: str
    slug: str | None
    description: str | None
    agent_type: str
    marketplace_category: str | None
    status: AgentStatus
    configuration: dict[str, Any]
    tags: list[str]
    llm_config: dict[str, Any] | None = Field(serialization_alias="model_config")
    model_usage_stats: dict[str, Any]
    performance_metrics: dict[str, Any]
    persona_id: UUID | None
    custom_persona_prompt: str | None
    use_custom_persona: bool
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime

    @computed_field
    @property
    def tools(self) -> list[str]:
        """The names of the tools the agent was granted."""
        return list(self.configuration.get("tools", []))

    @computed_field
    @property
    def priority_level(self) -> PriorityLevel:
        """As in `configuration`."""
        return PriorityLevel(self.configuration.get("priority_level", PriorityLevel.MEDIUM))

    @computed_field
    @property
    def max_concurrent_tasks(self) -> int:
        """As in `configuration`."""
        return int(self.configuration.get("max_concurrent_tasks", 5))

    @computed_field
    @property
    def auto_start(self) -> bool:
        """As in `configuration`."""
        return bool(self.configuration.get("auto_start", False))


class Agents(Out):
    """One page of a workspace's agents."""

    items: list[Agent]
    total: int
    skip: int
    limit: int


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
