"""What clients send and get about the parts of an agent that are saved by themselves."""

from typing import Any, Self
from uuid import UUID

from pydantic import Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from automatos.agents.configuration import ModelSettings, Prompt, SkillIds, Switch
from automatos.agents.schemas import ModelConfig, SkillCard
from automatos.kernel.schemas import Body, Out


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
