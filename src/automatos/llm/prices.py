"""What a call costs: our table of models first, the published price list second, unknown otherwise."""

import asyncio
import time
from decimal import ROUND_HALF_UP, Decimal
from importlib import import_module
from typing import Any

import structlog

from automatos.kernel.db import Database
from automatos.llm import queries
from automatos.llm.types import Cost, PriceSource, Usage

CACHE_S = 5.0
MICRO = Decimal(1_000_000)
PUBLISHED_NAMES = {"openai": "openai", "anthropic": "anthropic", "google": "google", "mistral": "mistral",
                   "groq": "groq", "xai": "x-ai", "openrouter": "openrouter", "azure": "azure"}

Rates = tuple[Decimal, Decimal]
log = structlog.get_logger(__name__)


def micro_usd(tokens: int, per_1k: Decimal) -> int:
    """Return the price of tokens at a rate per thousand, in whole micro-dollars, half up."""
    return int((per_1k * tokens * MICRO / 1000).to_integral_value(ROUND_HALF_UP))


class PriceBook:
    """Prices of models, kept in this process for a few seconds.

    The published list is large, so it is loaded when a model outside our table is asked for the first time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rates: dict[tuple[str, str], Rates] = {}
        self._until = 0.0
        self._published: Any = None
        self._unpublished: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Drop what is kept, so that the next call reads the table again."""
        self._until = 0.0

    async def prepare(self, provider: str, model_id: str) -> None:
        """Read what `cost` will need, so that pricing a finished answer waits for nothing; never raises."""
        await self._refresh()
        if (provider, model_id) not in self._rates and provider in PUBLISHED_NAMES and self._published is None:
            self._published = await asyncio.to_thread(import_module, "genai_prices")

    def cost(self, provider: str, model_id: str, usage: Usage | None) -> Cost | None:
        """Return what a call cost, None when the price or the tokens are unknown."""
        if provider == "demo":
            return Cost(0, 0)
        if usage is None:
            return None
        if rates := self._rates.get((provider, model_id)):
            return Cost(micro_usd(usage.input_tokens, rates[0]), micro_usd(usage.output_tokens, rates[1]))
        return self._published_cost(provider, model_id, usage)

    def source(self, provider: str, model_id: str) -> PriceSource:
        """Say whose price `cost` goes by, once it was prepared."""
        if provider == "demo" or (provider, model_id) in self._rates:
            return "catalogue"
        return "published" if self._published_cost(provider, model_id, Usage(1, 1)) is not None else "unknown"

    async def _refresh(self) -> None:
        if self._until > time.monotonic():
            return
        try:
            async with self._database.recording(None) as connection:
                rows = await queries.read_prices(connection)
        except Exception as error:  # noqa: BLE001
            log.warning("prices_not_read", error=type(error).__name__)
            return
        self._rates = {(row[0], row[1]): (row[2], row[3]) for row in rows}
        self._until = time.monotonic() + CACHE_S

    def _published_cost(self, provider: str, model_id: str, usage: Usage) -> Cost | None:
        key = (provider, model_id)
        if self._published is None or provider not in PUBLISHED_NAMES or key in self._unpublished:
            return None
        found = _look_up(self._published, PUBLISHED_NAMES[provider], model_id, usage)
        if found is None:
            self._unpublished.add(key)
        return found


def _look_up(prices: Any, provider: str, model_id: str, usage: Usage) -> Cost | None:
    try:
        found = prices.calc_price(
            prices.Usage(input_tokens=usage.input_tokens, output_tokens=usage.output_tokens,
                         cache_read_tokens=usage.cache_read_tokens, cache_write_tokens=usage.cache_write_tokens),
            model_id, provider_id=provider,
        )
    except (LookupError, ValueError):
        return None
    return Cost(_whole(found.input_price), _whole(found.output_price))


def _whole(usd: Decimal) -> int:
    return int((usd * MICRO).to_integral_value(ROUND_HALF_UP))
