"""Private addresses: the operator's list alone decides, whichever provider, test or call is meant."""

from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from automatos.credentials.addresses import may_be_private
from automatos.credentials.errors import CredentialInvalidHere
from automatos.credentials.keyring import Keyring
from automatos.credentials.providers import get_provider
from automatos.credentials.trial import try_fields
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.kernel.http import Http
from automatos.workspaces.types import Caller
from tests.credentials.conftest import Store
from tests.fakes.model_server import ModelServer

LOCAL = ["custom", "ollama", "vllm"]


def listing(home: Path, *addresses: str) -> Settings:
    return Settings(home=home, private_providers=addresses)


@pytest.mark.parametrize("provider", [*LOCAL, "openai", "anthropic"])
async def test_a_trial_reaches_no_private_address_unless_it_is_listed(
    provider: str, outgoing: Http, model_server: ModelServer, tmp_path: Path
) -> None:
    base_url = model_server.url if provider == "anthropic" else model_server.base_url
    fields = {"api_key": "good-key", "base_url": base_url}

    closed = await try_fields(outgoing, Settings(home=tmp_path), fields, provider_name=provider, test=None)
    opened = await try_fields(
        outgoing, listing(tmp_path, model_server.url), fields, provider_name=provider, test=None)

    assert (closed.status, closed.models) == ("failed", [])
    assert "private address" in closed.message
    assert opened.status == "passed"


@pytest.mark.parametrize("provider", LOCAL)
async def test_a_stored_address_is_judged_by_todays_list(
    provider: str, store: Store, database: Database, caller: Caller, vault: Vault, tmp_path: Path
) -> None:
    listed = listing(tmp_path, "http://10.0.0.5:8000/v1")
    await store(settings=listed, name="Mine", provider=provider, value="k" * 20, base_url="http://10.0.0.5:8000/v1")

    before = await Keyring(database, vault, listed).find_access(caller.workspace_id, provider)
    after = await Keyring(database, vault, Settings(home=tmp_path)).find_access(caller.workspace_id, provider)

    assert before
    assert after
    assert (before.allow_private, after.allow_private) == (True, False)


def test_ollama_without_a_credential_is_asked_where_the_operator_says(
    database: Database, vault: Vault, tmp_path: Path
) -> None:
    provider = get_provider("ollama")

    for settings, allowed in (
        (Settings(home=tmp_path), False), (Settings(home=tmp_path, require_auth=False), True),
        (Settings(home=tmp_path, require_auth=False, private_providers=()), False),
        (listing(tmp_path, "http://127.0.0.1:11434"), True),
    ):
        assert Keyring(database, vault, settings).without_key(provider).allow_private is allowed


async def test_the_operators_own_address_from_the_environment_needs_no_list(
    database: Database, caller: Caller, vault: Vault, tmp_path: Path
) -> None:
    settings = Settings(home=tmp_path, openai_base_url="http://10.0.0.5:8000/v1", openai_api_key=SecretStr("k" * 20))

    secret = await Keyring(database, vault, settings).find_access(caller.workspace_id, "openai")

    assert secret
    assert secret.allow_private


@pytest.mark.parametrize(("listed", "taken", "refused"), [
    ("http://10.0.0.5:8000", ["http://10.0.0.5:8000/v1", "http://10.0.0.5:8000"],
     ["http://10.0.0.5:8001/v1", "https://10.0.0.5:8000/v1", "http://10.0.0.6:8000/v1", "http://10.0.0.5/v1",
      "http://10.0.0.5:8000.evil.example/v1", "http://10.0.0.5:8000@10.0.0.6/v1"]),
    ("http://gpu.internal:8000/v1", ["http://GPU.internal:8000/v1", "http://gpu.internal:8000/v1/x"],
     ["http://gpu.internal:8000/", "http://gpu.internal:8000/v10", "http://gpu.internal:8000/v1/../admin",
      "http://gpu.internal:8000/v1/%2e%2e/admin", "http://gpu.internal:8000/v1//10.0.0.6", "http://internal:8000/v1"]),
    ("https://[fd00::5]", ["https://[fd00::5]:443/v1"], ["https://[fd00::6]/v1", "http://[fd00::5]:443/v1"]),
    ("http://127.0.0.1:*", ["http://127.0.0.1:1/v1", "http://127.0.0.1"], ["http://127.0.0.2:1", "http://localhost:1"]),
])
def test_an_address_is_taken_when_it_lies_below_a_listed_one(
    listed: str, taken: list[str], refused: list[str], tmp_path: Path
) -> None:
    settings = listing(tmp_path, listed)

    assert [url for url in taken if not may_be_private(url, settings)] == []
    assert [url for url in refused if may_be_private(url, settings)] == []


@pytest.mark.parametrize("entry", ["127.0.0.1:11434", "ftp://x", "http://u:p@x", "http://x/?q", "http://x/v1%2f", "*"])
def test_a_list_that_cannot_be_meant_stops_the_start(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATOS_PRIVATE_PROVIDERS", f"http://127.0.0.1:11434,{entry}")
    with pytest.raises(ValidationError, match=r"http://127\.0\.0\.1:11434"):
        Settings()


async def test_a_refusal_names_the_setting(store: Store, own_settings: Settings) -> None:
    with pytest.raises(CredentialInvalidHere, match="AUTOMATOS_PRIVATE_PROVIDERS"):
        await store(settings=own_settings, name="K", provider="custom", value="", base_url="http://10.0.0.5/v1")
