"""What clients get about models, their prices and usage."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from pydantic import Field
from pydantic.functional_serializers import PlainSerializer

from automatos.kernel.schemas import Costs, Out


def rate_to_text(rate: Decimal | None) -> str | None:
    """Write a rate as plain decimal text; unknown stays None."""
    return None if rate is None else f"{rate.normalize():f}"


Rate = Annotated[Decimal | None, PlainSerializer(rate_to_text, return_type=str | None)]


class Model(Out):
    """A model of the catalogue; rates are US dollars per 1,000 tokens, null when unknown."""

    id: int
    provider: str
    model_id: str
    display_name: str
    model_family: str
    description: str
    context_window: int | None
    max_output_tokens: int | None
    capabilities: dict[str, object]
    supports_functions: bool
    supports_vision: bool
    supports_streaming: bool
    input_cost_per_1k: Rate = Field(validation_alias="input_cost_per_1k_tokens")
    output_cost_per_1k: Rate = Field(validation_alias="output_cost_per_1k_tokens")
    cached_input_cost_per_1k: Rate = Field(
        validation_alias="cached_input_cost_per_1k_tokens",
        description="The rate of input that the provider has in its cache; null where it is that of other input.")
    wire: str | None = Field(description="How the model is asked, where that is not its provider's usual way.")
    reasoning_efforts: list[str] | None = Field(
        description="How hard it may be asked to think; empty for a model that does not, null when unknown.")
    takes_sampling: bool | None = Field(description="Whether it takes temperature and the like; null when unknown.")
    recommended_for: list[str]
    default_temperature: float
    min_temperature: float
    max_temperature: float
    release_date: date | None
    deprecation_date: date | None
    status: str
    version: int
    updated_by: str = Field(description="Who changed it last; empty while it is as this server brought it.")
    updated_at: datetime


class ModelList(Out):
    """Models of the catalogue."""

    items: list[Model]
    total: int


class ModelsForTask(Out):
    """The models that suit a kind of task, and every kind of task there is."""

    task: str
    items: list[Model]
    total: int
    tasks: list[str]


class ModelProvider(Out):
    """A provider and whether this workspace can use it now; `source` says where its key comes from."""

    name: str
    display_name: str
    configured: bool
    source: str | None
    env_variable: str | None
    needs_key: bool
    is_local: bool
    private_base_urls: list[str] = Field(
        description="Addresses in the operator's own network to pick a base URL from; no other private one is taken.")
    default_base_url: str | None
    default_model: str | None
    credential_type: str


class ModelProviderList(Out):
    """Every provider."""

    items: list[ModelProvider]
    total: int


class OfferedModelList(Out):
    """What a provider itself lists for the key of this workspace; `problem` says why nothing can be told."""

    provider: str
    items: list[str] = Field(description="Names of models, as the provider wrote them and in its order.")
    total: int
    problem: str | None
    asked_at: datetime | None


class DefaultModel(Out):
    """The model that answers for agents that name none, and what decided it."""

    provider: str
    model_id: str
    source: str
    is_demo: bool


class ServiceCategory(Out):
    """A part of the product that asks models, and the category of settings it reads."""

    service: str
    category: str


class ServiceCategoryList(Out):
    """Which settings each part of the product reads; parts that are not listed read `default_category`."""

    items: list[ServiceCategory]
    total: int
    default_category: str


class UsageSummary(Costs):
    """What a workspace has used; `estimated_requests` counts those whose tokens the provider did not tell in whole.

    `unknown_cost_requests` is the same as `unpriced_calls`.
    """

    requests: int
    failed_requests: int
    estimated_requests: int
    input_tokens: int
    output_tokens: int
    total_tokens: int
    cache_read_tokens: int = Field(description="Input tokens that providers had in their cache, at a lower price.")
    cache_write_tokens: int = Field(description="Input tokens that were written to providers' caches.")
    unknown_cost_requests: int
