"""What so many tokens of a model would cost."""

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.service import get_provider
from automatos.llm import queries
from automatos.llm.answers import CostEstimate
from automatos.llm.bodies import CostQuestion
from automatos.llm.errors import ModelAmbiguous, UnknownModel
from automatos.llm.schemas import Model
from automatos.llm.service import ModelClient
from automatos.llm.types import Usage


async def estimate_cost(session: AsyncSession, models: ModelClient, question: CostQuestion) -> CostEstimate:
    """Price the tokens as the ledger would: the catalogue's rates, else the published list, else unknown.

    Raises:
        UnknownProvider: there is no such provider.
        UnknownModel: no provider is named, and the catalogue has no such model.
        ModelAmbiguous: no provider is named, and several have this model.
    """
    provider = question.provider or await _provider_of(session, question.model_id)
    get_provider(provider)
    entry = await queries.find_model_named(session, provider, question.model_id)
    usage = Usage(question.input_tokens, question.output_tokens)
    cost, source = await models.estimate(provider, question.model_id, usage)
    return CostEstimate(
        provider=provider, model_id=question.model_id, input_tokens=question.input_tokens,
        output_tokens=question.output_tokens, input_cost_usd=cost.input_micro_usd if cost else None,
        output_cost_usd=cost.output_micro_usd if cost else None, total_cost_usd=cost.total_micro_usd if cost else None,
        source=source, model=Model.model_validate(entry) if entry else None,
    )


async def _provider_of(session: AsyncSession, model_id: str) -> str:
    found = await queries.providers_of_model(session, model_id)
    if not found:
        raise UnknownModel(f"The catalogue has no model named {model_id!r}. Name its provider too.", field="provider")
    if len(found) > 1:
        raise ModelAmbiguous(model_id, list(found))
    return found[0]
