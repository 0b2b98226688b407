"""What calls cost."""

import subprocess
import sys
from decimal import Decimal

import pytest

from automatos.kernel.db import Database
from automatos.llm.prices import PriceBook, micro_usd
from automatos.llm.seed import seed_models, shipped_models
from automatos.llm.types import EFFORTS, Cost, Usage


@pytest.mark.capability("S152")
@pytest.mark.parametrize(("tokens", "per_1k", "expected"), [
    (0, "0.01", 0), (1000, "0.01", 10_000), (1, "0.0005", 1), (1, "0.0004", 0), (3, "0.00015", 0),
    (1_000_000_000, "0.06", 60_000_000_000), (7, "0.0025", 18),
])
def test_rates_per_thousand_become_whole_micro_dollars_half_up(tokens: int, per_1k: str, expected: int) -> None:
    assert micro_usd(tokens, Decimal(per_1k)) == expected


@pytest.mark.capability("S152")
async def test_our_table_comes_first_the_published_list_second_unknown_last(database: Database) -> None:
    await seed_models(database)
    async with database.recording(None) as connection:
        await connection.execute(
            "INSERT INTO llm_models (provider, model_id, display_name, input_cost_per_1k_tokens, "
            "output_cost_per_1k_tokens) VALUES ('openai', 'gpt-4o', 'Ours', 1, 2) ON CONFLICT DO NOTHING")
    book = PriceBook(database)
    used = Usage(1000, 1000)
    for provider, model in (("openai", "gpt-4o"), ("openai", "gpt-4.1-nano"), ("openai", "no-such-model-at-all")):
        await book.prepare(provider, model)

    assert book.cost("openai", "gpt-4o", used) == Cost(1_000_000, 2_000_000)
    assert book.cost("openai", "gpt-4.1-nano", used) == Cost(100, 400)
    assert book.cost("openai", "no-such-model-at-all", used) is None
    assert book.cost("custom", "gpt-4o", used) is None
    assert book.cost("demo", "demo", used) == Cost(0, 0)
    assert book.cost("openai", "gpt-4o", None) is None


async def test_seeding_twice_changes_nothing_and_keeps_what_an_operator_set(database: Database) -> None:
    await seed_models(database)
    async with database.recording(None) as connection:
        await connection.execute("UPDATE llm_models SET display_name = 'Mine' WHERE model_id = 'gpt-5-mini'")
        before = await connection.fetchval("SELECT count(*) FROM llm_models")

    await seed_models(database)

    async with database.recording(None) as connection:
        assert await connection.fetchval("SELECT count(*) FROM llm_models") == before >= 25
        assert await connection.fetchval("SELECT display_name FROM llm_models WHERE model_id = 'gpt-5-mini'") == "Mine"


def test_the_published_list_is_not_loaded_before_it_is_needed() -> None:
    code = ("import sys, automatos.llm.service, automatos.llm.router; "
            "sys.exit(any(name.startswith(('genai_prices', 'openai', 'anthropic')) for name in sys.modules))")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(("provider", "model_id", "usage", "micro"), [
    ("anthropic", "claude-sonnet-5-5", Usage(10_000, 0), 20_000),
    ("anthropic", "claude-sonnet-5-5", Usage(10_000, 0, cache_read_tokens=8_000), 5_600),  # 2,000 whole, 8,000 a tenth
    ("anthropic", "claude-sonnet-5-5", Usage(10_000, 0, cache_write_tokens=8_000), 24_000),  # a quarter more
    ("openai", "gpt-6.1-terra", Usage(10_000, 0, 8_000, 1_000), 2_400),
    ("mistral", "mistral-large-4", Usage(10_000, 0, cache_read_tokens=8_000), 7_000),  # its cached rate is unknown
    ("openai", "gpt-6.1-terra", Usage(100, 0, cache_read_tokens=5_000), 5),  # never more cached than was sent
])
async def test_what_the_cache_gave_is_cheaper(
    database: Database, provider: str, model_id: str, usage: Usage, micro: int
) -> None:
    await seed_models(database)
    book = PriceBook(database)
    await book.prepare(provider, model_id)

    assert book.cost(provider, model_id, usage) == Cost(micro, 0)


async def test_the_catalogue_says_how_a_model_is_asked(database: Database) -> None:
    await seed_models(database)
    book = PriceBook(database)
    opus = (await book.prepare("anthropic", "claude-opus-5-5")).traits
    plain = (await book.prepare("openai", "gpt-4.1")).traits

    assert (opus.efforts, opus.takes_sampling, opus.max_output_tokens) == (
        ("low", "medium", "high", "xhigh", "max"), False, 128_000)
    assert (plain.efforts, plain.takes_sampling) == ((), True)
    assert (await book.prepare("openai", "no-such-model")).traits.efforts is None


def test_every_shipped_model_is_described_and_says_what_it_takes() -> None:
    models = shipped_models()

    assert all(row["description"] and set(row.get("reasoning_efforts") or ()) <= set(EFFORTS) for row in models)
    assert [row["model_id"] for row in models if row.get("status") == "deprecated"]
    routed = {row["model_id"].split("/")[0] for row in models if row["provider"] == "huggingface"}
    assert {"Qwen", "mistralai"} <= routed
