"""Keys of the server come and go: what is sealed stays readable, and what is not says what to do."""

from pathlib import Path
from uuid import UUID

import pytest

from automatos.credentials.errors import CredentialUnreadable
from automatos.credentials.schemas import CredentialUpdate
from automatos.credentials.service import CredentialDeps, Keyring, get_credential, reseal_credentials, update_credential
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database, Scope
from automatos.workspaces.types import Caller
from tests.credentials.conftest import Store

KEY_ID = slice(1, 9)


async def sealed_with(database: Database, workspace_id: UUID, credential_id: UUID) -> bytes:
    async with database.recording(workspace_id) as connection:
        return (await connection.fetchval("SELECT sealed FROM credentials WHERE id = $1", credential_id))[KEY_ID]


@pytest.mark.capability("S040")
async def test_after_a_rotation_the_old_stays_readable_and_the_new_key_seals(
    store: Store, database: Database, caller: Caller, deps: CredentialDeps, own_settings: Settings
) -> None:
    workspace_id = caller.workspace_id
    old = await store(name="Old", provider="openai", value="sk-sealed-with-the-old-one")
    deps.vault.add_key()
    fresh = await store(name="Fresh", provider="groq", value="sk-sealed-with-the-new-one")
    keyring = Keyring(database, Vault(own_settings), own_settings)

    secrets = [await keyring.find_access(workspace_id, provider) for provider in ("openai", "groq")]
    await keyring.close()
    keys = [await sealed_with(database, workspace_id, each.id) for each in (old, fresh)]
    async with database.session(workspace_id) as session:
        await update_credential(session, caller, deps, old.id, CredentialUpdate(data={"base_url": None}))

    assert [secret.key.reveal() for secret in secrets if secret] == [
        "sk-sealed-with-the-old-one", "sk-sealed-with-the-new-one"]
    assert keys[0] != keys[1]
    assert await sealed_with(database, workspace_id, old.id) == keys[1]


async def test_a_lost_key_is_named_as_what_it_is_noted_once_and_replaced_by_no_other(
    store: Store, database: Database, caller: Caller, deps: CredentialDeps, tmp_path: Path
) -> None:
    workspace_id = caller.workspace_id
    lost = await store(name="My key", provider="openai", value="sk-lost-lost-lost-lost")
    elsewhere = Settings(home=tmp_path / "elsewhere")
    keyring = Keyring(database, Vault(elsewhere), elsewhere)

    for _ in range(3):
        with pytest.raises(CredentialUnreadable, match=r"My key.*keys/.*enter the fields"):
            await keyring.find_access(workspace_id, "openai")
    await keyring.close()
    async with database.session(workspace_id) as session:
        shown = await get_credential(session, workspace_id, lost.id, CredentialDeps(Vault(elsewhere), elsewhere,
                                                                                    deps.http))

    async with database.recording(workspace_id, Scope.ADMIN) as connection:
        noted = await connection.fetch("SELECT * FROM audit_log WHERE action = 'credential.resolution_failed' "
                                       "AND workspace_id = $1", workspace_id)
    assert len(noted) == 1
    assert not shown.is_readable


async def test_a_sealed_value_copied_into_another_row_does_not_open(
    store: Store, database: Database, caller: Caller, own_settings: Settings, deps: CredentialDeps
) -> None:
    await store(name="Rich", provider="openai", value="sk-rich-rich-rich-rich")
    await store(name="Poor", provider="groq", value="sk-poor-poor-poor-poor")
    async with database.recording(caller.workspace_id) as connection:
        await connection.execute(
            "UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE name = 'Rich') WHERE name = 'Poor'")

    with pytest.raises(CredentialUnreadable, match="Poor"):
        await Keyring(database, deps.vault, own_settings).find_access(caller.workspace_id, "groq")


async def test_resealing_leaves_nothing_under_the_old_key_and_may_be_broken_off(
    store: Store, database: Database, caller: Caller, deps: CredentialDeps, own_settings: Settings
) -> None:
    """One value is sealed with the old key after a first pass, as a process would that had not seen the new one."""
    running = Keyring(database, Vault(own_settings), own_settings)
    made = [await store(name=name, provider=name, value=f"sk-{name}-{name}-{name}") for name in ("openai", "groq")]
    old_keys = list((own_settings.home / "keys").glob("*.key"))
    deps.vault.add_key()

    first = await reseal_credentials(database, deps.vault)
    again = await reseal_credentials(database, deps.vault)
    removed = deps.vault.retire_old_keys()

    assert (first.count, again.count, removed) == (2, 0, 1)
    assert not any(path.exists() for path in old_keys)
    sealed = [await sealed_with(database, caller.workspace_id, each.id) for each in made]
    assert sealed[0] == sealed[1]
    secret = await running.find_access(caller.workspace_id, "openai")
    fresh = await Keyring(database, Vault(own_settings), own_settings).find_access(caller.workspace_id, "groq")
    await running.close()
    assert [found.key.reveal() for found in (secret, fresh) if found] == [
        "sk-openai-openai-openai", "sk-groq-groq-groq"]


async def test_what_no_key_opens_is_counted_and_left_as_it_is(
    store: Store, database: Database, caller: Caller, tmp_path: Path
) -> None:
    lost = await store(name="Lost", provider="openai", value="sk-lost-lost-lost-lost")
    before = await sealed_with(database, caller.workspace_id, lost.id)

    done = await reseal_credentials(database, Vault(Settings(home=tmp_path / "elsewhere")))

    assert done.unreadable >= 1
    assert await sealed_with(database, caller.workspace_id, lost.id) == before
