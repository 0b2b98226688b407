"""What a provider returned goes back to the same provider, wire and model family only."""

import pytest

from automatos.credentials.service import get_provider
from automatos.kernel.http import Http
from automatos.llm.providers import ProviderCall
from automatos.llm.providers.replay import family_of, replayable, tagged
from automatos.llm.types import Message, ModelChoice


@pytest.mark.parametrize(("one", "other"), [
    ("gpt-6.1-terra", "gpt-6.1-sol"), ("gpt-5-mini", "GPT-5-mini-2025-08-07"),
    ("gemini-3.8-flash", "gemini-3.5-flash-lite"), ("claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
    ("qwen/qwen3-32b", "qwen/qwen3-235b"), ("my-model", "MY-MODEL"),
])
def test_snapshots_and_sizes_of_a_generation_are_one_family(one: str, other: str) -> None:
    assert family_of(one) == family_of(other)


@pytest.mark.parametrize(("one", "other"), [
    ("gpt-6.1-terra", "gpt-5-mini"), ("claude-opus-5-5", "claude-sonnet-5-5"), ("gemini-4-argon", "gemini-3.8-flash"),
    ("openai/gpt-5", "gpt-5"), ("gpt-4o", "o4-mini"), ("my-model", "your-model"), ("gpt-4.1", "gpt-41"),
])
def test_other_generations_vendors_and_lines_are_other_families(one: str, other: str) -> None:
    assert family_of(one) != family_of(other)


def call(outgoing: Http, provider: str, model_id: str) -> ProviderCall:
    return ProviderCall(outgoing.anywhere, get_provider(provider), "http://x", "k", ModelChoice(provider, model_id),
                        (), ())


@pytest.mark.parametrize(("provider", "model_id", "wire", "goes_back"), [
    ("google", "gemini-3.8-flash", "openai", True), ("google", "gemini-3.5-flash-lite", "openai", True),
    ("google", "gemini-4-argon", "openai", False), ("openrouter", "gemini-3.8-flash", "openai", False),
    ("google", "gemini-3.8-flash", "responses", False),
])
async def test_items_go_back_to_their_own(outgoing: Http, provider: str, model_id: str, wire: str,
                                          goes_back: bool) -> None:
    kept = tagged(call(outgoing, "google", "gemini-3.8-flash"), "openai", [{"signature": "s"}])
    message = Message("assistant", "", items=kept)

    found = replayable(call(outgoing, provider, model_id), wire, message)

    assert found == (({"signature": "s"},) if goes_back else ())


async def test_a_message_without_items_has_none_to_send_back(outgoing: Http) -> None:
    asking = call(outgoing, "google", "gemini-3.8-flash")

    assert tagged(asking, "openai", []) is None
    assert replayable(asking, "openai", Message("assistant", "Hello")) == ()
