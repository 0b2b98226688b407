"""The first start with nothing but a provider's key: its default model cooks the sample recipe, no other is asked."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from automatos.credentials.service import get_provider
from automatos.entrypoints.api import create_app
from automatos.entrypoints.first_start import cook_sample
from automatos.entrypoints.migrate import Migrated, migrate
from automatos.entrypoints.services import Services
from automatos.kernel.config import Settings
from automatos.kernel.ids import new_id
from tests.fakes.model_server import ModelServer
from tests.fakes.model_strict import strict
from tests.surface import serving
from tests.test_migrations import new_database

APP_ROLE = "automatos_app"
KEYED = ("openai", "anthropic", "google", "huggingface", "mistral", "groq", "xai", "openrouter")


@pytest.fixture(scope="module")
async def own_url(migrated: Migrated) -> AsyncIterator[str]:
    """A database of these tests alone, so that no other server takes their work."""
    async with new_database(migrated, "automatos_first_start") as url:
        await migrate(url)
        yield url


async def cooked(url: str, role: str | None, home: Path, **environment: Any) -> tuple[str, str]:
    """Start a server with this environment alone and cook the sample; returns its status and who was asked."""
    settings = Settings(home=home, workspace_id=new_id(), rate_limit="100000/minute", demo_delay_ms=0, **environment)
    services = Services(settings, url, role=role)
    async with serving(create_app(services), services):
        sample = await cook_sample(services)
    assert sample is not None
    asked = {(turn.body["provider"], turn.body["model"]) for step in sample.run.steps for turn in step.turns
             if turn.kind == "model"}
    assert len(asked) == 1, (sample.run.error, asked)
    provider, model = asked.pop()
    return sample.run.status, f"{provider}/{model}"


@pytest.mark.parametrize("provider", KEYED)
async def test_the_key_of_a_provider_alone_is_enough(
    own_url: str, model_server: ModelServer, tmp_path: Path, provider: str
) -> None:
    model_server.strict = strict(provider)

    status, who = await cooked(own_url, APP_ROLE, tmp_path, **{
        f"{provider}_api_key": SecretStr("sk-first-start-0001"), f"{provider}_base_url": model_server.url})

    assert (status, who) == ("completed", f"{provider}/{get_provider(provider).default_model}")
    assert model_server.calls


@pytest.mark.parametrize("more", [
    {}, {"openai_api_key": SecretStr("ollama")}, {"mistral_api_key": SecretStr("sk-another-0001")},
    {"default_llm_provider": "openai"},
], ids=["alone", "with a key", "beside another key", "with the provider"])
@pytest.mark.parametrize("model", ["mistral:7b", "openai/gpt-oss-20b"])
async def test_a_base_url_and_a_model_are_enough_and_the_prompt_goes_nowhere_else(
    own_url: str, model_server: ModelServer, tmp_path: Path, model: str, more: dict[str, Any]
) -> None:
    model_server.strict = strict("ollama")

    status, who = await cooked(own_url, APP_ROLE, tmp_path, default_llm_model=model,
                               openai_base_url=f"{model_server.url}/v1/chat/completions", **more)

    assert (status, who) == ("completed", f"openai/{model}")
    assert {call.model for call in model_server.calls} == {model}


async def test_without_anything_the_demo_cooks_it(own_url: str, tmp_path: Path) -> None:
    assert await cooked(own_url, APP_ROLE, tmp_path) == ("completed", "demo/demo")
