"""Finding the secret that opens a provider, for the right workspace only."""

from datetime import timedelta
from uuid import UUID

import pytest
from pydantic import SecretStr

from automatos.credentials import keyring as keyring_module
from automatos.credentials.errors import CredentialUnreadable
from automatos.credentials.service import Keyring, delete_credential
from automatos.kernel.clock import now
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.kernel.ids import new_id
from automatos.workspaces.types import Caller
from tests.credentials.conftest import Store


@pytest.fixture
def keyring(database: Database, vault: Vault, own_settings: Settings) -> Keyring:
    return Keyring(database, vault, own_settings)


@pytest.fixture
def keep(store: Store):
    async def keep(value: str, provider: str = "openai", **given) -> UUID:
        return (await store(**({"name": value, "provider": provider, "value": value} | given))).id

    return keep


async def test_the_newest_credential_of_the_workspace_opens_the_provider(keyring: Keyring, keep, workspace_id) -> None:
    await keep("sk-old-old-old")
    await keep("sk-new-new-new", base_url="https://example.com/v1/")

    secret = await keyring.find_access(workspace_id, "openai")

    assert secret is not None
    assert secret.key.reveal() == "sk-new-new-new"
    assert (secret.base_url, secret.source) == ("https://example.com/v1", "workspace")
    assert not secret.allow_private
    assert "sk-new" not in repr(secret)
    assert await keyring.find_access(workspace_id, "anthropic") is None


async def test_no_other_workspace_gets_it(keyring: Keyring, keep, workspace_id) -> None:
    await keep("sk-mine-mine-mine")

    assert await keyring.find_access(new_id(), "openai") is None
    assert await keyring.configured_providers(new_id()) == {}
    assert await keyring.configured_providers(workspace_id) == {"openai": "workspace"}


@pytest.mark.parametrize("is_shared", [True, False])
async def test_the_platforms_key_follows_where_it_is_shared(
    database: Database, vault: Vault, tmp_path, workspace_id: UUID, is_shared: bool
) -> None:
    settings = Settings(home=tmp_path, openai_api_key=SecretStr("sk-platform"), share_platform_keys=is_shared)

    secret = await Keyring(database, vault, settings).find_access(workspace_id, "openai")

    assert (secret.source if secret else None) == ("environment" if is_shared else None)


STRANGERS = [{"clerk_publishable_key": "pk_test_x"}, {"jwks_url": "https://id.example.org/jwks"},
             {"jwt_key": SecretStr("x")}, {"oidc_issuer": "https://id.example.org"}]


@pytest.mark.parametrize("lets_in", STRANGERS, ids=lambda each: next(iter(each)))
async def test_strangers_of_an_identity_provider_get_the_platforms_key_only_where_the_operator_says_so(
    database: Database, vault: Vault, tmp_path, workspace_id: UUID, lets_in: dict[str, object]
) -> None:
    operators = new_id()
    unsaid = Settings(home=tmp_path, openai_api_key=SecretStr("sk-platform")).model_copy(
        update={"workspace_id": operators, **lets_in})
    said = unsaid.model_copy(update={"share_platform_keys": True})

    found = {(who, place): await Keyring(database, vault, settings).find_access(at, "openai")
             for who, settings in (("unsaid", unsaid), ("said", said))
             for place, at in (("the operator's", operators), ("a stranger's", workspace_id))}

    assert {name for name, access in found.items() if access is None} == {("unsaid", "a stranger's")}
    assert await Keyring(database, vault, unsaid).configured_providers(workspace_id) == {}


async def test_a_deleted_key_is_gone_at_once_in_this_process_and_within_seconds_in_others(
    keyring: Keyring, keep, database: Database, caller: Caller, workspace_id, monkeypatch: pytest.MonkeyPatch
) -> None:
    credential_id = await keep("sk-fresh-fresh")
    assert await keyring.find_access(workspace_id, "openai") is not None
    async with database.session(workspace_id) as session:
        await delete_credential(session, caller, credential_id)
    assert await keyring.find_access(workspace_id, "openai") is not None

    clock = keyring_module.time.monotonic() + 5.1
    monkeypatch.setattr(keyring_module.time, "monotonic", lambda: clock)
    assert await keyring.find_access(workspace_id, "openai") is None

    await keep("sk-other-other")
    assert await keyring.find_access(workspace_id, "openai") is not None
    keyring.forget(workspace_id)
    assert await keyring.find_access(workspace_id, "openai") is not None


