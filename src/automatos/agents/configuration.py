"""What people write about an agent: configuration, model, definition, parts and documents, checked field by field."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic_core import CoreSchema

from automatos.agents.types import MAX_TAGS, AgentType, Category, PriorityLevel
from automatos.kernel.schemas import Body, SingleLine
from automatos.llm.types import ReasoningEffort

MAX_DOCUMENTS = 100
MAX_TOOLS = 50
MAX_SKILLS = 50
MAX_YAML_CHARS = 1_000_000


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


class PersonaChange(Body):
    """The agent's voice: one of the library, or its own text when `use_custom` says so; all three are replaced."""

    persona_id: UUID | None = None
    custom_prompt: Prompt | None = None
    use_custom: Switch = False
    custom_persona_prompt: Prompt | None = Field(None, description="The same as custom_prompt, as GET names it.")
    use_custom_persona: Switch = Field(False, description="The same as use_custom, as GET names it.")

    @model_validator(mode="after")
    def _by_either_name(self) -> Self:
        for name, other in (("custom_prompt", "custom_persona_prompt"), ("use_custom", "use_custom_persona")):
            if other not in self.model_fields_set:
                continue
            if name in self.model_fields_set and getattr(self, name) != getattr(self, other):
                raise ValueError(f"{name} and {other} are the same field; give one of them")
            setattr(self, name, getattr(self, other))
        return self


class ModelChange(Body):
    """An agent's model settings, bare or under `model_config` as GET shows them; null takes the default model."""

    llm_config: ModelSettings | None = Field(alias="model_config")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, data: Any) -> Any:
        return data if not isinstance(data, dict) or "model_config" in data else {"model_config": data}

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        wrapped = handler.resolve_ref_schema(handler(core_schema))
        bare = handler.resolve_ref_schema(handler(ModelSettings.__pydantic_core_schema__))
        return {name: value for name, value in wrapped.items() if name != "required"} | {
            "properties": {**bare["properties"], **wrapped["properties"]}}


class SkillChange(Body):
    """Skills to add to an agent's, or with `replace` to have instead of them. An array of ids may stand alone."""

    array_field = "skill_ids"

    skill_ids: SkillIds
    replace: Switch = False


class AgentImport(Body):
    """Agents as documents: YAML text with one or several, or the same as JSON."""

    yaml: Annotated[str, Field(min_length=1, max_length=MAX_YAML_CHARS)] | None = None
    documents: Annotated[list[AgentFile], Field(min_length=1, max_length=MAX_DOCUMENTS)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.yaml is None) == (self.documents is None):
            raise ValueError("give either yaml or documents")
        return self
