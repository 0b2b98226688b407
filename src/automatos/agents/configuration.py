"""What people write about an agent: its configuration, model and definition, each checked field by field."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, StringConstraints, model_validator

from automatos.agents.types import MAX_TAGS, AgentType, Category, PriorityLevel
from automatos.kernel.schemas import Body, SingleLine
from automatos.llm.types import ReasoningEffort

MAX_TOOLS = 50
MAX_SKILLS = 50


def normal_tags(value: object) -> list[str]:
    """Return tags lower-cased, trimmed, split on commas and without repeats, in order.

    Takes text, or a list, tuple or set of texts; raises ValueError for anything else.
    """
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple | set | frozenset):
        raise ValueError("tags are text with commas, or a list of texts")  # noqa: TRY004 - pydantic reads ValueError
    texts: Iterable[Any] = parts
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("every tag is a text")
    split = (tag.strip().lower() for text in texts for tag in text.split(","))
    return list(dict.fromkeys(tag for tag in split if tag))


def _without_repeats(value: object) -> object:
    """Return a list of texts or numbers with each once; anything else is for the field's own checks to refuse."""
    is_plain = isinstance(value, list) and all(isinstance(x, str | int) and not isinstance(x, bool) for x in value)
    return list(dict.fromkeys(value)) if is_plain else value  # pyright: ignore[reportArgumentType]


Whole = Annotated[int, Field(strict=True)]
Switch = Annotated[bool, Field(strict=True)]
Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), SingleLine
]
Description = Annotated[str, Field(max_length=10_000)]
Prompt = Annotated[str, Field(max_length=100_000)]
Note = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000)]
Tags = Annotated[
    list[Annotated[str, Field(max_length=100), SingleLine]], BeforeValidator(normal_tags), Field(max_length=MAX_TAGS)
]
ToolNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=100)]], BeforeValidator(_without_repeats),
    Field(max_length=MAX_TOOLS),
]
SkillId = Annotated[Whole, Field(ge=1, le=2**31 - 1)]
SkillIds = Annotated[list[SkillId], BeforeValidator(_without_repeats), Field(max_length=MAX_SKILLS)]
SkillNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]], BeforeValidator(_without_repeats),
    Field(max_length=MAX_SKILLS),
]
ModelName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), SingleLine
]


class ResourceLimits(Body):
    """How much of a machine the agent's own work may take."""

    memory_mb: Annotated[Whole, Field(ge=64, le=65_536)] = 1024
    cpu_percent: Annotated[Whole, Field(ge=1, le=100)] = 50
    network_bandwidth: Annotated[Whole, Field(ge=1, le=100_000)] = 100


class AgentConfiguration(Body):
    """How an agent works: the one home of its priority, limits, behaviour and granted tools.

    `environment` chooses the keys an agent works with; its prompt says of it only what `environment_note` says.
    """

    priority_level: PriorityLevel = PriorityLevel.MEDIUM
    max_concurrent_tasks: Annotated[Whole, Field(ge=1, le=10)] = 5
    auto_start: Switch = False
    retry_attempts: Annotated[Whole, Field(ge=0, le=5)] = 3
    timeout_seconds: Annotated[Whole, Field(ge=60, le=3600)] = 300
    resource_limits: ResourceLimits = Field(default_factory=ResourceLimits)
    environment: Literal["development", "staging", "production"] = "development"
    environment_note: Note = ""
    logging_level: Literal["debug", "info", "warning", "error"] = "info"
    performance_monitoring: Switch = True
    max_iterations: Annotated[Whole, Field(ge=1, le=100)] = 25
    skill_loading: Literal["on_demand", "preload"] = "on_demand"
    tools: ToolNames = Field(default_factory=list)


class ModelSettings(Body):
    """Which model an agent uses and how; what is left out follows the provider's own default."""

    provider: Annotated[ModelName, Field(max_length=100)]
    model_id: ModelName
    temperature: Annotated[float, Field(ge=0, le=2, strict=True)] | None = None
    max_tokens: Annotated[Whole, Field(ge=1, le=1_000_000)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1, strict=True)] | None = None
    frequency_penalty: Annotated[float, Field(ge=-2, le=2, strict=True)] | None = None
    presence_penalty: Annotated[float, Field(ge=-2, le=2, strict=True)] | None = None
    fallback_model_id: ModelName | None = None
    reasoning_effort: ReasoningEffort | None = None


class AgentDefinition(Body):
    """An agent as a recipe file writes it; `prompt` is its persona, `tools` what it is granted."""

    name: Name
    description: Description | None = None
    agent_type: AgentType | None = None
    marketplace_category: Category | None = None
    prompt: Prompt | None = None
    llm_config: ModelSettings | None = Field(None, alias="model_config")
    tools: ToolNames = Field(default_factory=list)
    configuration: AgentConfiguration = Field(default_factory=AgentConfiguration)
    tags: Tags = Field(default_factory=list)

    @model_validator(mode="after")
    def _one_home_for_tools(self) -> Self:
        agree_on_tools(self.tools if "tools" in self.model_fields_set else None, self.configuration)
        return self


class PersonaChoice(Body):
    """A voice as documents name it: a persona of the library by its slug, the agent's own text, and which counts."""

    slug: Annotated[str, Field(min_length=1, max_length=120)] | None = None
    custom_prompt: Prompt | None = None
    use_custom: Switch = False


class AgentFile(Body):
    """An agent as a document of its own: what export gives and import takes. It holds no secret and no status."""

    api_version: Literal["automatos/v1"] = Field("automatos/v1", alias="apiVersion")
    kind: Literal["Agent"] = "Agent"
    name: Name
    description: Description | None = None
    agent_type: AgentType | None = None
    marketplace_category: Category | None = None
    tags: Tags = Field(default_factory=list)
    persona: PersonaChoice | None = None
    llm_config: ModelSettings | None = Field(None, alias="model_config")
    skills: SkillNames = Field(default_factory=list)
    tools: ToolNames | None = None
    configuration: AgentConfiguration = Field(default_factory=AgentConfiguration)

    @model_validator(mode="after")
    def _one_home_for_tools(self) -> Self:
        agree_on_tools(self.tools, self.configuration)
        return self


def agree_on_tools(tools: list[str] | None, configuration: AgentConfiguration | None) -> None:
    """Refuse two different lists of tools in one document; raises ValueError."""
    if tools is None or configuration is None or "tools" not in configuration.model_fields_set:
        return
    if tools != configuration.tools:
        raise ValueError("tools and configuration.tools differ; give one of them")
