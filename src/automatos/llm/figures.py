"""The catalogue in numbers."""

from collections import Counter
from collections.abc import Sequence, Set
from decimal import Decimal

from automatos.llm.answers import CatalogueFigures, ProviderFigures
from automatos.llm.models import LlmModel
from automatos.llm.types import ModelStatus

PLACES = Decimal("0.00000001")


def summarise(models: Sequence[LlmModel], configured: Set[str]) -> CatalogueFigures:
    """Count the models of the catalogue, by status and by provider."""
    names = sorted({model.provider for model in models})
    return CatalogueFigures(
        total_models=len(models), by_status=dict(Counter(model.status for model in models)),
        with_vision=sum(model.supports_vision for model in models),
        with_functions=sum(model.supports_functions for model in models),
        with_known_price=sum(_is_priced(model) for model in models),
        providers=[_provider(name, [model for model in models if model.provider == name], configured)
                   for name in names],
    )


def _provider(name: str, models: Sequence[LlmModel], configured: Set[str]) -> ProviderFigures:
    return ProviderFigures(
        provider=name, configured=name in configured, models=len(models),
        active=sum(model.status == ModelStatus.ACTIVE for model in models),
        with_known_price=sum(_is_priced(model) for model in models),
        average_input_cost_per_1k=_average([model.input_cost_per_1k_tokens for model in models]),
        average_output_cost_per_1k=_average([model.output_cost_per_1k_tokens for model in models]),
    )


def _is_priced(model: LlmModel) -> bool:
    return model.input_cost_per_1k_tokens is not None and model.output_cost_per_1k_tokens is not None


def _average(rates: Sequence[Decimal | None]) -> Decimal | None:
    known = [rate for rate in rates if rate is not None]
    return (sum(known, Decimal()) / len(known)).quantize(PLACES) if known else None
