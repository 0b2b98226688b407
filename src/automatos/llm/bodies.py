"""What clients send about models: catalogue entries, needs, estimates and trials, each checked field by field."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from automatos.kernel.schemas import Body
from automatos.llm.types import EFFORTS, ModelStatus, ReasoningEffort

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
ProviderName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Word = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,49}$")]
Words = Annotated[list[Word], Field(max_length=30)]
Strength = Literal["low", "medium", "high"]
Strengths = Annotated[dict[Word, Strength], Field(max_length=30)]
Rate = Annotated[Decimal, Field(ge=0, le=1000, max_digits=14, decimal_places=8)]
Tokens = Annotated[int, Field(ge=1, le=100_000_000)]
Temperature = Annotated[float, Field(ge=0, le=2)]
Description = Annotated[str, StringConstraints(strip_whitespace=True, max_length=5000)]


class _Entry(Body):
    """The fields of a catalogue entry that people write."""

    model_family: Annotated[str, StringConstraints(strip_whitespace=True, max_length=100)] = ""
    description: Description = ""
    context_window: Tokens | None = None
    max_output_tokens: Tokens | None = None
    capabilities: Strengths = Field(default_factory=dict)
    supports_functions: bool = True
    supports_vision: bool = False
    supports_streaming: bool = True
    input_cost_per_1k: Rate | None = None
    output_cost_per_1k: Rate | None = None
    cached_input_cost_per_1k: Rate | None = None
    wire: Literal["openai", "responses", "anthropic"] | None = None
    reasoning_efforts: Annotated[list[ReasoningEffort], Field(max_length=len(EFFORTS))] | None = None
    takes_sampling: bool | None = None
    recommended_for: Words = Field(default_factory=list)
    default_temperature: Temperature = 0.7
    min_temperature: Temperature = 0.0
    max_temperature: Temperature = 2.0
    release_date: date | None = None
    deprecation_date: date | None = None
    status: ModelStatus = ModelStatus.ACTIVE


class ModelCreate(_Entry):
    """A model for the catalogue; rates are US dollars per 1,000 tokens, null where unknown."""

    provider: ProviderName
    model_id: Text
    display_name: Text | None = None

    @model_validator(mode="after")
    def _temperatures(self) -> Self:
        if not self.min_temperature <= self.default_temperature <= self.max_temperature:
            raise ValueError("min_temperature, default_temperature and max_temperature must rise in this order")
        return self


class ModelUpdate(_Entry):
    """What changes of a catalogue entry; what is left out stays."""

    display_name: Text | None = None


class ModelNeeds(Body):
    """What a task asks of a model; `max_cost` bounds US dollars per 1,000 tokens, input and output added."""

    task_type: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = "general"
    max_cost: Rate | None = None
    min_context: Tokens | None = None
    required_capabilities: Words = Field(default_factory=list)
    prefer_provider: ProviderName | None = None
    require_functions: bool = False
    require_vision: bool = False
    limit: Annotated[int, Field(ge=1, le=50)] = 5


class CostQuestion(Body):
    """How many tokens of which model; without a provider the one that the catalogue has it from."""

    provider: ProviderName | None = None
    model_id: Text
    input_tokens: Annotated[int, Field(ge=0, le=10_000_000)]
    output_tokens: Annotated[int, Field(ge=0, le=10_000_000)]


class ModelTrial(Body):
    """A model to try with one tiny call, as it is about to be configured."""

    provider: ProviderName
    model_id: Text
    temperature: Temperature | None = None
    max_tokens: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    reasoning_effort: ReasoningEffort | None = None
    environment: Literal["production", "staging", "development"] | None = None