async def test_use_is_audited_once_a_minute(keyring: Keyring, keep, database: Database, workspace_id) -> None:
    credential_id = await keep("sk-used-used-used")

    for _ in range(5):
        await keyring.find_access(workspace_id, "openai")
    await keyring.close()

    async with database.recording(workspace_id, Scope.ADMIN) as connection:
        used = await connection.fetch(
            "SELECT * FROM audit_log WHERE target_id = $1 AND action = 'credential.used'", str(credential_id))
        last_used_at = await connection.fetchval("SELECT last_used_at FROM credentials WHERE id = $1", credential_id)
    assert len(used) == 1
    assert used[0]["workspace_id"] == workspace_id
    assert last_used_at is not None


async def test_a_credential_of_a_lost_key_is_an_error_and_not_the_platforms_key(
    database: Database, keep, tmp_path, workspace_id
) -> None:
    await keep("sk-lost-lost-lost", name="My key")
    settings = Settings(home=tmp_path / "elsewhere", openai_api_key=SecretStr("sk-platform"))

    with pytest.raises(CredentialUnreadable, match="My key"):
        await Keyring(database, Vault(settings), settings).find_access(workspace_id, "openai")


async def test_nothing_of_a_secret_is_stored_in_clear(keep, database: Database, workspace_id) -> None:
    await keep("sk-plain-text-never-stored-abcd", name="Key")

    async with database.recording(workspace_id, Scope.ADMIN) as connection:
        row = await connection.fetchrow("SELECT * FROM credentials WHERE workspace_id = $1", workspace_id)
        audit = await connection.fetch("SELECT * FROM audit_log WHERE workspace_id = $1", workspace_id)
    assert b"plain-text" not in row["sealed"]
    assert row["hint"] == "…abcd"
    assert "plain-text" not in f"{dict(row)}{[dict(entry) for entry in audit]}"


@pytest.fixture
def elsewhere(database: Database, vault: Vault, own_settings: Settings) -> Keyring:
    """The keyring of another process, on the same database."""
    return Keyring(database, vault, own_settings)


@pytest.mark.parametrize("others", [[], ["anthropic"], ["anthropic", "groq", "mistral", "xai"]])
async def test_a_key_that_was_just_stored_is_found_by_a_process_that_looked_for_it_before(
    elsewhere: Keyring, keep, workspace_id, others: list[str]
) -> None:
    for provider in others:
        await keep(f"sk-{provider}-0000", provider)
    assert await elsewhere.find_access(workspace_id, "openai") is None

    await keep("sk-fresh-fresh")

    found = await elsewhere.find_access(workspace_id, "openai")
    assert found is not None
    assert found.key.reveal() == "sk-fresh-fresh"


async def test_a_new_key_goes_before_the_platforms_and_into_the_default_within_a_second(
    database: Database, vault: Vault, tmp_path, keep, workspace_id, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = Settings(home=tmp_path, openai_api_key=SecretStr("sk-platform"))
    elsewhere = Keyring(database, vault, settings)
    assert await elsewhere.configured_providers(workspace_id) == {"openai": "environment"}
    await keep("sk-own-own-own")
    clock = keyring_module.time.monotonic() + 1.1
    monkeypatch.setattr(keyring_module.time, "monotonic", lambda: clock)

    found = await elsewhere.find_access(workspace_id, "openai")

    assert found is not None
    assert found.key.reveal() == "sk-own-own-own"
    assert await elsewhere.configured_providers(workspace_id) == {"openai": "workspace"}


async def test_a_workspaces_credentials_are_searched_once_for_each_question(
    keyring: Keyring, keep, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[object] = []
    search = keyring_module.Search.run
    monkeypatch.setattr(keyring_module.Search, "run",
                        lambda self, *given: searched.append(given) or search(self, *given))
    assert await keyring.find_access(workspace_id, "openai") is None
    assert searched == []  # there is nothing to search
    await keep("sk-mine-mine-mine")

    for environment in ("production", "development") * 3:
        secret = await keyring.find_access(workspace_id, "openai", environment)
        assert secret
        assert secret.key.reveal() == "sk-mine-mine-mine"

    assert len(searched) == 2


async def test_a_credential_that_expires_is_searched_for_each_time(
    keyring: Keyring, keep, workspace_id: UUID, monkeypatch: pytest.MonkeyPatch,
) -> None:
    await keep("sk-lasting-lasting")
    await keep("sk-ending-ending", expires_at=now() + timedelta(hours=1))
    first = await keyring.find_access(workspace_id, "openai")
    monkeypatch.setattr(keyring_module, "now", lambda: now() + timedelta(hours=2))
    second = await keyring.find_access(workspace_id, "openai")

    assert first
    assert second
    assert (first.key.reveal(), second.key.reveal()) == ("sk-ending-ending", "sk-lasting-lasting")
