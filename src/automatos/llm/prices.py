"""What a call costs: our table of models first, the published price list second, unknown otherwise."""

import asyncio
import time
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from importlib import import_module
from typing import Any

import asyncpg
import structlog

from automatos.credentials.service import providers_by_name
from automatos.kernel.db import Database
from automatos.llm import queries
from automatos.llm.types import NOTHING_KNOWN, Cost, ModelTraits, PriceSource, Usage, Window

CACHE_S = 5.0
MICRO = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars per 1,000 tokens: input, output, and input that the provider had in its cache."""

    input: Decimal
    output: Decimal
    cached: Decimal


@dataclass(frozen=True, slots=True)
class KnownModel:
    """What the catalogue knows of a model: how it is asked, and how much it reads at once."""

    traits: ModelTraits
    window: Window


log = structlog.get_logger(__name__)


def micro_usd(tokens: int, per_1k: Decimal) -> int:
    """Return the price of tokens at a rate per thousand, in whole micro-dollars, half up."""
    return int((per_1k * tokens * MICRO / 1000).to_integral_value(ROUND_HALF_UP))


class PriceBook:
    """Prices of models and how they are asked, kept in this process for a few seconds.

    `ready` are the models that were prepared since the last reading; they hold until `fresh_until`, a moment of
    `time.monotonic()`, and are there to be looked at without asking.

    The published list is large, so it is loaded when a model outside our table is asked for the first time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rates: dict[tuple[str, str], Rates] = {}
        self._traits: dict[tuple[str, str], ModelTraits] = {}
        self.ready: dict[tuple[str, str], KnownModel] = {}
        self.fresh_until = 0.0
        self._published: Any = None
        self._unpublished: set[tuple[str, str]] = set()

    def forget(self) -> None:
        """Drop what is kept, so that the next call reads the table again."""
        self.fresh_until = 0.0

    async def prepare(self, provider: str, model_id: str) -> KnownModel:
        """Read what `cost` will need, so that pricing a finished answer waits for nothing; never raises."""
        await self._refresh()
        key = provider, model_id
        if key not in self._rates and self._published is None and _published_name(provider):
            self._published = await asyncio.to_thread(import_module, "genai_prices")
        traits = self._traits.get(key, NOTHING_KNOWN)
        self.ready[key] = known = KnownModel(traits, Window(provider, model_id, traits.context_window))
        return known

    def cost(self, provider: str, model_id: str, usage: Usage | None) -> Cost | None:
        """Return what a call cost, None when the price or the tokens are unknown."""
        if provider == "demo":
            return Cost(0, 0)
        if usage is None:
            return None
        if rates := self._rates.get((provider, model_id)):
            return _cost(rates, usage, _cache_write_factor(provider))
        return self._published_cost(provider, model_id, usage)

    def source(self, provider: str, model_id: str) -> PriceSource:
        """Say whose price `cost` goes by, once it was prepared."""
        if provider == "demo" or (provider, model_id) in self._rates:
            return "catalogue"
        return "published" if self._published_cost(provider, model_id, Usage(1, 1)) is not None else "unknown"

    async def _refresh(self) -> None:
        if self.fresh_until > time.monotonic():
            return
        self.ready.clear()
        try:
            async with self._database.recording(None) as connection:
                rows = await queries.read_catalogue(connection)
        except Exception as error:  # noqa: BLE001
            log.warning("prices_not_read", error=type(error).__name__)
            return
        self._traits = {(row["provider"], row["model_id"]): _traits(row) for row in rows}
        self._rates = {(row["provider"], row["model_id"]): _rates(row) for row in rows if row["input_rate"] is not None
                       and row["output_rate"] is not None}
        self.fresh_until = time.monotonic() + CACHE_S

    def _published_cost(self, provider: str, model_id: str, usage: Usage) -> Cost | None:
        key = (provider, model_id)
        name = _published_name(provider)
        if self._published is None or name is None or key in self._unpublished:
            return None
        found = _look_up(self._published, name, model_id, usage)
        if found is None:
            self._unpublished.add(key)
        return found


def _published_name(provider: str) -> str | None:
    found = providers_by_name().get(provider)
    return found.published_as if found else None


def _cache_write_factor(provider: str) -> Decimal:
    found = providers_by_name().get(provider)
    return Decimal(found.cache_write_factor if found else 1)


def _traits(row: asyncpg.Record) -> ModelTraits:
    efforts = row["reasoning_efforts"]
    return ModelTraits(row["wire"], None if efforts is None else tuple(efforts), row["takes_sampling"],
                       row["max_output_tokens"], row["context_window"])


def _rates(row: asyncpg.Record) -> Rates:
    cached = row["cached_rate"]
    return Rates(row["input_rate"], row["output_rate"], row["input_rate"] if cached is None else cached)


def _cost(rates: Rates, usage: Usage, write_factor: Decimal) -> Cost:
    """Price an answer; what the provider read from its cache is cheaper, what it wrote there may be dearer."""
    read = min(usage.cache_read_tokens, usage.input_tokens)
    written = min(usage.cache_write_tokens, usage.input_tokens - read)
    if not (read or written):
        return Cost(micro_usd(usage.input_tokens, rates.input), micro_usd(usage.output_tokens, rates.output))
    per_1k = ((usage.input_tokens - read - written) * rates.input + read * rates.cached
              + written * rates.input * write_factor)
    return Cost(_whole(per_1k / 1000), micro_usd(usage.output_tokens, rates.output))


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
