"""Whether a choice of model can be right: what the table of providers and the catalogue know about it."""

from sqlalchemy.ext.asyncio import AsyncSession

from automatos.credentials.service import find_provider, providers_by_name
from automatos.kernel.db import Database
from automatos.llm import queries
from automatos.llm.fallbacks import fallback_of, unknown_provider_of
from automatos.llm.models import LlmModel
from automatos.llm.types import ModelChoice


async def check_choice(where: AsyncSession | Database, choice: ModelChoice) -> list[str]:
    """Return in whole sentences what is wrong with a choice of model, before anybody is asked; empty when nothing is.

    Unknown providers and settings outside of what the catalogue allows are faults; a model that the catalogue does
    not have is none.
    """
    if isinstance(where, Database):
        async with where.session(None) as session:
            return await check_choice(session, choice)
    return faults_of(choice, await queries.find_model_named(where, choice.provider, choice.model_id))


def faults_of(choice: ModelChoice, entry: LlmModel | None) -> list[str]:
    """Return in whole sentences what is wrong with a choice; a model that the catalogue lacks may be right."""
    if find_provider(choice.provider) is None:
        return [f"There is no provider named {choice.provider!r}. Choose one of: {', '.join(providers_by_name())}."]
    faults: list[str] = []
    if choice.fallback_model_id and (unknown := unknown_provider_of(choice.fallback_model_id)):
        faults.append(f"The fallback model names the provider {unknown!r}, which does not exist. Choose one of: "
                      f"{', '.join(providers_by_name())}.")
    elif choice.fallback_model_id and fallback_of(choice) is None:
        faults.append("The fallback model is the model itself. Choose another one, or none.")
    return faults if entry is None else faults + _faults_of_settings(choice, entry)


def _faults_of_settings(choice: ModelChoice, entry: LlmModel) -> list[str]:
    faults: list[str] = []
    low, high = float(entry.min_temperature), float(entry.max_temperature)
    if choice.temperature is not None and not low <= choice.temperature <= high:
        faults.append(f"{entry.display_name} takes temperatures from {low:g} to {high:g}, not {choice.temperature:g}.")
    most = entry.max_output_tokens
    if choice.max_tokens is not None and most is not None and choice.max_tokens > most:
        faults.append(f"{entry.display_name} writes at most {most:,} tokens, and max_tokens is {choice.max_tokens:,}.")
    return faults
