"""What clients get of advice about models: recommendations, estimates, trials, figures, uses of credentials."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from automatos.kernel.schemas import Money, Out
from automatos.llm.schemas import Model, Rate


class ModelRecommendation(Out):
    """A model that fits, with the reason in words; `configured` says whether the workspace can ask it now."""

    model: Model
    provider: str
    model_id: str
    display_name: str
    score: float
    configured: bool
    reason: str


class RecommendationList(Out):
    """Models that fit, the best first; `left_out` counts the others by the need they do not meet."""

    task: str
    items: list[ModelRecommendation]
    total: int
    left_out: dict[str, int]


class CostEstimate(Out):
    """What a call would cost in US dollars; null where no price is known. `source` says whose price it is."""

    provider: str
    model_id: str
    input_tokens: int
    output_tokens: int
    input_cost_usd: Money
    output_cost_usd: Money
    total_cost_usd: Money
    currency: Literal["USD"] = "USD"
    source: Literal["catalogue", "published", "unknown"]
    model: Model | None


class TrialProblem(Out):
    """Why a model did not answer, and what to do about it."""

    code: str
    title: str
    detail: str
    provider_status: int | None
    next_step: str | None


class TrialResult(Out):
    """What came of one tiny call."""

    ok: bool
    provider: str
    model_id: str
    text: str
    latency_ms: int
    input_tokens: int
    output_tokens: int
    cost_usd: Money
    faults: list[str] = Field(description="What the catalogue finds wrong with these settings.")
    problem: TrialProblem | None


class ProviderFigures(Out):
    """The catalogue's models of one provider; average rates are per 1,000 tokens over those with known rates."""

    provider: str
    configured: bool
    models: int
    active: int
    with_known_price: int
    average_input_cost_per_1k: Rate
    average_output_cost_per_1k: Rate


class CatalogueFigures(Out):
    """What the catalogue holds, in numbers."""

    total_models: int
    by_status: dict[str, int]
    with_vision: int
    with_functions: int
    with_known_price: int
    providers: list[ProviderFigures]


class CredentialEvent(Out):
    """One use of a credential by a call to a model, or one change of it."""

    kind: Literal["use", "change"]
    id: int
    at: datetime
    action: str
    actor: str | None = Field(description="Who did it; null for a use.")
    succeeded: bool
    message: str | None
    agent_id: int | None = None
    run_id: UUID | None = Field(default=None, description="The run that made the call; null outside runs.")
    request_type: str | None = None
    provider: str | None = None
    model_id: str | None = None
    total_tokens: int | None = None
    cost_usd: Money = None
    detail: dict[str, Any] = Field(default_factory=dict)


class CredentialAudit(Out):
    """A page of what happened with a credential, the newest first; `next_cursor` leads to older entries."""

    items: list[CredentialEvent]
    next_cursor: str | None
