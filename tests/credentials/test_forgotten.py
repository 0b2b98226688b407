"""What is changed about a credential counts at once in every process, not when its memory of it has grown old."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from uuid import UUID

import pytest

from automatos.credentials import keyring as keyring_module
from automatos.credentials.errors import CredentialUnreadable
from automatos.credentials.schemas import CredentialUpdate
from automatos.credentials.service import Keyring, delete_credential, reseal_credentials, update_credential
from automatos.durable.service import Bus, WorkerLease
from automatos.entrypoints.migrate import Migrated
from automatos.kernel.config import Settings
from automatos.kernel.crypto import Vault
from automatos.kernel.db import Database
from automatos.workspaces.types import Caller
from tests.credentials.conftest import Store
from tests.durable.conftest import until

KEY = "sk-first-first-first"


@pytest.fixture(autouse=True)
def long_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let only words make a keyring forget."""
    monkeypatch.setattr(keyring_module, "CACHE_S", 3600.0)
    monkeypatch.setattr(keyring_module, "RECENT_S", 3600.0)


@dataclass
class Two:
    """The keyrings of two processes on one database, each of which has heard of the other."""

    here: Keyring
    there: Keyring

    async def value_there(self, workspace_id: UUID) -> str | None:
        found = await self.there.find_access(workspace_id, "openai")
        return found.key.reveal() if found else None


@pytest.fixture
async def two(migrated: Migrated, own_settings: Settings) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        keyrings, presences = list[Keyring](), list[WorkerLease]()
        for number in range(2):
            database = Database(migrated.url, role=migrated.role, pool_size=2)
            stack.push_async_callback(database.close)
            await database.open()
            lease = WorkerLease(database, 60)
            stack.push_async_callback(lease.stop)
            await lease.start()
            async with database.recording(None) as connection:
                await connection.execute(
                    "UPDATE durable.executors SET host = $2 WHERE id = $1", lease.id, f"h{number}")
            bus = Bus(database, lease)
            stack.push_async_callback(bus.stop)
            await bus.start()
            keyring = Keyring(database, Vault(own_settings), own_settings, bus)
            stack.push_async_callback(keyring.close)
            keyrings.append(keyring)
            presences.append(lease)
        await until(lambda: all(lease.others for lease in presences))
        yield Two(*keyrings)


@pytest.mark.parametrize("change", ["replaced", "deleted", "switched off", "given to another environment"])
async def test_a_change_is_known_to_the_other_process_at_once(
    two: Two, store: Store, database: Database, caller: Caller, deps, change: str
) -> None:
    made = await store(name="Mine", provider="openai", value=KEY)
    workspace_id = caller.workspace_id
    assert await two.value_there(workspace_id) == KEY

    async with database.session(workspace_id) as session:
        if change == "deleted":
            await delete_credential(session, caller, made.id)
        else:
            body = {"replaced": {"data": {"api_key": "sk-second-second"}}, "switched off": {"is_active": False},
                    "given to another environment": {"environment": "staging"}}[change]
            await update_credential(session, caller, deps, made.id, CredentialUpdate.model_validate(body))
    assert await two.value_there(workspace_id) == KEY  # nobody has told it yet
    two.here.forget_everywhere(workspace_id)

    wanted = "sk-second-second" if change == "replaced" else None
    await until(lambda: _is(two, workspace_id, wanted))


async def _is(two: Two, workspace_id: UUID, wanted: str | None) -> bool:
    return await two.value_there(workspace_id) == wanted


async def test_a_new_one_is_used_where_none_had_been_found(two: Two, store: Store, caller: Caller) -> None:
    assert await two.value_there(caller.workspace_id) is None
    await store(name="Mine", provider="openai", value=KEY)
    two.here.forget_everywhere(caller.workspace_id)
    await until(lambda: _is(two, caller.workspace_id, KEY))


async def test_what_was_read_before_a_change_and_arrives_after_it_is_not_kept(
    two: Two, store: Store, database: Database, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await store(name="Mine", provider="openai", value=KEY)
    has_read, may_return, read = asyncio.Event(), asyncio.Event(), keyring_module.queries.read_for_providers

    async def read_slowly(*args: object) -> object:
        rows = await read(*args)
        has_read.set()
        await may_return.wait()
        return rows

    monkeypatch.setattr(keyring_module.queries, "read_for_providers", read_slowly)
    reading = asyncio.create_task(two.here.find_access(caller.workspace_id, "openai"))
    await has_read.wait()
    async with database.session(caller.workspace_id) as session:
        await delete_credential(session, caller, made.id)
    two.here.forget_everywhere(caller.workspace_id)
    may_return.set()
    await reading

    assert await two.here.find_access(caller.workspace_id, "openai") is None


async def test_after_a_rotation_everything_opens_without_the_old_key_and_a_lost_one_is_named(
    two: Two, store: Store, database: Database, caller: Caller, deps, own_settings: Settings
) -> None:
    """The keys are changed under a running process; then the one that sealed is taken away without sealing again."""
    made = [await store(name=f"Key {n}", provider=name, value=f"sk-{name}-{name}-{name}")
            for n, name in enumerate(("openai", "groq", "anthropic"))]
    folder = own_settings.home / "keys"
    before = {path.name: path.read_bytes() for path in folder.glob("*.key")}
    deps.vault.add_key()
    await reseal_credentials(database, deps.vault)
    assert deps.vault.retire_old_keys() == 1
    assert not set(before) & {path.name for path in folder.glob("*.key")}

    found = [await two.there.find_access(caller.workspace_id, each.provider) for each in made]
    assert [each.key.reveal() for each in found if each] == [
        f"sk-{name}-{name}-{name}" for name in ("openai", "groq", "anthropic")]

    deps.vault.add_key()
    assert deps.vault.retire_old_keys() == 1
    started_anew = Keyring(database, Vault(own_settings), own_settings)
    with pytest.raises(CredentialUnreadable):
        await started_anew.find_access(caller.workspace_id, "openai")
    await started_anew.close()
