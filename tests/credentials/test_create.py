"""What a credential may hold."""

import pytest

from automatos.credentials.errors import CredentialInvalidHere, CredentialNameTaken, UnknownProvider
from automatos.kernel.config import Settings
from tests.credentials.conftest import Store


@pytest.fixture
def create(store: Store):
    async def create(provider: str, value: str = "k" * 20, base_url: str | None = None, name: str = "Key",
                     settings: Settings | None = None):
        return await store(settings=settings, name=name, provider=provider, value=value, base_url=base_url)

    return create


@pytest.mark.parametrize("base_url", [
    "ftp://example.com", "https://", "https://user:secret@example.com",
    "http://[::1", "https://example.com:99999", "http://127.0.0.1:8080/v1", "http://localhost/v1", "http://10.0.0.5/v1",
    "http://192.168.1.1", "http://169.254.169.254/latest", "http://[::1]/v1", "http://[::ffff:10.0.0.1]/v1",
    "http://[64:ff9b::a00:1]/v1", "http://0.0.0.0/v1", "http://app.localhost/",
])
@pytest.mark.parametrize("provider", ["openai", "custom", "ollama", "vllm", "azure"])
async def test_every_provider_takes_only_public_http_addresses(create, provider: str, base_url: str) -> None:
    with pytest.raises(CredentialInvalidHere) as caught:
        await create(provider, base_url=base_url)

    assert caught.value.extra["field"] == "base_url"


@pytest.mark.parametrize("provider", ["ollama", "vllm", "custom"])
async def test_a_local_provider_may_live_on_a_listed_private_address_and_needs_no_key(
    create, provider: str, tmp_path
) -> None:
    listing = Settings(home=tmp_path, private_providers=("http://192.168.1.20:11434",))
    row = await create(provider, value="", base_url="http://192.168.1.20:11434/v1/", settings=listing)

    assert (row.base_url, row.hint) == ("http://192.168.1.20:11434/v1", "")


@pytest.mark.parametrize("provider", ["custom", "openai"])
async def test_the_metadata_address_of_clouds_is_refused_to_all(create, provider: str, tmp_path) -> None:
    with pytest.raises(CredentialInvalidHere):
        await create(provider, base_url="http://169.254.169.254/v1",
                     settings=Settings(home=tmp_path, allow_private_urls=True))


async def test_the_operator_may_allow_private_addresses(create, tmp_path) -> None:
    allowing = Settings(home=tmp_path, allow_private_urls=True)
    row = await create("openai", base_url="http://10.0.0.5/v1", settings=allowing)

    assert row.base_url == "http://10.0.0.5/v1"


@pytest.mark.parametrize(("provider", "value", "field"), [
    ("openai", "", "value"), ("openai", "   ", "value"), ("openai", "two words", "value"), ("openai", "a\nb", "value"),
    ("openai", "schlüssel", "value"), ("azure", "k" * 20, "base_url"), ("demo", "k" * 20, "provider"),
])
async def test_what_is_missing_or_unsendable_is_named(create, provider: str, value: str, field: str) -> None:
    with pytest.raises(CredentialInvalidHere) as caught:
        await create(provider, value=value)

    assert caught.value.extra["field"] == field


async def test_an_unknown_provider_is_answered_with_the_known_ones(create) -> None:
    with pytest.raises(UnknownProvider, match="Choose one of: openai, anthropic"):
        await create("opnai")


async def test_a_name_is_given_once_per_workspace(create) -> None:
    await create("openai")

    with pytest.raises(CredentialNameTaken):
        await create("anthropic")
