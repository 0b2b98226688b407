"""What clients send and get about the parts of an agent that are saved by themselves."""

from uuid import UUID

from pydantic import Field

from automatos.agents.configuration import Prompt, SkillIds, Switch
from automatos.agents.schemas import ModelConfig, SkillCard
from automatos.kernel.schemas import Body, Out


class PersonaChange(Body):
    """The agent's voice: one of the library, or its own text when `use_custom` says so; all three are replaced."""

    persona_id: UUID | None = None
    custom_prompt: Prompt | None = None
    use_custom: Switch = False


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
