"""What people write about an agent: model, definition, parts and documents, checked field by field."""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic_core import CoreSchema

from automatos.agents.types import (
    MAX_TAGS,
    AgentConfiguration,
    AgentType,
    Category,
    Switch,
    ToolNames,
    Whole,
    in_order,
    setting,
    without_repeats,
)
from automatos.kernel.schemas import Body, SingleLine
from automatos.llm.types import ReasoningEffort

MAX_DOCUMENTS = 100
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


Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=255), SingleLine
]
Description = Annotated[str, Field(max_length=10_000)]
Prompt = Annotated[str, Field(max_length=100_000)]
Tags = Annotated[
    list[Annotated[str, Field(max_length=100), SingleLine]], BeforeValidator(normal_tags), Field(max_length=MAX_TAGS)
]
SkillId = Annotated[Whole, Field(ge=1, le=2**31 - 1)]
SkillIds = Annotated[list[SkillId], BeforeValidator(without_repeats), Field(max_length=MAX_SKILLS)]
SkillNames = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=64)]], BeforeValidator(without_repeats),
    Field(max_length=MAX_SKILLS),
]
ModelName = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200), SingleLine
]


class ModelSettings(Body):
    """Which model an agent uses and how; what is left out follows the provider's own default."""

    model_config = ConfigDict(json_schema_extra=in_order)

    provider: Annotated[ModelName, Field(max_length=100), setting("Provider", "The name of the model provider.")]
    model_id: Annotated[ModelName, setting("Model", "The model, by the provider's name for it.")]
    temperature: Annotated[Annotated[float, Field(ge=0, le=2, strict=True)] | None, setting(
        "Temperature", "How freely the model writes; null for the provider's own default.")] = None
    max_tokens: Annotated[Annotated[Whole, Field(ge=1, le=1_000_000)] | None, setting(
        "Longest answer", "How many tokens an answer may have; null for the provider's own limit.", unit="tok")] = None
    top_p: Annotated[Annotated[float, Field(gt=0, le=1, strict=True)] | None, setting(
        "Top p", "The share of likely words that the model chooses from; null for the provider's own default.")] = None
    frequency_penalty: Annotated[Annotated[float, Field(ge=-2, le=2, strict=True)] | None, setting(
        "Frequency penalty", "How strongly repeated words are avoided; null for the provider's own default.")] = None
    presence_penalty: Annotated[Annotated[float, Field(ge=-2, le=2, strict=True)] | None, setting(
        "Presence penalty", "How strongly new subjects are preferred; null for the provider's own default.")] = None
    fallback_model_id: Annotated[ModelName | None, setting(
        "Fallback model", "The model of the same provider to ask where this one does not answer.")] = None
    reasoning_effort: Annotated[ReasoningEffort | None, setting(
        "Reasoning effort", "How hard the model is asked to think; null for its own way.")] = None


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
