"""`automatos doctor` on what a server needs of others: the identity provider, keys of model providers."""

import asyncio
import subprocess
from pathlib import Path

import pytest

from tests.chaos.processes import AUTOMATOS, environment
from tests.fakes.issuer import running_issuer
from tests.fakes.oidc_provider import Provider, running_provider

PUBLIC = "https://agents.example.com"
CALLBACK = f"{PUBLIC}/api/auth/oidc/callback"


async def doctor(home: Path, **variables: str) -> list[str]:
    """Return the lines of the doctor that are about sign-in, clocks and models."""
    done = await asyncio.to_thread(
        subprocess.run, [str(AUTOMATOS), "doctor"], check=False, capture_output=True, text=True, timeout=60,
        env=environment(home) | {"AUTOMATOS_PORT": "0", "AUTOMATOS_PUBLIC_URL": PUBLIC} | variables)
    lines = done.stdout.splitlines()
    return [line for at, line in enumerate(lines) if any(
        about in each for each in lines[max(at - 1, 0):at + 1] for about in (" sign-in: ", " clock: ", " model: "))]


def says(lines: list[str], *words: str) -> bool:
    return any(all(word in line for word in words) for line in lines)


@pytest.mark.parametrize("layout", ["keycloak", "entra", "authentik"])
async def test_a_provider_that_is_ready_for_us_is_well(tmp_path: Path, layout: str) -> None:
    async with running_provider(layout=layout, redirect_uris=[CALLBACK]) as provider:
        found = await doctor(tmp_path, **provider.settings())

    assert says(found, "ok ", "sign-in: ", provider.issuer, "1 signing keys")
    assert says(found, "ok ", CALLBACK)
    assert not says(found, "clock")


async def told_of(tmp_path: Path, provider: Provider, **variables: str) -> list[str]:
    return await doctor(tmp_path, **(provider.settings() | variables))


async def test_a_redirect_address_that_the_provider_does_not_know_is_told_whole(tmp_path: Path) -> None:
    async with running_provider(redirect_uris=["https://elsewhere.example.com/callback"]) as provider:
        found = await told_of(tmp_path, provider)

    assert says(found, "fail ", "it answers 400")
    assert says(found, "fix: ", provider.client_id, CALLBACK, "AUTOMATOS_PUBLIC_URL")


@pytest.mark.parametrize(("clock_s", "words"), [(90, "s ahead of"), (-90, "s behind"), (5, "")])
async def test_clocks_that_differ_by_more_than_tokens_may_are_told(tmp_path: Path, clock_s: int, words: str) -> None:
    async with running_provider(redirect_uris=[CALLBACK], clock_s=clock_s) as provider:
        found = await told_of(tmp_path, provider)

    assert says(found, "clock: ", words) is bool(words), found


async def test_a_provider_that_is_away_another_one_or_without_keys_fails(tmp_path: Path) -> None:
    async with running_provider(redirect_uris=[CALLBACK]) as provider:
        another = await told_of(tmp_path, provider, AUTOMATOS_OIDC_ISSUER=provider.issuer + "x")
        provider.keys = []
        keyless = await told_of(tmp_path, provider)
        provider.is_down = True
        down = await told_of(tmp_path, provider)
    gone = await told_of(tmp_path, provider)

    assert says(keyless, "fail ", "without signing keys")
    for lines in (another, keyless, down, gone):
        assert says(lines, "fail ", "sign-in: the identity provider cannot be used")
        assert says(lines, "fix: ", "AUTOMATOS_OIDC_ISSUER")


async def test_keys_of_an_issuer_of_bearer_tokens_are_fetched(tmp_path: Path) -> None:
    async with running_issuer() as issuer:
        there = {"AUTOMATOS_JWKS_URL": issuer.jwks_url, "AUTOMATOS_JWT_ISSUER": issuer.url}
        well = await doctor(tmp_path, **there)
        issuer.is_down = True
        ill = await doctor(tmp_path, **there)

    assert says(well, "ok ", issuer.jwks_url)
    assert says(ill, "fail ", "answered 503 without signing keys")


async def test_without_a_provider_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert not says(await doctor(tmp_path), "sign-in")


async def test_keys_of_model_providers_are_named_and_a_default_without_its_key_is_told(tmp_path: Path) -> None:
    keyed = await doctor(tmp_path, HF_TOKEN="hf_x", MISTRAL_API_KEY="m")
    wrong = await doctor(tmp_path, DEFAULT_LLM_PROVIDER="anthropic", OPENAI_API_KEY="sk-x")

    assert says(keyed, "ok ", "model: ", "Mistral")
    assert says(keyed, "ok ", "model: ", "Hugging")
    assert says(wrong, "warn ", "DEFAULT_LLM_PROVIDER is anthropic, and ANTHROPIC_API_KEY is not set")
