"""A prompt never leaves for a provider that nobody named."""

import pytest

from automatos.llm.choices import fallback_of, faults_of, provider_by_model
from automatos.llm.types import ModelChoice


@pytest.mark.parametrize(("provider", "named", "meant"), [
    ("ollama", "mistral:7b", ("ollama", "mistral:7b")),
    ("ollama", "llama3:8b", ("ollama", "llama3:8b")),
    ("openai", "openai:latest", ("openai", "openai:latest")),
    ("custom", "anthropic:claude", ("custom", "anthropic:claude")),
    ("huggingface", "openai/gpt-oss-120b:groq", ("huggingface", "openai/gpt-oss-120b:groq")),
    ("openrouter", "google/gemini:free", ("openrouter", "google/gemini:free")),
    ("openai", "google", ("openai", "google")),
    ("openai", "anthropic:claude-haiku-4-5", ("anthropic", "claude-haiku-4-5")),
    ("openai", "custom//mistral:7b", ("custom", "mistral:7b")),
    ("ollama", "huggingface//openai/gpt-oss-120b:groq", ("huggingface", "openai/gpt-oss-120b:groq")),
])
def test_a_fallback_is_of_the_own_provider_unless_another_is_named_beyond_doubt(
    provider: str, named: str, meant: tuple[str, str]
) -> None:
    found = fallback_of(ModelChoice(provider, "first", fallback_model_id=named))

    assert found is not None
    assert (found.provider, found.model_id) == meant


def test_a_fallback_that_is_the_model_itself_or_of_nobody_is_a_fault() -> None:
    assert faults_of(ModelChoice("openai", "a", fallback_model_id="openai//a"), None)
    assert "'nobody'" in faults_of(ModelChoice("openai", "a", fallback_model_id="nobody//a"), None)[0]
    assert faults_of(ModelChoice("ollama", "a", fallback_model_id="mistral:7b"), None) == []


@pytest.mark.parametrize("model", ["openai/gpt-oss-120b", "llama3:8b", "mistral:7b", "anthropic:claude",
                                   "google/gemini",
                                   "mistral-nemo", "gpt-oss-20b", "gemini/gpt-4", "o3:latest", "claude"])
def test_a_name_that_several_may_serve_tells_no_provider(model: str) -> None:
    assert provider_by_model(model) is None


@pytest.mark.parametrize(("model", "provider"), [("gpt-4o", "openai"), ("o3-mini", "openai"), ("grok-4", "xai"),
                                                 ("claude-haiku-4-5", "anthropic"), ("gemini-2.5-pro", "google")])
def test_a_name_that_one_provider_alone_serves_tells_it(model: str, provider: str) -> None:
    assert provider_by_model(model) == provider
